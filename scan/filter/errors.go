package filter

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/expr-lang/expr/file"

	"headcount/scan/spelling"
)

// Error is a mistake in an expression.
type Error struct {
	problem  string
	hint     string
	location file.Location // in runes of the expression

	line   string // of the expression
	number int    // of the line, from 1
	column int    // in the line, in runes, from 1
}

func (e *Error) Error() string {
	if e.number > 1 {
		return fmt.Sprintf("line %d, column %d: %s", e.number, e.column, e.problem)
	}
	return fmt.Sprintf("column %d: %s", e.column, e.problem)
}

// Hint implements the contract of package exit.
func (e *Error) Hint() string { return e.hint }

// Place implements the contract of package exit.
func (e *Error) Place() (line string, at int) {
	return e.line, len(string([]rune(e.line)[:e.column-1]))
}

// in returns e with its place in an expression.
func (e *Error) in(expression string) *Error {
	runes := []rune(expression)
	at := min(e.location.From, len(runes))
	before := string(runes[:at])
	rest, _, _ := strings.Cut(string(runes[at:]), "\n")
	start := strings.LastIndexByte(before, '\n') + 1
	e.number = 1 + strings.Count(before, "\n")
	e.line, e.column = before[start:]+rest, 1+len([]rune(before[start:]))
	return e
}

// newError returns an error of expr's parser or checker in terms of the Fields.
func newError(err error, v vocabulary) *Error {
	var in *file.Error
	if !errors.As(err, &in) {
		return &Error{problem: err.Error(), hint: exampleHint}
	}
	e := &Error{problem: in.Message, hint: exampleHint, location: in.Location}
	name, isUnknown := strings.CutPrefix(in.Message, "unknown name ")
	switch {
	case isUnknown:
		e.problem, e.hint = "unknown field "+name, unknownHint(name, v)
	case strings.Contains(in.Message, "token EOF"):
		e.problem = "unexpected end"
	case in.Message == `unexpected token Operator("=")`:
		e.problem, e.hint = "unexpected =", "== compares"
	case strings.Contains(in.Message, "maximum allowed nodes"):
		e.problem, e.hint = "the expression is too long", ""
	case strings.HasPrefix(in.Message, "error parsing regexp"):
		e.problem = "not a regular expression: " + strings.TrimPrefix(in.Message, "error parsing regexp: ")
		e.hint = "a backslash is written twice in a text: key matches \"\\\\.parquet$\""
	default:
		e.problem = typeName.ReplaceAllStringFunc(in.Message, wordFor)
		hasText := strings.Contains(in.Message, "string")
		switch {
		case hasText && strings.Contains(in.Message, "time.Time"):
			e.hint = `write a time as date("2025-01-31")`
		case hasText && strings.Contains(e.problem, "number"):
			e.hint = "int(metadata.name) makes a number of a text, and string(size) a text of a number"
		}
	}
	return e
}

const exampleHint = `an example is metadata.owner == "alice" && size > 1e6`

// unknownHint returns what to write in place of a name that is unknown.
func unknownHint(name string, v vocabulary) string {
	if question := spelling.DidYouMean(name, v.fields()); question != "" {
		return question
	}
	return fmt.Sprintf("custom metadata is metadata.%s; the fields are %s", name, strings.Join(v.fields(), ", "))
}

// functionHint returns what to write in place of the name of a function that is unknown.
func functionHint(name string) string {
	if question := spelling.DidYouMean(name, functions()); question != "" {
		return question
	}
	return "the functions are " + strings.Join(functions(), ", ")
}

// typeName matches the names of types in messages of expr.
var typeName = regexp.MustCompile(
	`\*?\b(time\.Time|time\.Duration|map\[string\]string|string|int64|int|float64)\b|\*?\[\](string|interface \{\}|any)`)

// wordFor returns the word of the README for a type.
func wordFor(typeName string) string {
	switch name := strings.TrimPrefix(typeName, "*"); name {
	case "string":
		return "text"
	case "time.Time":
		return "time"
	case "time.Duration":
		return "duration"
	case "int", "int64", "float64":
		return "number"
	case "map[string]string":
		return "map"
	}
	return "list"
}

// NotSaidError is the error of an evaluation that needs a value that the store did not say.
type NotSaidError struct{ Field string }

func (e *NotSaidError) Error() string { return e.Field + " is not said for this object" }

// Hint implements the contract of package exit.
func (e *NotSaidError) Hint() string {
	return fmt.Sprintf("write %[1]s != nil && … in the filter, or %[1]s == nil || …", e.Field)
}

// EvaluationError is any other error of an evaluation.
type EvaluationError struct {
	Part    string // of the expression
	Problem string
}

func (e *EvaluationError) Error() string { return fmt.Sprintf("%s: %s", e.Part, e.Problem) }
