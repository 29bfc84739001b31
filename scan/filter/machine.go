package filter

import (
	"errors"
	"fmt"
	"strings"

	"github.com/expr-lang/expr/ast"
	expr "github.com/expr-lang/expr/compiler"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/optimizer"
	"github.com/expr-lang/expr/parser"
	"github.com/expr-lang/expr/vm"

	"headcount/scan"
	"headcount/scan/field"
)

// evaluation is the memory of one evaluation at a time.
type evaluation struct {
	record *scan.Record
	unsaid bool // a value was read that the store did not say, and that a HEAD may have
	steps  steps

	hasHead bool // the Record has what a HEAD says

	text    []byte
	machine vm.VM
	values  map[string]any // of the variables that the program reads
}

// memoryBudget is how many elements of lists a program may make, for one object.
const memoryBudget = 100_000

func newEvaluation() *evaluation {
	e := &evaluation{machine: vm.VM{MemoryBudget: memoryBudget}, steps: steps{stepsMax}}
	e.values = map[string]any{stepsName: &e.steps}
	return e
}

// notSaid notes that the Record has no value of a variable.
func (e *evaluation) notSaid(v *variable) { e.unsaid = e.unsaid || !v.final && !e.hasHead }

// program compiles a node for expr's virtual machine.
func (c *compiler) program(node, written ast.Node, reads []string) func(*evaluation) (bool, error) {
	err := optimizer.Optimize(&node, c.config)
	var program *vm.Program
	if err == nil {
		program, err = expr.Compile(&parser.Tree{Node: node, Source: c.source}, c.config)
	}
	if err != nil {
		if c.err == nil {
			c.err = err
		}
		return nil
	}
	variables := map[string]*variable{}
	for _, name := range reads {
		variables[name] = c.words[name]
	}
	text := written.String()
	return func(e *evaluation) (bool, error) {
		for name, v := range variables {
			value, err := e.value(v)
			if err != nil {
				return false, err
			}
			e.values[name] = value
		}
		result, err := e.machine.Run(program, e.values)
		if err != nil {
			return false, e.explain(err, text, variables)
		}
		switch value := result.(type) {
		case bool:
			return value, nil
		case *bool:
			return *value, nil
		}
		return false, e.explain(fmt.Errorf("the result is %v, and neither true nor false", result), text, variables)
	}
}

// value returns the value of a variable as the machine knows it; nil: it is not said.
func (e *evaluation) value(v *variable) (value any, err error) {
	said := false
	switch {
	case v.part != all || v.field.Type == field.Map:
		return e.texts(v)
	case v.field.Type == field.Int:
		var n int64
		if n, said = v.field.Int(e.record); v.field.Zero {
			return n, nil
		}
		value = &n
	case v.field.Type == field.Bool:
		var is bool
		if is, said = v.field.Bool(e.record); v.field.Zero {
			return is && said, nil
		}
		value = &is
	case v.field.Type == field.Time:
		at, isSaid := v.field.Time(e.record)
		value, said = &at, isSaid
	default:
		e.text, said = v.field.AppendText(e.text[:0], e.record)
		if !said {
			e.notSaid(v)
		}
		return string(e.text), nil
	}
	if !said {
		e.notSaid(v)
		return nil, nil
	}
	return value, nil
}

// texts returns a Map, or a part of it.
func (e *evaluation) texts(v *variable) (any, error) {
	texts, err := e.mapOf(v)
	if err != nil {
		return nil, err
	}
	switch v.part {
	case mapValue:
		return string(texts.Get(v.name)), nil
	case mapHas:
		return texts.Get(v.name) != nil, nil
	}
	values := make(map[string]string, len(texts))
	for i := range texts {
		values[string(texts[i].Name)] = string(texts[i].Value)
	}
	return values, nil
}

// explain returns the error of a program in terms of the expression.
func (e *evaluation) explain(err error, part string, variables map[string]*variable) error {
	var notSaid *NotSaidError
	if errors.As(err, &notSaid) {
		return notSaid
	}
	problem := err.Error()
	var in *file.Error
	if errors.As(err, &in) {
		problem = in.Message
	}
	if strings.Contains(problem, "nil") {
		for name, v := range variables {
			if v.mayBeNil() && e.values[name] == nil {
				return &NotSaidError{Field: name}
			}
		}
	}
	return &EvaluationError{Part: part, Problem: problem}
}
