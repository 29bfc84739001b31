package exit

import (
	"errors"
	"fmt"
	"testing"
)

type codedError int

func (e codedError) Error() string { return "coded" }
func (e codedError) ExitCode() int { return int(e) }

func TestCode(t *testing.T) {
	for _, c := range []struct {
		err  error
		want int
	}{
		{nil, Complete},
		{errors.New("x"), Fatal},
		{Usagef("", "x"), Usage},
		{Errorf(Missed, "", "x"), Missed},
		{WithHint(errors.New("x"), "do y"), Fatal},
		{WithHint(codedError(Failures), "do y"), Failures},
		{fmt.Errorf("scan: %w", codedError(Interrupt)), Interrupt},
	} {
		if got := Code(c.err); got != c.want {
			t.Errorf("%v: exit %d, want %d", c.err, got, c.want)
		}
	}
}

func TestHint(t *testing.T) {
	inner := WithHint(errors.New("x"), "inner")
	for _, c := range []struct {
		err  error
		want string
	}{
		{nil, ""},
		{errors.New("x"), ""},
		{codedError(Failures), ""},
		{Usagef("do y", "x"), "do y"},
		{Reported(Usagef("do y", "x")), "do y"},
		{fmt.Errorf("LIST: %w", inner), "inner"},
		{WithHint(inner, "outer"), "outer"},
		{WithHint(inner, ""), "inner"},
	} {
		if got := Hint(c.err); got != c.want {
			t.Errorf("%v: hint %q, want %q", c.err, got, c.want)
		}
	}
}

func TestIsSilent(t *testing.T) {
	for err, want := range map[error]bool{nil: true, codedError(Pipe): true, codedError(Output): false, codedError(Fatal): false} {
		if got := IsSilent(err); got != want {
			t.Errorf("%v: %v, want %v", err, got, want)
		}
	}
}

// If a code promises that every record is written, a failing close of standard output is an error.
func TestPromisesOutput(t *testing.T) {
	for code, want := range map[int]bool{Complete: true, Failures: true, Missed: true, Fatal: false, Output: false, Pipe: false} {
		if got := PromisesOutput(code); got != want {
			t.Errorf("exit %d: %v", code, got)
		}
	}
}

func TestReported(t *testing.T) {
	err := Errorf(Failures, "do y", "x")
	if IsReported(err) || !IsReported(Reported(err)) || Code(Reported(err)) != Failures {
		t.Errorf("%v, %v, %d", IsReported(err), IsReported(Reported(err)), Code(Reported(err)))
	}
}
