package filter

import (
	"maps"
	"reflect"
	"slices"
	"strconv"
	"time"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/builtin"
	"github.com/expr-lang/expr/conf"
	"github.com/expr-lang/expr/parser/utils"
	"github.com/expr-lang/expr/types"

	"headcount/scan/field"
)

// variable is what a name in an expression stands for: the value of a Field or, of a Field that is a Map, the value of
// one name, or whether the object has the name.
type variable struct {
	field *field.Field
	part  part
	name  string // in the Map

	listed bool // a Record without a HEAD may have it
	final  bool // such a Record has it, or the object has no value: a HEAD would not say more
}

type part uint8

const (
	all part = iota
	mapValue
	mapHas
)

// mayBeNil reports whether the variable is nil where the store did not say it. A text is empty instead, and the Fields
// with a zero value have that.
func (v *variable) mayBeNil() bool {
	switch v.field.Type {
	case field.Int, field.Bool, field.Time:
		return !v.field.Zero
	}
	return false
}

// typeOf returns the type that the checker knows the variable by.
func (v *variable) typeOf() types.Type {
	switch t := v.field.Type; {
	case v.part == mapHas:
		return types.Bool
	case v.part == mapValue, t == field.Text:
		return types.String
	case t == field.Map:
		return types.TypeOf(map[string]string{})
	case t == field.Time:
		return types.TypeOf((*time.Time)(nil))
	case t == field.Int && v.mayBeNil():
		return types.TypeOf((*int64)(nil))
	case t == field.Int:
		return types.Int64
	case v.mayBeNil():
		return types.TypeOf((*bool)(nil))
	}
	return types.Bool
}

// mustBeSaid reports whether the variable is, or is of, a Map that has a value unless nobody asked for it. Other Maps
// are empty where they are not said.
func (v *variable) mustBeSaid() bool {
	return v.field.Name == field.Metadata || v.field.Origin == field.FromRequest
}

// vocabulary is the variables of an expression, by name: all Fields, and the parts of Maps that the binder has met.
type vocabulary map[string]*variable

func newVocabulary() vocabulary {
	v := vocabulary{}
	for _, f := range field.Every() {
		v[f.Name] = &variable{field: &f}
	}
	return v
}

// add adds a part of a Map, and returns the identifier that stands for it. The identifier is what a user would write,
// and no identifier of the language: it cannot be in the expression already.
func (v vocabulary) add(of *field.Field, p part, name string) *ast.IdentifierNode {
	text := of.Name + "." + name
	switch {
	case p == mapHas:
		text = strconv.Quote(name) + " in " + of.Name
	case !utils.IsValidIdentifier(name):
		text = of.Name + "[" + strconv.Quote(name) + "]"
	}
	v[text] = &variable{field: of, part: p, name: name}
	return &ast.IdentifierNode{Value: text}
}

// of returns the variable of a node; nil: the node is none.
func (v vocabulary) of(node ast.Node) (name string, variable *variable) {
	identifier, _ := node.(*ast.IdentifierNode)
	if identifier == nil {
		return "", nil
	}
	return identifier.Value, v[identifier.Value]
}

// fields returns the names of the Fields, in the order of the alphabet.
func (v vocabulary) fields() []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(v)), func(name string) bool { return v[name].part != all })
}

// texts returns the parts of Maps, each once, in the order of the alphabet.
func (v vocabulary) texts() (texts []field.NamedText) {
	for _, variable := range v {
		if variable.part != all {
			texts = append(texts, field.NamedText{Map: *variable.field, Name: variable.name})
		}
	}
	return field.SortTexts(texts)
}

// functions are those of expr whose cost is bounded by the length of the expression and of a Record.
func functions() []string {
	return []string{
		"len", "lower", "upper", "trim", "trimPrefix", "trimSuffix", "split", "indexOf", "lastIndexOf", "hasPrefix",
		"hasSuffix", "fromJSON",
		"int", "float", "string", "abs", "ceil", "floor", "round", "min", "max",
		"now", "date", "duration",
		"all", "any", "none", "one", "filter", "map", "count", "find", "keys", "values", "first", "last",
	}
}

// maxNodes and maxBytes bound the size of an expression. One of a person has 10 to 100 nodes.
const (
	maxNodes = 2000
	maxBytes = 64 << 10
)

// newConfig returns the configuration of expr's parser, without variables.
func newConfig() *conf.Config {
	c := conf.CreateNew()
	c.MaxNodes, c.Strict = maxNodes, true
	allowed := functions()
	for name := range maps.Clone(c.Builtins) {
		if !slices.Contains(allowed, name) {
			c.Disabled[name] = true
			delete(c.Builtins, name)
		}
	}
	return c
}

// declare makes the variables known to the checker, and the functions that the binder calls.
func (v vocabulary) declare(c *conf.Config) {
	env := types.Map{}
	for name, variable := range v {
		env[name] = variable.typeOf()
		if variable.mayBeNil() {
			c.Functions[saidName(name)] = saidFunction(name, variable.field.Type)
		}
	}
	declareSteps(c)
	c.WithEnv(env)
}

// saidName is the name of the function that returns the value of a variable, or fails where it is nil. No expression
// can call it.
func saidName(variable string) string { return "said " + variable }

func saidFunction(variable string, t field.Type) *builtin.Function {
	f := &builtin.Function{
		Name: saidName(variable),
		Func: func(args ...any) (any, error) {
			switch value := args[0].(type) {
			case *int64:
				return *value, nil
			case *bool:
				return *value, nil
			case *time.Time:
				return *value, nil
			}
			return nil, &NotSaidError{Field: variable}
		},
	}
	switch t {
	case field.Int:
		f.Types = []reflect.Type{reflect.TypeFor[func(*int64) int64]()}
	case field.Bool:
		f.Types = []reflect.Type{reflect.TypeFor[func(*bool) bool]()}
	default:
		f.Types = []reflect.Type{reflect.TypeFor[func(*time.Time) time.Time]()}
	}
	return f
}
