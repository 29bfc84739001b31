package filter

import (
	"bytes"
	"cmp"
	"regexp"
	"slices"
	"time"

	"github.com/expr-lang/expr/ast"

	"headcount/scan"
	"headcount/scan/field"
)

// direct returns an atom as a function that needs no virtual machine and allocates nothing; nil: the node is none of
// those that have one. They are a variable that is true or false, and a variable that is compared with a constant.
func (c *compiler) direct(node ast.Node) func(*evaluation) (bool, error) {
	if v := c.variable(node); v != nil && v.typeIs(field.Bool) {
		return v.isTrue
	}
	n, _ := node.(*ast.BinaryNode)
	if n == nil {
		return nil
	}
	operator, left, right := n.Operator, n.Left, n.Right
	if turned := turnedAround(operator); turned != "" && c.variable(left) == nil {
		operator, left, right = turned, right, left
	}
	v := c.variable(left)
	switch {
	case v == nil:
		return nil
	case v.typeIs(field.Text):
		return v.compareText(operator, right)
	case v.typeIs(field.Int):
		return v.compareNumber(operator, right)
	case v.typeIs(field.Time):
		return v.compareTime(operator, right)
	}
	return nil
}

// turnedAround returns the operator for exchanged operands; empty: there is none.
func turnedAround(operator string) string {
	return map[string]string{"==": "==", "!=": "!=", "<": ">", ">": "<", "<=": ">=", ">=": "<="}[operator]
}

// variable returns the variable that a node reads, whether nil fails or not.
func (c *compiler) variable(node ast.Node) *variable {
	if call, is := node.(*ast.CallNode); is && len(call.Arguments) == 1 {
		if name, v := c.words.of(call.Arguments[0]); v != nil {
			if callee, is := call.Callee.(*ast.IdentifierNode); is && callee.Value == saidName(name) {
				return v
			}
		}
		return nil
	}
	_, v := c.words.of(node)
	return v
}

// typeIs reports whether the variable has values of a type.
func (v *variable) typeIs(t field.Type) bool {
	switch v.part {
	case mapHas:
		return t == field.Bool
	case mapValue:
		return t == field.Text
	}
	return t == v.field.Type
}

// require returns an error if a value is not said, and must be.
func (e *evaluation) require(v *variable, said bool) error {
	if said || v.field.Zero {
		return nil
	}
	e.notSaid(v)
	return &NotSaidError{Field: v.field.Name}
}

// mapOf returns the Map of which a variable is a part.
func (e *evaluation) mapOf(v *variable) (texts scan.Map, err error) {
	texts, said := v.field.Map(e.record)
	if said {
		return texts, nil
	}
	if e.notSaid(v); v.mustBeSaid() {
		return nil, &NotSaidError{Field: v.field.Name}
	}
	return nil, nil
}

func (v *variable) isTrue(e *evaluation) (bool, error) {
	if v.part == mapHas {
		texts, err := e.mapOf(v)
		return texts.Get(v.name) != nil, err
	}
	value, said := v.field.Bool(e.record)
	return value && said, e.require(v, said)
}

// readText returns the value of a text. It is valid until the next call.
func (v *variable) readText(e *evaluation) ([]byte, error) {
	if v.part == mapValue {
		texts, err := e.mapOf(v)
		return texts.Get(v.name), err
	}
	said := false
	if e.text, said = v.field.AppendText(e.text[:0], e.record); !said {
		e.notSaid(v)
	}
	return e.text, nil
}

func (v *variable) compareText(operator string, with ast.Node) func(*evaluation) (bool, error) {
	holds := textTest(operator, with)
	if holds == nil {
		return nil
	}
	return func(e *evaluation) (bool, error) {
		text, err := v.readText(e)
		return err == nil && holds(text), err
	}
}

// textTest returns a comparison of a text with a constant.
func textTest(operator string, with ast.Node) func(text []byte) bool {
	if list, isList := with.(*ast.ArrayNode); isList && operator == "in" {
		var values []string
		for _, node := range list.Nodes {
			value, isText := node.(*ast.StringNode)
			if !isText {
				return nil
			}
			values = append(values, value.Value)
		}
		return func(text []byte) bool {
			return slices.ContainsFunc(values, func(value string) bool { return string(text) == value })
		}
	}
	constant, isText := with.(*ast.StringNode)
	if !isText {
		return nil
	}
	value := []byte(constant.Value)
	switch operator {
	case "==":
		return func(text []byte) bool { return bytes.Equal(text, value) }
	case "!=":
		return func(text []byte) bool { return !bytes.Equal(text, value) }
	case "startsWith":
		return func(text []byte) bool { return bytes.HasPrefix(text, value) }
	case "endsWith":
		return func(text []byte) bool { return bytes.HasSuffix(text, value) }
	case "contains":
		return func(text []byte) bool { return bytes.Contains(text, value) }
	case "matches":
		if pattern, err := regexp.Compile(constant.Value); err == nil {
			return pattern.Match
		}
	}
	if holds := orderTest(operator); holds != nil {
		return func(text []byte) bool { return holds(bytes.Compare(text, value)) }
	}
	return nil
}

func (v *variable) compareNumber(operator string, with ast.Node) func(*evaluation) (bool, error) {
	if _, isNil := with.(*ast.NilNode); isNil {
		return v.compareNil(operator, func(r *scan.Record) bool { _, said := v.field.Int(r); return said })
	}
	holds := orderTest(operator)
	if holds == nil {
		return nil
	}
	var compare func(n int64) int
	switch constant := constantOf(with).(type) {
	case int:
		compare = func(n int64) int { return cmp.Compare(n, int64(constant)) }
	case float64:
		compare = func(n int64) int { return cmp.Compare(float64(n), constant) }
	default:
		return nil
	}
	return func(e *evaluation) (bool, error) {
		n, said := v.field.Int(e.record)
		if err := e.require(v, said); err != nil {
			return false, err
		}
		return holds(compare(n)), nil
	}
}

func (v *variable) compareTime(operator string, with ast.Node) func(*evaluation) (bool, error) {
	if _, isNil := with.(*ast.NilNode); isNil {
		return v.compareNil(operator, func(r *scan.Record) bool { _, said := v.field.Time(r); return said })
	}
	holds := orderTest(operator)
	constant, isTime := constantOf(with).(time.Time)
	if holds == nil || !isTime {
		return nil
	}
	return func(e *evaluation) (bool, error) {
		at, said := v.field.Time(e.record)
		if err := e.require(v, said); err != nil {
			return false, err
		}
		return holds(at.Compare(constant)), nil
	}
}

// compareNil returns the comparison of a variable with nil.
func (v *variable) compareNil(operator string, isSaid func(*scan.Record) bool) func(*evaluation) (bool, error) {
	if operator != "==" && operator != "!=" || !v.mayBeNil() {
		return nil
	}
	return func(e *evaluation) (bool, error) {
		said := isSaid(e.record)
		if !said {
			e.notSaid(v)
		}
		return said == (operator == "!="), nil
	}
}

// orderTest returns the test of an operator on the result of a comparison; nil: it is no operator of a comparison.
func orderTest(operator string) func(compared int) bool {
	switch operator {
	case "==":
		return func(compared int) bool { return compared == 0 }
	case "!=":
		return func(compared int) bool { return compared != 0 }
	case "<":
		return func(compared int) bool { return compared < 0 }
	case "<=":
		return func(compared int) bool { return compared <= 0 }
	case ">":
		return func(compared int) bool { return compared > 0 }
	case ">=":
		return func(compared int) bool { return compared >= 0 }
	}
	return nil
}
