package filter

import (
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"strconv"
	"strings"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/builtin"
	"github.com/expr-lang/expr/file"

	"headcount/scan/field"
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
		e.hint = `a character that stands for itself has two backslashes before it: key matches "\\(1\\)\\.parquet$"`
	default:
		e.problem = typeName.ReplaceAllStringFunc(in.Message, wordFor)
		for _, known := range messageHints() {
			if known.of.MatchString(in.Message) {
				e.hint = known.hint
				break
			}
		}
	}
	return e
}

type messageHint struct {
	of   *regexp.Regexp // messages of expr
	hint string
}

// messageHints returns the hints about messages of expr. The first that matches counts.
func messageHints() []messageHint {
	return []messageHint{
		{regexp.MustCompile(`operation: (not|!) `), "not and ! come before all other operators: write not (a == b)"},
		{regexp.MustCompile(`invalid char escape`), `a backslash is written twice in a text: key matches "\\.parquet$"`},
		{regexp.MustCompile(`bad number syntax`), "a number has no unit, and a size is in bytes: size > 10e6"},
		{regexp.MustCompile(`time\.(Month|Weekday)`), "int(last_modified.Month()) is a number from 1 to 12, and " +
			"int(last_modified.Weekday()) one from 0, for Sunday, to 6"},
		{regexp.MustCompile(`string.*time\.Time|time\.Time.*string`), `write a time as date("2025-01-31")`},
		{
			regexp.MustCompile(`string.*\b(int|int64|float64)\b|\b(int|int64|float64)\b.*string`),
			"int(metadata.name) makes a number of a text, and string(size) a text of a number",
		},
	}
}

const exampleHint = `an example is metadata.owner == "alice" && size > 1e6`

// unknownHint returns what to write in place of a name that is unknown.
func unknownHint(name string, v vocabulary) string {
	unknown := &field.UnknownError{Name: name, Among: v.fields()}
	if hint := unknown.Hint(); hint != "" {
		return hint
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

// neverNilHint returns what to write in place of a comparison with nil of a value of this kind, which is never nil.
func neverNilHint(kind reflect.Kind, value ast.Node) string {
	switch kind {
	case reflect.Bool:
		return fmt.Sprintf("it is false where the store did not say it: write not %s", value)
	case reflect.Int, reflect.Int64, reflect.Float64:
		return fmt.Sprintf("it is 0 where the store did not say it: write %s == 0", value)
	case reflect.Map:
		return fmt.Sprintf("it is empty for an object without any: write len(%s) == 0", value)
	}
	return `a text that the store did not say is empty: write == "" or != ""; ` +
		`"owner" in metadata tells an empty value from none`
}

// constantHint returns what to write in place of a text that the function date or duration refuses.
func constantHint(function, text string) string {
	if function == "duration" {
		if found := daysOrWeeks.FindStringSubmatch(text); found != nil {
			number, _ := strconv.Atoi(found[1])
			hours := 24
			if found[2] == "w" {
				hours *= 7
			}
			return fmt.Sprintf(`the longest unit is the hour: write duration("%dh")`, number*hours)
		}
		return `write hours, minutes or seconds: duration("120h"), duration("1h30m")`
	}
	const hint = `write date("2025-01-31") or date("2025-01-31T12:00:00Z")`
	for _, missing := range []string{"Z", ":00", ":00Z", "-01", "-01-01"} {
		if _, err := builtin.Builtins[builtin.Index["date"]].Func(text + missing); err == nil {
			return fmt.Sprintf("write date(%q)", text+missing)
		}
	}
	return hint
}

// daysOrWeeks matches durations in units that expr does not know.
var daysOrWeeks = regexp.MustCompile(`^(\d{1,6}) ?(d|w)(?:ays?|eeks?)?$`)

// typeName matches the names of types in messages of expr.
var typeName = regexp.MustCompile(
	`\*?\b(time\.(?:Time|Duration|Month|Weekday)|map\[string\]string|string|int64|int|float64)\b|` +
		`\*?\[\](string|interface \{\}|any)`)

// wordFor returns the word of the README for a type.
func wordFor(typeName string) string {
	switch name := strings.TrimPrefix(typeName, "*"); name {
	case "string":
		return "text"
	case "time.Time":
		return "time"
	case "time.Duration", "time.Month", "time.Weekday":
		return strings.ToLower(strings.TrimPrefix(name, "time."))
	case "int", "int64", "float64":
		return "number"
	case "map[string]string":
		return "map"
	}
	return "list"
}

// NotSaidError is the error of an evaluation that needs a value that the store did not say.
type NotSaidError struct {
	Field  string
	Prefix bool // the Record is not of an object, but of a common prefix
}

func (e *NotSaidError) Error() string {
	if e.Prefix {
		return "a prefix has no " + e.Field
	}
	return e.Field + " is not said for this object"
}

// Hint implements the contract of package exit.
func (e *NotSaidError) Hint() string {
	if e.Prefix {
		return "write prefix || … in the filter to print the prefixes, or not prefix && … to leave them out"
	}
	return fmt.Sprintf("write %[1]s != nil && … in the filter, or %[1]s == nil || …", e.Field)
}

// EvaluationError is any other error of an evaluation.
type EvaluationError struct {
	Part    string // of the expression
	Problem string
}

func (e *EvaluationError) Error() string { return fmt.Sprintf("%s: %s", e.Part, e.Problem) }
