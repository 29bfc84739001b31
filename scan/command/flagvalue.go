package command

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"headcount/scan/spelling"
)

// A Value is the value of a flag, with a type. Give a pointer to it to a cli.GenericFlag, and read it with Get. A text
// that parse rejects is a usage error.
type Value[T any] struct {
	parse   func(text string) (T, error)
	choices []string // for completion and help; nil: anything else

	value T
	text  string // as the user or the default wrote it; empty: there is no default
}

// Set implements cli.Generic.
func (v *Value[T]) Set(text string) error {
	value, err := v.parse(text)
	if err != nil {
		return err
	}
	v.value, v.text = value, text
	return nil
}

// String implements cli.Generic. It returns the text that the value was parsed from.
func (v *Value[T]) String() string { return v.text }

// Get implements flag.Getter.
func (v *Value[T]) Get() any { return v.value }

func (v *Value[T]) check(text string) error {
	_, err := v.parse(text)
	return err
}

func (v *Value[T]) suggestions() []string    { return v.choices }
func (v *Value[T]) print(text string) string { return text }

// A List is the value of a flag that may be given several times, with one element each time.
type List[T any] struct {
	parse   func(text string) (T, error)
	printed func(text string) string // nil: a text is printed as it is
	values  []T
	texts   []string
}

// Set implements cli.Generic. It appends an element.
func (l *List[T]) Set(text string) error {
	value, err := l.parse(text)
	if err != nil {
		return err
	}
	l.values, l.texts = append(l.values, value), append(l.texts, text)
	return nil
}

// String implements cli.Generic.
func (l *List[T]) String() string { return strings.Join(l.texts, " ") }

// Get implements flag.Getter. It returns the elements in the order of the command line, as a []T.
func (l *List[T]) Get() any { return l.values }

func (l *List[T]) check(text string) error {
	_, err := l.parse(text)
	return err
}

func (l *List[T]) suggestions() []string { return nil }
func (l *List[T]) repeatable()           {}

// PrintedBy makes messages about a text of the List have printed(text) in its place, and returns the List. The text may
// hold a secret.
func (l *List[T]) PrintedBy(printed func(text string) string) *List[T] {
	l.printed = printed
	return l
}

func (l *List[T]) print(text string) string {
	if l.printed == nil {
		return text
	}
	return l.printed(text)
}

// typedValue is what Value and List have in common.
type typedValue interface {
	cli.Generic
	check(text string) error  // an error if text is no value of the flag, if possible with a hint
	suggestions() []string    // the texts that completion and the help name; nil: none
	print(text string) string // of a text in messages, without secrets
}

// Get returns the value of a flag that has a Value[T], or of one with a List, of which T is the slice. It returns the
// zero value if the command has no such flag, as the methods of c do, and panics for a flag of another type.
func Get[T any](c *cli.Context, name string) (value T) {
	if flag, ok := c.Generic(name).(interface{ Get() any }); ok {
		value = flag.Get().(T)
	}
	return value
}

// valueError is the error of a text that is no value of a flag.
type valueError struct{ problem, hint string }

func (e *valueError) Error() string { return e.problem }
func (e *valueError) Hint() string  { return e.hint }

// BadValue returns an error for the parse function of a Value: problem follows the flag and its value in the message,
// as in "--price 1: not two prices". An empty hint becomes the one that names the help.
func BadValue(hint, problem string) error { return &valueError{problem: problem, hint: hint} }

// Parsed returns a Value that parse makes of a text. An empty preset stands for no default: T's zero value.
// Parsed panics if parse refuses preset.
func Parsed[T any](preset string, parse func(text string) (T, error)) *Value[T] {
	v := &Value[T]{parse: parse}
	if preset == "" {
		return v
	}
	if err := v.Set(preset); err != nil {
		panic(err)
	}
	return v
}

// ParsedList returns a List of the elements that parse makes.
func ParsedList[T any](parse func(text string) (T, error)) *List[T] { return &List[T]{parse: parse} }

// Int returns a Value of the whole numbers from least to most; a most of 0 stands for no limit. A preset below least
// stands for no default.
func Int[T int | int64](preset, least, most T) *Value[T] {
	hint := fmt.Sprintf("give a number from %d to %d", least, most)
	if most == 0 {
		hint = fmt.Sprintf("give a number from %d on", least)
	}
	text := strconv.FormatInt(int64(preset), 10)
	if preset < least {
		text = ""
	}
	return Parsed(text, func(text string) (T, error) { return parseInt(text, least, most, "not a whole number", hint) })
}

// AutoInt returns a Value of the whole numbers from least to most and of the word auto. The word is the default, and
// stands for the number auto.
func AutoInt(auto, least, most int) *Value[int] {
	const word = "auto"
	hint := fmt.Sprintf("give a number from %d to %d, or %s", least, most, word)
	v := Parsed(word, func(text string) (int, error) {
		if text == word {
			return auto, nil
		}
		return parseInt(text, least, most, "neither "+word+" nor a whole number", hint)
	})
	v.choices = []string{word}
	return v
}

func parseInt[T int | int64](text string, least, most T, problem, hint string) (T, error) {
	n, err := strconv.ParseInt(text, 0, 64)
	switch {
	case err != nil && !errors.Is(err, strconv.ErrRange):
		return 0, BadValue(hint, problem)
	case err != nil || n < int64(least) || most != 0 && n > int64(most) || int64(T(n)) != n:
		return 0, BadValue(hint, "out of range")
	}
	return T(n), nil
}

// Positive returns a Value of the numbers over 0 and up to most, without a default.
func Positive(most float64) *Value[float64] {
	return Parsed("", func(text string) (float64, error) {
		hint := fmt.Sprintf("give a number over 0, and at most %.0f", most)
		n, err := strconv.ParseFloat(text, 64)
		switch {
		case err != nil && !errors.Is(err, strconv.ErrRange):
			return 0, BadValue(hint, "not a number")
		case !(n > 0 && n <= most): // so that NaN is refused too
			return 0, BadValue(hint, "out of range")
		}
		return n, nil
	})
}

// Fraction returns a Value of the numbers from 0 to 1, without a default.
func Fraction() *Value[float64] {
	return Parsed("", func(text string) (float64, error) {
		const hint = "give a number from 0 to 1"
		n, err := strconv.ParseFloat(text, 64)
		switch {
		case err != nil && !errors.Is(err, strconv.ErrRange):
			return 0, BadValue(hint, "not a number")
		case !(n >= 0 && n <= 1): // so that NaN is refused too
			return 0, BadValue(hint, "out of range")
		}
		return n, nil
	})
}

// Duration returns a Value of the durations from least on. A preset of 0 stands for no default.
func Duration(preset, least time.Duration) *Value[time.Duration] {
	hint := "give a duration as 30s or 15m"
	if least > 1 {
		hint = fmt.Sprintf("give a duration from %v on", least)
	}
	text := ""
	if preset != 0 {
		text = preset.String()
	}
	return Parsed(text, func(text string) (time.Duration, error) {
		d, err := time.ParseDuration(text)
		switch {
		case err != nil:
			return 0, BadValue(hint, "not a duration")
		case d < least:
			return 0, BadValue(hint, "too short")
		}
		return d, nil
	})
}

// PositiveDuration returns a Value of the durations that are longer than 0.
func PositiveDuration(preset time.Duration) *Value[time.Duration] { return Duration(preset, 1) }

// OneOf returns a Value of the texts of choices. An empty preset stands for no default.
func OneOf[T ~string](preset T, choices ...T) *Value[T] {
	texts := texts(choices)
	v := Parsed(string(preset), func(text string) (T, error) {
		if !slices.Contains(texts, text) {
			return "", BadValue(spelling.DidYouMean(text, texts), "not one of "+strings.Join(texts, ", "))
		}
		return T(text), nil
	})
	v.choices = texts
	return v
}

// FileName returns a Value of the names of files. It refuses "-": each flag with a File needs a file of its own, and
// standard output is for the records.
func FileName() *Value[string] {
	return Parsed("", func(text string) (string, error) {
		if text == "-" {
			return "", BadValue("name a file", "not a file")
		}
		return text, nil
	})
}

// InputFileName returns a Value of the names of files that are read, and of "-" for standard input.
func InputFileName() *Value[string] {
	return Parsed("", func(text string) (string, error) { return text, nil })
}

// OutputFileName returns a Value of the names of files, and of "-" for standard output. The value of "-", which is the
// default, is empty.
func OutputFileName() *Value[string] {
	return Parsed("-", func(text string) (string, error) {
		if text == "-" {
			return "", nil
		}
		return text, nil
	})
}

// Subset returns a Value of the names among choices, each at most once, with commas between them: a []T in the order of
// the command line. Its default is nil.
func Subset[T ~string](choices []T) *Value[[]T] {
	texts := texts(choices)
	v := Parsed("", func(text string) ([]T, error) {
		var names []T
		for name := range strings.SplitSeq(text, ",") {
			switch {
			case !slices.Contains(texts, name):
				problem := fmt.Sprintf("%q is not one of %s", name, strings.Join(texts, ", "))
				return nil, BadValue(spelling.DidYouMean(name, texts), problem)
			case slices.Contains(names, T(name)):
				return nil, BadValue("name it once", fmt.Sprintf("%q is named twice", name))
			}
			names = append(names, T(name))
		}
		return names, nil
	})
	v.choices = texts
	return v
}

func texts[T ~string](list []T) []string {
	texts := make([]string, len(list))
	for i := range list {
		texts[i] = string(list[i])
	}
	return texts
}
