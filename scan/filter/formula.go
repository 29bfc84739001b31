package filter

import (
	"slices"
	"strings"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/conf"
	"github.com/expr-lang/expr/file"
)

// formula is a boolean expression in negation normal form. It is evaluated from left to right, and no further than the
// result needs.
type formula struct {
	kind  kind
	parts []formula // of and, or

	// Of a literal.
	atom    *atom
	negated bool
	text    string
}

type kind uint8

const (
	literal kind = iota
	always       // true
	never        // false
	and
	or
)

// atom is a part of an expression that is evaluated as a whole.
type atom struct {
	evaluate func(*evaluation) (bool, error)
	reads    []*variable
}

// compiler makes the formula of a checked tree.
type compiler struct {
	config *conf.Config
	words  vocabulary
	source file.Source
	reads  map[string]bool // the names of the Fields
	err    error           // the first one
}

// formula returns the formula of a node, or of its negation. written is the node before the binder has changed it.
func (c *compiler) formula(node, written ast.Node, negated bool) formula {
	switch n := node.(type) {
	case *ast.BoolNode:
		if n.Value != negated {
			return formula{kind: always}
		}
		return formula{kind: never}
	case *ast.UnaryNode:
		if isBoolean(n) {
			return c.formula(n.Node, written.(*ast.UnaryNode).Node, !negated)
		}
	case *ast.BinaryNode:
		if isBoolean(n) {
			w, k := written.(*ast.BinaryNode), or
			if isAnd(n) != negated { // De Morgan
				k = and
			}
			left, right := c.formula(n.Left, w.Left, negated), c.formula(n.Right, w.Right, negated)
			return join(k, left, right)
		}
	}
	return formula{atom: c.atom(node, written), negated: negated, text: literalText(written, negated)}
}

// join returns the formula of two parts. A part of the same kind is dissolved.
func join(k kind, parts ...formula) formula {
	f := formula{kind: k}
	for _, part := range parts {
		if part.kind == k {
			f.parts = append(f.parts, part.parts...)
		} else {
			f.parts = append(f.parts, part)
		}
	}
	return f
}

// atom compiles a node that is no operator of a formula.
func (c *compiler) atom(node, written ast.Node) *atom {
	a := &atom{}
	var reads []string
	ast.Find(node, func(n ast.Node) bool {
		if name, v := c.words.of(n); v != nil {
			reads = append(reads, name)
			a.reads = append(a.reads, v)
			if c.reads == nil {
				c.reads = map[string]bool{}
			}
			c.reads[v.field.Name] = true
		}
		return false
	})
	if a.evaluate = c.direct(node); a.evaluate == nil {
		a.evaluate = c.program(node, written, reads)
	}
	return a
}

// half returns the formula in which true stands for each literal that reads a variable which is not known yet.
func (f *formula) half(isUnknown func(*variable) bool) formula {
	switch f.kind {
	case literal:
		if slices.ContainsFunc(f.atom.reads, isUnknown) {
			return formula{kind: always}
		}
	case and, or:
		neutral, decisive := always, never
		if f.kind == or {
			neutral, decisive = never, always
		}
		half := formula{kind: f.kind}
		for i := range f.parts {
			switch part := f.parts[i].half(isUnknown); part.kind {
			case neutral:
			case decisive:
				return part
			default:
				half = join(f.kind, half, part)
			}
		}
		switch len(half.parts) {
		case 0:
			return formula{kind: neutral}
		case 1:
			return half.parts[0]
		}
		return half
	}
	return *f
}

// passes evaluates the formula.
func (f *formula) passes(e *evaluation) (bool, error) {
	switch f.kind {
	case literal:
		value, err := f.atom.evaluate(e)
		return value != f.negated, err
	case and, or:
		for i := range f.parts {
			value, err := f.parts[i].passes(e)
			if err != nil || value == (f.kind == or) {
				return value, err
			}
		}
		return f.kind == and, nil
	}
	return f.kind == always, nil
}

// mayPass evaluates the formula with true for each literal that cannot be decided: its evaluation fails, or it reads a
// value that is not said.
func (f *formula) mayPass(e *evaluation) bool {
	switch f.kind {
	case literal:
		e.unsaid = false
		value, err := f.atom.evaluate(e)
		return err != nil || e.unsaid || value != f.negated
	case and, or:
		for i := range f.parts {
			if f.parts[i].mayPass(e) == (f.kind == or) {
				return f.kind == or
			}
		}
		return f.kind == and
	}
	return f.kind == always
}

// String returns the formula as an expression.
func (f *formula) String() string {
	switch f.kind {
	case literal:
		return f.text
	case always:
		return "true"
	case never:
		return "false"
	}
	operator := map[kind]string{and: " && ", or: " || "}[f.kind]
	texts := make([]string, len(f.parts))
	for i := range f.parts {
		if texts[i] = f.parts[i].String(); f.parts[i].kind == and || f.parts[i].kind == or {
			texts[i] = "(" + texts[i] + ")"
		}
	}
	return strings.Join(texts, operator)
}
