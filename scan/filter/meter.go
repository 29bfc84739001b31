package filter

import (
	"fmt"
	"reflect"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/builtin"
	"github.com/expr-lang/expr/conf"
)

// stepsMax bounds the time of one object: an expression may split texts in a loop over texts. A step takes 1 to 60 ns,
// so an evaluation ends after about 0.1 s. A loop over the words of 8 kB, in a loop over 30 names of metadata, takes
// 300,000 steps.
const stepsMax = 2_000_000

// How many steps an operation takes for each byte of its texts, or for each element of its lists.
const (
	readSteps   = 1   // lower, split and the like, in a loop
	matchSteps  = 32  // of the text that a regular expression is matched with, in a loop
	regexpSteps = 256 // of a regular expression that is no constant, in a loop
	joinSteps   = 40  // of the text that + makes: it may be an operand of everything else, and of another +
)

// steps are those that are left for an object.
type steps struct{ left int }

func (s *steps) spend(n int) error {
	if s.left -= n; s.left < 0 {
		s.left = 0
		return fmt.Errorf("the object takes more than %d steps", stepsMax)
	}
	return nil
}

// The names of the variable that holds the steps, and of the functions that spend them. No expression can name them.
const (
	stepsName = "the steps"
	loopName  = "spend for a loop"
	readName  = "spend for a value"
)

// declareSteps makes the functions known to the compiler. They return their last argument.
func declareSteps(c *conf.Config) {
	for name, size := range map[string]func(value any, enough int) int{loopName: length, readName: bytesOf} {
		c.Functions[name] = &builtin.Function{
			Name: name,
			Func: func(args ...any) (any, error) {
				s, weight, value := args[0].(*steps), args[1].(int), args[2]
				return value, s.spend(weight * (1 + size(value, s.left)))
			},
		}
	}
}

// length returns the number of the elements of a list.
func length(value any, _ int) int {
	if v := reflect.ValueOf(value); v.Kind() == reflect.Slice || v.Kind() == reflect.Map {
		return v.Len()
	}
	return 0
}

// bytesOf returns the number of the bytes and the elements of a text, or of a list and all in it. It stops counting
// where they are enough.
func bytesOf(value any, enough int) (n int) {
	if text, is := value.(string); is {
		return len(text)
	}
	switch v := reflect.ValueOf(value); v.Kind() {
	case reflect.Slice:
		for i := 0; i < v.Len() && n <= enough; i++ {
			n += 1 + bytesOf(v.Index(i).Interface(), enough-n)
		}
	case reflect.Map:
		for each := v.MapRange(); n <= enough && each.Next(); {
			n += 1 + bytesOf(each.Key().Interface(), enough) + bytesOf(each.Value().Interface(), enough-n)
		}
	}
	return n
}

// meter is the visitor that makes a checked tree spend steps: at the begin of each loop those of its nodes, for each
// element; in a loop also those of the texts and lists that an operation reads; and everywhere those of texts that +
// makes. The rest of an expression is evaluated once, in a time that its length bounds.
type meter struct {
	inLoop map[ast.Node]bool
}

func newMeter(root ast.Node) *meter {
	m := &meter{map[ast.Node]bool{}}
	ast.Find(root, func(node ast.Node) bool {
		if loop, is := node.(*ast.PredicateNode); is {
			ast.Find(loop.Node, func(inner ast.Node) bool {
				m.inLoop[inner] = true
				return false
			})
		}
		return false
	})
	return m
}

// Visit implements ast.Visitor.
func (m *meter) Visit(node *ast.Node) {
	switch n := (*node).(type) {
	case *ast.BuiltinNode:
		if len(n.Arguments) == 2 {
			if loop, is := n.Arguments[1].(*ast.PredicateNode); is {
				spend(&n.Arguments[0], loopName, 1+countNodes(loop.Node))
				return
			}
		}
		if m.inLoop[n] {
			for i := range n.Arguments {
				spendFor(&n.Arguments[i], readSteps)
			}
		}
	case *ast.BinaryNode:
		switch {
		case n.Operator == "+":
			spendFor(node, joinSteps)
		case m.inLoop[n]:
			m.operands(n)
		}
	}
}

// operands makes an operator in a loop spend steps for its operands.
func (m *meter) operands(n *ast.BinaryNode) {
	left, right := 0, 0
	switch n.Operator {
	case "matches":
		left, right = matchSteps, regexpSteps
	case "contains":
		left = readSteps
	case "in":
		if n.Right.Type().Kind() != reflect.Map {
			right = readSteps
		}
	case "==", "!=":
		if n.Left.Type().Kind() != reflect.String && n.Right.Type().Kind() != reflect.String {
			left = readSteps // lists are compared one element after the other
		}
	}
	if left > 0 {
		spendFor(&n.Left, left)
	}
	if right > 0 {
		spendFor(&n.Right, right)
	}
}

// spendFor makes a node that may be a text or a list spend steps for its size. Constants cost nothing.
func spendFor(node *ast.Node, weight int) {
	switch (*node).(type) {
	case *ast.StringNode, *ast.ArrayNode, *ast.ConstantNode:
		return
	}
	switch (*node).Type().Kind() {
	case reflect.String, reflect.Slice, reflect.Map, reflect.Interface:
		spend(node, readName, weight)
	}
}

// spend replaces a node by a call that spends steps and returns the value of the node.
func spend(node *ast.Node, function string, weight int) {
	callee := &ast.IdentifierNode{Value: function}
	callee.SetType(reflect.TypeFor[func(s, weight, value any) any]())
	left, factor := &ast.IdentifierNode{Value: stepsName}, &ast.IntegerNode{Value: weight}
	left.SetType(reflect.TypeFor[*steps]())
	factor.SetType(reflect.TypeFor[int]())
	call := &ast.CallNode{Callee: callee, Arguments: []ast.Node{left, factor, *node}}
	call.SetNature(*(*node).Nature())
	ast.Patch(node, call)
}

func countNodes(root ast.Node) (n int) {
	ast.Find(root, func(ast.Node) bool {
		n++
		return false
	})
	return n
}
