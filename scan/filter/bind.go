package filter

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/builtin"
	"github.com/expr-lang/expr/vm/runtime"

	"headcount/scan/field"
)

// binder is the visitor that prepares a tree for the checker. It visits the children of a node before the node.
type binder struct {
	vocabulary vocabulary
	now        time.Time
	variables  int                        // that let has declared
	nesting    map[*ast.PredicateNode]int // of those that were visited
	err        *Error                     // the first one
}

const (
	// letsMax bounds the texts that let can double: let a = key + key; let b = a + a; …
	letsMax = 8

	// nestingMax bounds the loops: any(keys(metadata), all(split(#, "-"), …)) has a nesting of 2.
	nestingMax = 2
)

// Visit implements ast.Visitor.
func (b *binder) Visit(node *ast.Node) {
	switch n := (*node).(type) {
	case *ast.IdentifierNode:
		if strings.HasPrefix(n.Value, "$") {
			b.fail(n, unknownHint("name", b.vocabulary), "unknown field %s", n.Value)
		}
	case *ast.MemberNode:
		b.member(node, n)
	case *ast.BinaryNode:
		b.binary(node, n)
	case *ast.UnaryNode:
		b.demand(&n.Node)
		if n.Operator == "-" {
			b.fold(node, func() any { return runtime.Negate(constantOf(n.Node)) }, n.Node)
		}
	case *ast.ConditionalNode:
		b.demand(&n.Cond)
	case *ast.CallNode:
		if callee, isName := n.Callee.(*ast.IdentifierNode); isName {
			b.fail(n, functionHint(callee.Value), "unknown function %s", callee.Value)
		}
		b.demandAll(n.Arguments)
	case *ast.BuiltinNode:
		b.call(node, n)
	case *ast.VariableDeclaratorNode:
		if b.variables++; b.variables > letsMax {
			b.fail(n, "write the value in place of its name", "more than %d variables", letsMax)
		}
	case *ast.PredicateNode:
		if b.nest(n) > nestingMax {
			b.fail(n, "any, all and the like may have one more in them", "more than %d loops in each other", nestingMax)
		}
	}
}

// member replaces metadata.owner, metadata["owner"] and the like by a variable.
func (b *binder) member(node *ast.Node, n *ast.MemberNode) {
	name, isConstant := n.Property.(*ast.StringNode)
	if of := b.mapOf(n.Node); of != nil && isConstant && !n.Method {
		b.text(node, of, mapValue, name)
		return
	}
	b.demand(&n.Node)
}

// text replaces a node by a variable for one name of a Map. The names that are of headers are in lower case.
func (b *binder) text(node *ast.Node, of *field.Field, p part, name *ast.StringNode) {
	if lower := strings.ToLower(name.Value); lower != name.Value && of.Origin == field.FromHead {
		b.fail(name, fmt.Sprintf("write %q", lower), "the %s name %q has upper-case letters: they are all in "+
			"lower case", of.Name, name.Value)
	}
	ast.Patch(node, b.vocabulary.add(of, p, name.Value))
}

// mapOf returns the Field of a node that is a Map; nil: the node is none.
func (b *binder) mapOf(node ast.Node) *field.Field {
	if _, v := b.vocabulary.of(node); v != nil && v.field.Type == field.Map && v.part == all {
		return v.field
	}
	return nil
}

// binary handles an operator between two operands.
func (b *binder) binary(node *ast.Node, n *ast.BinaryNode) {
	_, leftIsNil := n.Left.(*ast.NilNode)
	_, rightIsNil := n.Right.(*ast.NilNode)
	name, _ := n.Left.(*ast.StringNode)
	switch {
	case n.Operator == "in" && name != nil && b.mapOf(n.Right) != nil:
		b.text(node, b.mapOf(n.Right), mapHas, name)
		return
	case n.Operator == "..":
		b.fail(n, "write x >= 1 && x <= 9", "a filter has no ranges")
	case n.Operator == "??", leftIsNil, rightIsNil:
		return
	case n.Operator == "-":
		if _, v := b.vocabulary.of(n.Left); v != nil && v.part == mapValue {
			b.fail(n, fmt.Sprintf("write %s[%q]", v.field.Name, v.name+"-"+n.Right.String()), "a text cannot be subtracted from")
		}
	}
	b.demand(&n.Left)
	b.demand(&n.Right)
	calculate, calculates := map[string]func(a, b any) any{
		"+": runtime.Add, "-": runtime.Subtract, "*": runtime.Multiply,
		"/": func(a, b any) any { return runtime.Divide(a, b) },
	}[n.Operator]
	if calculates {
		b.fold(node, func() any { return calculate(constantOf(n.Left), constantOf(n.Right)) }, n.Left, n.Right)
	}
}

// call handles a call of a function of expr. It calculates those with constant arguments, so that their errors come
// before the run.
func (b *binder) call(node *ast.Node, n *ast.BuiltinNode) {
	if !slices.Contains(functions(), n.Name) {
		b.fail(n, functionHint(n.Name), "unknown function %s", n.Name)
		return
	}
	switch n.Name {
	case "now":
		if len(n.Arguments) == 0 {
			ast.Patch(node, &ast.ConstantNode{Value: b.now})
			return
		}
	case "date", "duration":
		b.constantCall(node, n)
		return
	case "keys", "values": // a map has no order of its own
		b.demandAll(n.Arguments)
		ast.Patch(node, &ast.BuiltinNode{Name: "sort", Arguments: []ast.Node{n}})
		return
	}
	b.demandAll(n.Arguments)
}

// constantCall replaces date("2025-01-01") by its value.
func (b *binder) constantCall(node *ast.Node, n *ast.BuiltinNode) {
	var args []any
	for _, argument := range n.Arguments {
		value := constantOf(argument)
		text, isText := value.(string)
		switch {
		case value == nil:
			return
		case !isText:
			b.fail(argument, exampleHint, "%s takes texts", n.Name)
			return
		}
		args = append(args, text)
	}
	if len(args) == 0 || n.Name == "duration" && len(args) != 1 || len(args) > 3 {
		return // the checker says what is wrong
	}
	value, err := builtin.Builtins[builtin.Index[n.Name]].Func(args...)
	if err != nil {
		b.fail(n.Arguments[0], constantHint(n.Name, args[0].(string)), "not a %s: %q", n.Name, args[0])
		return
	}
	ast.Patch(node, &ast.ConstantNode{Value: value})
}

// demand makes a variable that may be nil one that fails the evaluation where it is.
func (b *binder) demand(node *ast.Node) {
	name, v := b.vocabulary.of(*node)
	if v == nil || !v.mayBeNil() {
		return
	}
	call := &ast.CallNode{Callee: &ast.IdentifierNode{Value: saidName(name)}, Arguments: []ast.Node{*node}}
	call.Callee.SetLocation((*node).Location())
	ast.Patch(node, call)
}

func (b *binder) demandAll(nodes []ast.Node) {
	for i := range nodes {
		b.demand(&nodes[i])
	}
}

// fold replaces a node by its value if all operands are constants. Operands of wrong types are left to the checker.
func (b *binder) fold(node *ast.Node, calculate func() any, operands ...ast.Node) {
	for _, operand := range operands {
		if constantOf(operand) == nil {
			return
		}
	}
	defer func() { _ = recover() }() // expr panics about wrong types
	switch value := calculate().(type) {
	case int:
		ast.Patch(node, &ast.IntegerNode{Value: value})
	case float64:
		if math.IsNaN(value) || math.IsInf(value, 0) {
			b.fail(*node, "write a number that is not the result of a division by 0, and is below 1e308",
				"%s is not a number", *node)
		}
		ast.Patch(node, &ast.FloatNode{Value: value})
	case string:
		ast.Patch(node, &ast.StringNode{Value: value})
	case time.Time, time.Duration:
		ast.Patch(node, &ast.ConstantNode{Value: value})
	}
}

// constantOf returns the value of a constant: a text, number, time or duration; nil: the node is none.
func constantOf(node ast.Node) any {
	switch n := node.(type) {
	case *ast.StringNode:
		return n.Value
	case *ast.IntegerNode:
		return n.Value
	case *ast.FloatNode:
		return n.Value
	case *ast.ConstantNode:
		return n.Value
	}
	return nil
}

// nest returns how many predicates are in each other, n included.
func (b *binder) nest(n *ast.PredicateNode) int {
	deepest := 0
	ast.Find(n.Node, func(node ast.Node) bool {
		if inner, is := node.(*ast.PredicateNode); is {
			deepest = max(deepest, b.nesting[inner])
		}
		return false
	})
	b.nesting[n] = deepest + 1
	return deepest + 1
}

// fail keeps the first error.
func (b *binder) fail(at ast.Node, hint, format string, args ...any) {
	if b.err == nil {
		b.err = &Error{problem: fmt.Sprintf(format, args...), hint: hint, location: at.Location()}
	}
}
