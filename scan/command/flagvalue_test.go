package command

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"headcount/scan/exit"
)

// Every type of flag accepts its texts, with their values, and refuses the others.
func TestValues(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "empty.pem")
	if err := os.WriteFile(empty, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	workers := func() typedValue { return AutoInt(-1, 1, 16) }
	rate := func() typedValue { return Positive(100) }
	fraction := func() typedValue { return Fraction() }
	duration := func() typedValue { return PositiveDuration(time.Second) }
	style := func() typedValue { return OneOf("auto", "auto", "path", "virtual") }
	ways := func() typedValue { return Subset([]string{"floor", "direct", "sdk"}) }
	for _, c := range []struct {
		value func() typedValue
		text  string
		want  any    // the value; nil: it is refused
		err   string // why
		hint  string
	}{
		{workers, "auto", -1, "", ""},
		{workers, "1", 1, "", ""},
		{workers, "0x10", 16, "", ""},
		{workers, "many", nil, "neither auto nor a whole number", "give a number from 1 to 16, or auto"},
		{workers, "17", nil, "out of range", "give a number from 1 to 16, or auto"},
		{workers, "99999999999999999999", nil, "out of range", "give a number from 1 to 16, or auto"},
		{func() typedValue { return Int(3, 1, 0) }, "2000000000000", 2000000000000, "", ""},
		{func() typedValue { return Int(3, 1, 0) }, "0", nil, "out of range", "give a number from 1 on"},
		{func() typedValue { return Int[int64](3, 1, 4) }, "4", int64(4), "", ""},
		{func() typedValue { return Int[int64](3, 1, 4) }, "5", nil, "out of range", "give a number from 1 to 4"},
		{func() typedValue { return Int[int64](3, 1, 4) }, "1.5", nil, "not a whole number", "give a number from 1 to 4"},
		{rate, "0.5", 0.5, "", ""},
		{rate, "0", nil, "out of range", "give a number over 0, and at most 100"},
		{rate, "-1", nil, "out of range", "give a number over 0, and at most 100"},
		{rate, "101", nil, "out of range", "give a number over 0, and at most 100"},
		{rate, "NaN", nil, "out of range", "give a number over 0, and at most 100"},
		{rate, "1e999", nil, "out of range", "give a number over 0, and at most 100"},
		{rate, "many", nil, "not a number", "give a number over 0, and at most 100"},
		{fraction, "0", 0., "", ""},
		{fraction, "1", 1., "", ""},
		{fraction, "1.01", nil, "out of range", "give a number from 0 to 1"},
		{fraction, "-0.1", nil, "out of range", "give a number from 0 to 1"},
		{fraction, "NaN", nil, "out of range", "give a number from 0 to 1"},
		{fraction, "some", nil, "not a number", "give a number from 0 to 1"},
		{duration, "30s", 30 * time.Second, "", ""},
		{duration, "1ns", time.Nanosecond, "", ""},
		{duration, "0s", nil, "too short", "give a duration as 30s or 15m"},
		{duration, "-1m", nil, "too short", "give a duration as 30s or 15m"},
		{duration, "soon", nil, "not a duration", "give a duration as 30s or 15m"},
		{func() typedValue { return Duration(time.Hour, time.Minute) }, "59s", nil, "too short", "give a duration from 1m0s on"},
		{style, "path", "path", "", ""},
		{style, "vitrual", nil, "not one of auto, path, virtual", "did you mean virtual?"},
		{style, "sideways", nil, "not one of auto, path, virtual", ""},
		{ways, "sdk,floor", []string{"sdk", "floor"}, "", ""},
		{ways, "sdk,curl", nil, `"curl" is not one of floor, direct, sdk`, ""},
		{ways, "sdk,", nil, `"" is not one of floor, direct, sdk`, ""},
		{ways, "sdk,sdk", nil, `"sdk" is named twice`, "name it once"},
		{func() typedValue { return FileName() }, "o.jsonl", "o.jsonl", "", ""},
		{func() typedValue { return FileName() }, "-", nil, "not a file", "name a file"},
		{func() typedValue { return OutputFileName() }, "o.jsonl", "o.jsonl", "", ""},
		{func() typedValue { return OutputFileName() }, "-", "", "", ""},
		{func() typedValue { return CABundle() }, "nowhere.pem", nil, "no such file or directory", "write --ca-bundle FILE: certificates in PEM"},
		{func() typedValue { return CABundle() }, empty, nil, "the file has no certificate", "write --ca-bundle FILE: certificates in PEM"},
	} {
		v := c.value()
		err := v.check(c.text)
		if before := v.String(); (err == nil) != (c.want != nil) || before != c.value().String() {
			t.Errorf("%T %q: %v, and check has set %q", v, c.text, err, before)
			continue
		}
		if err != nil {
			if err.Error() != c.err || exit.Hint(err) != c.hint || v.Set(c.text) == nil {
				t.Errorf("%T %q: %v (%s), want %s (%s)", v, c.text, err, exit.Hint(err), c.err, c.hint)
			}
			continue
		}
		if err := v.Set(c.text); err != nil {
			t.Error(err)
		}
		got := v.(interface{ Get() any }).Get()
		if names, ok := got.([]string); ok {
			if !slices.Equal(names, c.want.([]string)) {
				t.Errorf("%q: %q", c.text, names)
			}
		} else if got != c.want {
			t.Errorf("%T %q: %v, want %v", v, c.text, got, c.want)
		}
	}
}

// The text of a value before it is set is its default in the help.
func TestDefaults(t *testing.T) {
	for want, v := range map[string]typedValue{
		"auto": AutoInt(0, 1, 16), "8": Int(8, 1, 16), "1m30s": PositiveDuration(90 * time.Second), "path": OneOf("path", "path"), "-": OutputFileName(),
	} {
		if v.String() != want {
			t.Errorf("%q, want %q", v.String(), want)
		}
	}
	for _, v := range []typedValue{Int(0, 1, 16), Positive(1), PositiveDuration(0), OneOf("", "path"), FileName(), Subset([]string{"a"})} {
		if v.String() != "" {
			t.Errorf("%T has the default %q", v, v)
		}
	}
}

func TestList(t *testing.T) {
	l := ParsedList(parseEndpoint)
	if got := l.Get().([]string); len(got) != 0 {
		t.Errorf("%q", got)
	}
	for _, url := range []string{"http://one", "https://two"} {
		if err := l.Set(url); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.Set("ftp://three"); err == nil {
		t.Error("ftp is accepted")
	}
	if got := l.Get().([]string); !slices.Equal(got, []string{"http://one", "https://two"}) {
		t.Errorf("%q", got)
	}
}
