package filter

import (
	"errors"
	"slices"
	"sync"
	"time"

	"headcount/scan"
	"headcount/scan/field"
)

// Filter is a compiled expression. Its methods may be called concurrently.
type Filter struct {
	text   string
	fields []field.Field
	texts  []field.NamedText
	whole  formula
	listed formula // the half that a Record without a HEAD decides
	headed formula // the half that needs no further request
	words  vocabulary

	evaluations sync.Pool // of *evaluation
}

// Compile compiles an expression. An expression that can never be evaluated is an *Error. The function now of the
// expression returns the time of the call of Compile.
func Compile(expression string) (*Filter, error) { return compileAt(expression, time.Now().UTC()) }

// Scan returns the functions for scan.Config.
func (f *Filter) Scan() *scan.Filter {
	s := &scan.Filter{Whole: f.passes}
	if f.listed.kind != always {
		s.Listed = f.mayPass
		s.ReadsKey = slices.ContainsFunc(f.fields, func(each field.Field) bool { return each.Name == field.Key })
	}
	if f.headed.kind != always {
		s.Headed = f.mayPassHead
	}
	return s
}

// Fields returns the Fields that the expression reads, in the order of the table.
func (f *Filter) Fields() []field.Field { return f.fields }

// Texts returns the texts of Maps that the expression names, sorted.
func (f *Filter) Texts() []field.NamedText { return f.texts }

// ReadFrom makes the listed half that of a source whose Records have the Fields of these names without a HEAD. An
// object has no value of such a Field where its Record has none. Without ReadFrom, the source is a LIST, whose Records
// may lack values. Call it before Scan.
func (f *Filter) ReadFrom(names []string) {
	f.readFrom(func(v *variable) (listed, final bool) {
		has := slices.Contains(names, v.field.Name)
		return has, has
	})
}

func (f *Filter) readFrom(has func(*variable) (listed, final bool)) {
	for _, v := range f.words {
		v.listed, v.final = has(v)
	}
	f.listed = f.whole.half(func(v *variable) bool { return !v.listed })
}

// Listed returns the half of the expression that the LIST decides, as a text. It is "true" where the LIST decides
// nothing.
func (f *Filter) Listed() string { return f.listed.String() }

// Headed returns the half of the expression that needs no further request, as a text. It is "true" where that decides
// nothing.
func (f *Filter) Headed() string { return f.headed.String() }

// Whole returns the expression in its usual spelling.
func (f *Filter) Whole() string { return f.text }

// mayPass reports whether an object may pass, by a Record without a HEAD.
func (f *Filter) mayPass(r *scan.Record) bool {
	e := f.evaluation(r)
	passes := f.listed.mayPass(e)
	f.evaluations.Put(e)
	return passes
}

// mayPassHead reports whether an object may pass, by a Record without what further requests return.
func (f *Filter) mayPassHead(r *scan.Record) bool {
	e := f.evaluation(r)
	e.hasHead = true
	passes := f.headed.mayPass(e)
	f.evaluations.Put(e)
	return passes
}

// passes reports whether an object passes. An object that one of the halves refuses gets no error of another part of
// the expression, whether the requests for that part were sent or not.
func (f *Filter) passes(r *scan.Record) (bool, error) {
	e := f.evaluation(r)
	defer f.evaluations.Put(e)
	value, err := f.whole.passes(e)
	if err == nil {
		return value, nil
	}
	if e.steps.left = stepsMax; !f.listed.mayPass(e) {
		return false, nil
	}
	if e.hasHead, e.steps.left = true, stepsMax; !f.headed.mayPass(e) {
		return false, nil
	}
	if notSaid := (*NotSaidError)(nil); errors.As(err, &notSaid) {
		notSaid.Prefix = r.CommonPrefix()
	}
	return value, err
}

func (f *Filter) evaluation(r *scan.Record) *evaluation {
	e, _ := f.evaluations.Get().(*evaluation)
	if e == nil {
		e = newEvaluation()
	}
	e.record, e.hasHead, e.steps.left = r, false, stepsMax
	return e
}
