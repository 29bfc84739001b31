package filter

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"headcount/scan/exit"
	"headcount/scan/field"
)

// Mistakes are found before the run, with their place, and a hint.
func TestMistakes(t *testing.T) {
	for _, c := range []struct{ expression, want, hint string }{
		{`size == "x"`, "column 6: invalid operation: == (mismatched types number and text)", "string(size)"},
		{`key > 5`, "column 5: invalid operation: > (mismatched types text and number)", "int(metadata.name)"},
		{`metadata.owner > 3`, "column 16: invalid operation: > (mismatched types text and number)", "int(metadata.name)"},
		{`last_modified < "2025-01-01"`, "column 15: invalid operation: < (mismatched types time and text)", `date("2025-01-31")`},
		{`last_modified < date("2025-13-01")`, `column 22: not a date: "2025-13-01"`, `date("2025-01-31")`},
		{`now() - last_modified > duration("5 days")`, `column 34: not a duration: "5 days"`, `duration("120h")`},
		{`date(5) < now()`, "column 6: date takes texts", "an example"},
		{`date() < now()`, "column 1: invalid number of arguments (expected at least 1, got 0)", "an example"},
		{`key matches "["`, "column 5: not a regular expression: missing closing ]: `[`", `"\\(1\\)`},
		{`key matches "a" + "("`, "column 5: not a regular expression: missing closing ): `a(`", "two backslashes"},
		{`key matches "\.parquet$"`, "column 15: invalid char escape", `\\.parquet$`},
		{`not key == "b"`, "column 1: invalid operation: not (mismatched type text)", "not (a == b)"},
		{`size > 1 && !metadata.owner in ["a"]`, "column 13: invalid operation: ! (mismatched type text)", "not (a == b)"},
		{`size > 10MB`, `column 10: bad number syntax: "10M"`, "10e6"},
		{`last_modified.Month() == 5`, "column 23: invalid operation: == (mismatched types month and number)", "int(last_modified.Month())"},
		{`changed == nil`, "column 9: changed is never nil", "write not changed"},
		{`missing_meta != nil`, "column 14: missing_meta is never nil", "write missing_meta == 0"},
		{`metadata == nil`, "column 10: metadata is never nil", "len(metadata) == 0"},
		{`now() - last_modified > duration("30d")`, `column 34: not a duration: "30d"`, `duration("720h")`},
		{`now() - last_modified > duration("2w")`, `column 34: not a duration: "2w"`, `duration("336h")`},
		{`date("2025-01") < now()`, `column 6: not a date: "2025-01"`, `date("2025-01-01")`},
		{`date("2025-01-31T12:00:00") < now()`, `column 6: not a date: "2025-01-31T12:00:00"`, `date("2025-01-31T12:00:00Z")`},
		{`date("2025-01-31 12:00") < now()`, `column 6: not a date: "2025-01-31 12:00"`, `date("2025-01-31 12:00:00")`},
		{`checksum == "CRC32"`, "column 1: unknown field checksum", "did you mean checksums?"},
		{`key == "a" || sise > 5`, "column 15: unknown field sise", "did you mean size?"},
		{`owner == "alice"`, "column 1: unknown field owner", "custom metadata is metadata.owner; the fields are annotations, "},
		{`$env.size > 5`, "column 1: unknown field $env", "the fields are"},
		{`lowr(key) == ""`, "column 1: unknown function lowr", "did you mean lower?"},
		{`repeat(key, 1000) == ""`, "column 1: unknown function repeat", "the functions are len, "},
		{`reduce(keys(metadata), #acc + #) == ""`, "column 1: unknown function reduce", "the functions are len, "},
		{`metadata.Owner == "x"`, `column 10: the metadata name "Owner" has upper-case letters: they are all in lower case`, `write "owner"`},
		{`"Owner" in metadata`, `column 1: the metadata name "Owner" has upper-case letters: they are all in lower case`, `write "owner"`},
		{`metadata.x-y == ""`, "column 11: a text cannot be subtracted from", `write metadata["x-y"]`},
		{`metadata.owner != nil`, "column 16: metadata.owner is never nil", `"owner" in metadata`},
		{`nil == object_lock_mode`, "column 5: object_lock_mode is never nil", `write == ""`},
		{`(metadata.owner ?? "x") == "x"`, "column 17: metadata.owner is never nil", `write == ""`},
		{`size + 1`, "column 6: the type of the filter is number, and neither true nor false", "an example"},
		{`nil`, "column 1: the type of the filter is nil, and neither true nor false", "an example"},
		{`size >`, "column 6: unexpected end", "an example"},
		{`key = "a"`, "column 5: unexpected =", "== compares"},
		{`size > 0.0 / 0`, "column 12: 0 / 0 is not a number", "division by 0"},
		{`not (size < 1 / 0)`, "column 15: 1 / 0 is not a number", "division by 0"},
		{`size < -(1e308 * 10)`, "column 16: 1e+308 * 10 is not a number", "below 1e308"},
		{`size > 5)`, `column 9: unexpected token Bracket(")")`, "an example"},
		{"size > 5 &&\n  sise == 4", "line 2, column 3: unknown field sise", "did you mean size?"},
		{`size in 1..5`, "column 10: a filter has no ranges", "x >= 1 && x <= 9"},
		{`any(keys(metadata), any(keys(metadata), any(keys(metadata), true)))`, "column 21: more than 2 loops in each other", "one more"},
		{strings.Repeat(`let a = key; `, 9) + "true", "column 5: more than 8 variables", "in place of its name"},
		{strings.Repeat("!", 3000) + "true", "column 3004: the expression is too long", ""},
		{strings.Repeat("(", 100_000) + "true", "column 1: the expression has more than 65536 bytes", ""},
		{"key == \"\xff\"", "column 1: the expression is not UTF-8", ""},
	} {
		_, err := Compile(c.expression)
		var mistake *Error
		if !errors.As(err, &mistake) || err.Error() != c.want || !strings.Contains(exit.Hint(err), c.hint) {
			t.Errorf("%.80s: %v (%s), want %s (%s)", c.expression, err, exit.Hint(err), c.want, c.hint)
		}
	}
}

// The place is in bytes, since letters have several.
func TestPlace(t *testing.T) {
	_, err := Compile("key == \"größe\"\n\t&& \"日本\" == sise")
	line, at, ok := exit.Place(err)
	if got := fmt.Sprintf("%s|%s", line[:at], line[at:]); !ok || got != "\t&& \"日本\" == |sise" {
		t.Errorf("%s, %v", got, ok)
	}
}

// The page names every function, and every Field of the LIST, and shows the error of an example.
func TestREADME(t *testing.T) {
	page, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, list, _ := strings.Cut(string(page), "\nFunctions: ")
	list, _, _ = strings.Cut(list, ". Ranges")
	named := regexp.MustCompile("[a-zA-Z0-9]+").FindAllString(list, -1)
	if !slices.Equal(named, functions()) {
		t.Errorf("the page has the functions %v, and there are %v", named, functions())
	}
	_, list, _ = strings.Cut(string(page), "what the LIST can decide: the fields ")
	list, _, _ = strings.Cut(list, ". ")
	for _, f := range field.All() {
		if isNamed := strings.Contains(list, "`"+f.Name+"`"); isNamed != (f.Origin == field.FromList) {
			t.Errorf("the page says that the LIST has %s: %v", f.Name, isNamed)
		}
	}
	_, err = Compile(`size > 1 && last_modified < date("2025-13-01")`)
	if err == nil || !strings.Contains(string(page), "error: --filter: "+err.Error()) || !strings.Contains(string(page), exit.Hint(err)) {
		t.Errorf("the page does not show %v", err)
	}
}
