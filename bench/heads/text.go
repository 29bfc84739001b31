package heads

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode"
)

// What the page and the chart say where a figure was not measured.
const notMeasured = "–"

// measurableMax is beyond any figure of a store; what is over it, or is no number, is shown as noFigure and drawn
// nowhere.
const measurableMax = 1e15

func isMeasured(v float64) bool { return v >= 0 && v <= measurableMax } // NaN is neither

// countText groups by thousands: 12,345.
func countText(n int64) string {
	digits := strconv.FormatInt(n, 10)
	first := 0
	if n < 0 {
		first = 1
	}
	for i := len(digits) - 3; i > first; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

// wholeMax is as large as figures are written in full.
const wholeMax = 1e9

// figureText has three significant digits below a hundred, and whole numbers with groups from there.
func figureText(v float64) string {
	switch {
	case !isMeasured(v):
		return notMeasured
	case v >= wholeMax:
		return strconv.FormatFloat(v, 'g', 3, 64)
	case v >= 99.95:
		return countText(int64(math.Round(v)))
	case v >= 9.995:
		return strconv.FormatFloat(v, 'f', 1, 64)
	case v == 0:
		return "0"
	case v >= 0.01:
		return strconv.FormatFloat(v, 'f', 2, 64)
	}
	return strconv.FormatFloat(v, 'g', 2, 64)
}

// withUnit leaves the unit away where there is no figure.
func withUnit(figure, unit string) string {
	if figure == notMeasured {
		return figure
	}
	return figure + " " + unit
}

func millisText(ms float64) string { return withUnit(figureText(ms), "ms") }

// rateText is of HEADs per second, of which no fraction matters, but for the slowest.
func rateText(rate float64) string {
	if rate >= 10 && rate < wholeMax {
		return countText(int64(math.Round(rate)))
	}
	return figureText(rate)
}

func workersText(n int) string {
	if n == 1 {
		return "1 worker"
	}
	return countText(int64(n)) + " workers"
}

// commandText is what a shell would read as the same arguments.
func commandText(args []string) string {
	quoted := make([]string, len(args))
	for i, arg := range args {
		quoted[i] = arg
		if arg == "" || strings.ContainsFunc(arg, isShellSpecial) {
			quoted[i] = "'" + strings.ReplaceAll(arg, "'", `'\''`) + "'"
		}
	}
	return strings.Join(quoted, " ")
}

func isShellSpecial(r rune) bool {
	return r <= ' ' || strings.ContainsRune("|&;<>()$`\\\"'*?[]#~!{}\u007f", r)
}

// limitText is what LimitedBy means in a sentence.
func limitText(by string) string {
	switch by {
	case "store":
		return "the store"
	case "cpu":
		return "the CPU here"
	case "rate":
		return "the planned rate"
	case "machine":
		return "what else ran on this machine"
	case "workers":
		return "the number of workers"
	}
	return orNone(by)
}

func orNone(text string) string {
	if text == "" {
		return notMeasured
	}
	return text
}

// kneeText is the knee in half a sentence; empty: there is none.
func (r *Report) kneeText() string {
	k := r.Knee
	if k == nil {
		return ""
	}
	for _, s := range successfulByWorkers(r.Steps) {
		if s.Workers > k.Workers {
			return fmt.Sprintf("; more than %s (%s HEADs/s) bring little but latency", workersText(k.Workers), rateText(k.HeadsPerSecond))
		}
	}
	return "; nothing shows that more would not bring more"
}

// errorTextMax is as much as is shown of why something failed, in bytes: an answer may be quoted in it.
const errorTextMax = 300

// printable has a text in one line, with nothing in it that a terminal would obey.
func printable(text string) string {
	text = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, text)
	if text = oneLine(text); len(text) > errorTextMax {
		text = strings.ToValidUTF8(text[:errorTextMax], "") + "…"
	}
	return text
}
