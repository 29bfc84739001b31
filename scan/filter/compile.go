package filter

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/checker"
	"github.com/expr-lang/expr/conf"
	"github.com/expr-lang/expr/parser"

	"headcount/scan/field"
)

// compileAt compiles an expression in which now() is a given time.
func compileAt(expression string, now time.Time) (f *Filter, err error) {
	defer func() { // a bug of expr must not end the program with a trace
		if r := recover(); r != nil {
			f, err = nil, (&Error{problem: fmt.Sprintf("internal error: %v", r), hint: exampleHint}).in(expression)
		}
	}()
	switch {
	case !utf8.ValidString(expression):
		return nil, (&Error{problem: "the expression is not UTF-8"}).in("")
	case len(expression) > maxBytes:
		return nil, (&Error{problem: fmt.Sprintf("the expression has more than %d bytes", maxBytes)}).in("")
	}
	config, words := newConfig(), newVocabulary()
	written, tree, mistake := parse(expression, config, words, now)
	if mistake == nil {
		mistake = check(tree, config, words)
	}
	if mistake != nil {
		return nil, mistake.in(expression)
	}
	c := &compiler{config: config, words: words, source: tree.Source}
	f = &Filter{text: written.String(), whole: c.formula(tree.Node, written, false)}
	if c.err != nil {
		return nil, newError(c.err, words).in(expression)
	}
	f.words, f.texts = words, words.texts()
	f.headed = f.whole.half(func(v *variable) bool { return v.field.Origin == field.FromRequest })
	f.readFrom(func(v *variable) (listed, final bool) { return v.field.Origin == field.FromList, false })
	for _, each := range field.Every() {
		if c.reads[each.Name] {
			f.fields = append(f.fields, each)
		}
	}
	return f, nil
}

// parse returns the tree of an expression twice: as it is written, and for the checker.
func parse(expression string, config *conf.Config, words vocabulary, now time.Time) (
	written ast.Node, tree *parser.Tree, mistake *Error,
) {
	first, err := parser.ParseWithConfig(expression, config)
	if err != nil {
		return nil, nil, newError(err, words)
	}
	tree, err = parser.ParseWithConfig(expression, config)
	if err != nil {
		return nil, nil, newError(err, words)
	}
	b := &binder{vocabulary: words, now: now, nesting: map[*ast.PredicateNode]int{}}
	ast.Walk(&tree.Node, b)
	b.demand(&tree.Node)
	ast.Walk(&first.Node, parentheses{})
	return first.Node, tree, b.err
}

// parentheses is the visitor that puts parentheses around nodes which expr writes without. The tree is for people only.
type parentheses struct{}

// Visit implements ast.Visitor.
func (parentheses) Visit(node *ast.Node) {
	switch n := (*node).(type) {
	case *ast.ConditionalNode, *ast.VariableDeclaratorNode, *ast.SequenceNode:
		ast.Patch(node, &ast.IdentifierNode{Value: "(" + n.String() + ")"})
	}
}

// check checks the types, and makes the tree spend steps. It returns the mistake that it finds.
func check(tree *parser.Tree, config *conf.Config, words vocabulary) *Error {
	words.declare(config)
	result, err := checker.Check(tree, config)
	if err != nil {
		return newError(err, words)
	}
	kind := typeName.ReplaceAllStringFunc(result.String(), wordFor)
	if tree.Node.Nature().Nil {
		kind = "nil"
	}
	if result.Kind() != reflect.Bool && result.Kind() != reflect.Interface || kind == "nil" {
		return &Error{
			problem: "the type of the filter is " + kind + ", and neither true nor false",
			hint:    exampleHint, location: tree.Node.Location(),
		}
	}
	c := &nilChecker{}
	if ast.Walk(&tree.Node, c); c.err != nil {
		return c.err
	}
	ast.Walk(&tree.Node, newMeter(tree.Node))
	return nil
}

// nilChecker is the visitor that refuses comparisons with nil that have the same result for every object.
type nilChecker struct{ err *Error }

// Visit implements ast.Visitor.
func (c *nilChecker) Visit(node *ast.Node) {
	n, _ := (*node).(*ast.BinaryNode)
	if n == nil || c.err != nil || !slices.Contains([]string{"==", "!=", "??"}, n.Operator) {
		return
	}
	for _, sides := range [][2]ast.Node{{n.Left, n.Right}, {n.Right, n.Left}} {
		_, otherIsNil := sides[1].(*ast.NilNode)
		if n.Operator == "??" {
			otherIsNil = sides[0] == n.Left
		}
		if !otherIsNil {
			continue
		}
		switch sides[0].Type().Kind() {
		case reflect.Pointer, reflect.Interface, reflect.Slice:
		default:
			c.err = &Error{
				problem: fmt.Sprintf("%s is never nil", sides[0]), location: n.Location(),
				hint: neverNilHint(sides[0].Type().Kind(), sides[0]),
			}
		}
	}
}

// isBoolean reports whether a node is an operator of a formula.
func isBoolean(node ast.Node) bool {
	switch n := node.(type) {
	case *ast.UnaryNode:
		return n.Operator == "!" || n.Operator == "not"
	case *ast.BinaryNode:
		return isAnd(n) || n.Operator == "||" || n.Operator == "or"
	}
	return false
}

func isAnd(n *ast.BinaryNode) bool { return n.Operator == "&&" || n.Operator == "and" }

// literalText returns how an atom, or its negation, is written in a formula.
func literalText(written ast.Node, negated bool) string {
	text := written.String()
	switch n := written.(type) {
	case *ast.BinaryNode:
		if !negated {
			return text
		}
		opposite := map[string]string{"==": "!=", "!=": "==", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}[n.Operator]
		switch {
		case opposite != "":
			return (&ast.BinaryNode{Operator: opposite, Left: n.Left, Right: n.Right}).String()
		case n.Operator == "in":
			left, _ := strings.CutSuffix(text, " in "+n.Right.String())
			return left + " not in " + n.Right.String()
		}
	}
	if negated {
		return "not (" + text + ")"
	}
	return text
}
