package heads

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode"

	"headcount/output/console"
)

// notMeasured stands for a figure that was not measured, on the page and in the chart.
const notMeasured = "–"

// measurableMax is above any figure of a store. A figure above it, or NaN, is shown as notMeasured and not drawn.
const measurableMax = 1e15

func isMeasured(v float64) bool { return v >= 0 && v <= measurableMax } // false for NaN

// wholeMax is the figure from which exponents are used.
const wholeMax = 1e9

// figureText formats a figure with three significant digits below a hundred, and as a whole number with commas from
// there.
func figureText(v float64) string {
	switch {
	case !isMeasured(v):
		return notMeasured
	case v >= wholeMax:
		return strconv.FormatFloat(v, 'g', 3, 64)
	case v >= 99.95:
		return console.Number(int64(math.Round(v)))
	case v >= 9.995:
		return strconv.FormatFloat(v, 'f', 1, 64)
	case v == 0:
		return "0"
	case v >= 0.01:
		return strconv.FormatFloat(v, 'f', 2, 64)
	}
	return strconv.FormatFloat(v, 'g', 2, 64)
}

// withUnit appends the unit, unless there is no figure.
func withUnit(figure, unit string) string {
	if figure == notMeasured {
		return figure
	}
	return figure + " " + unit
}

func millisText(ms float64) string { return withUnit(figureText(ms), "ms") }

// rateText formats HEADs per second: as a whole number, unless it is below 10.
func rateText(rate float64) string {
	if rate >= 10 && rate < wholeMax {
		return console.Number(int64(math.Round(rate)))
	}
	return figureText(rate)
}

func workersText(n int) string { return console.Count(int64(n), "worker", "workers") }

// commandText quotes arguments for a shell.
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

// limitText describes a value of Step.LimitedBy for people.
func limitText(by string) string {
	switch by {
	case limitStore:
		return "the store"
	case limitCPU:
		return "this machine's CPU"
	case limitRate:
		return "the planned rate (--rate)"
	case limitMachine:
		return "other processes on this machine"
	case limitWorkers:
		return "the number of workers (--workers)"
	}
	return orNone(by)
}

func orNone(text string) string {
	if text == "" {
		return notMeasured
	}
	return text
}

// kneeText describes the knee in half a sentence; empty: there is none.
func (r *Report) kneeText() string {
	k := r.Knee
	if k == nil {
		return ""
	}
	for _, s := range successfulByWorkers(r.Steps) {
		if s.Workers > k.Workers {
			return fmt.Sprintf(
				"; more than %s (%s HEADs/s) mostly add latency",
				workersText(k.Workers),
				rateText(k.HeadsPerSecond),
			)
		}
	}
	return "; more workers might bring more throughput"
}

// errorTextMax is the number of bytes of an error that are shown. An error may quote a whole answer.
const errorTextMax = 300

// printable puts a text into one line, without characters that a terminal would obey.
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
