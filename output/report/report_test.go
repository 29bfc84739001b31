package report

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"headcount/output/console"
	"headcount/scan"
	"headcount/scan/exit"
	"headcount/scan/forecast"
	"headcount/scan/metrics"
)

func textReporter(text *bytes.Buffer) *Reporter {
	return &Reporter{Status: console.NewStatusLine(text)}
}

func TestFailuresArePrintable(t *testing.T) {
	evil := &scan.ObjectError{
		Op: "HEAD", Target: "s3://b/k\x1b]0;title\a\n", Class: "forbidden", Attempts: 2, Err: errors.New("no\x1b[31m\nerror: more\xff"),
	}
	var text bytes.Buffer
	textReporter(&text).PrintFailures([]*scan.ObjectError{evil}, 1234)
	want := `headcount: failed: HEAD s3://b/k\x1b]0;title\a\n: no\x1b[31m\nerror: more\xff (forbidden, 2 tries)` +
		"\nheadcount: failed: and 1,234 more\n"
	if text.String() != want {
		t.Errorf("%q, want\n%q", text.String(), want)
	}
}

// With JSON, every line on standard error is a JSON object.
func TestJSON(t *testing.T) {
	var text bytes.Buffer
	r := Config{JSON: true}.Open(&bytes.Buffer{}, &text)
	r.PrintFailures([]*scan.ObjectError{{Op: "HEAD", Target: "s3://b/k\x1b", Status: 403, Class: "forbidden", Attempts: 1}}, 5)
	stats := &metrics.Stats{Outcomes: metrics.Outcomes{Listed: 7, Failed: 7}}
	r.PrintSummary(stats)
	r.PrintForecastSummary(&forecast.Stats{Stats: stats, DryRun: &forecast.Forecast{Objects: 7}})
	r.PrintResumeHint("c")
	err := r.ReportError(exit.Errorf(exit.Failures, "look", "6 objects failed"))
	if exit.Code(err) != exit.Failures || !exit.IsReported(err) {
		t.Errorf("%v: exit %d", err, exit.Code(err))
	}
	if err := r.ReportError(nil); err != nil {
		t.Error(err)
	}
	var got []map[string]any
	for line := range strings.Lines(text.String()) {
		var object map[string]any
		if err := json.Unmarshal([]byte(line), &object); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		got = append(got, object)
	}
	if len(got) != 6 {
		t.Fatalf("%d lines:\n%s", len(got), text.String())
	}
	if got[0]["target"] != "s3://b/k\x1b" || got[0]["status"] != 403. || got[1]["objects"] != 5. {
		t.Error(got[:2])
	}
	if stats, ok := got[2]["stats"].(map[string]any); !ok || stats["listed"] != 7. || stats["complete"] != false {
		t.Error(got[2])
	}
	if stats, ok := got[3]["stats"].(map[string]any); !ok || stats["dry_run"].(map[string]any)["objects"] != 7. {
		t.Error(got[3])
	}
	if got[4]["checkpoint"] != "c" {
		t.Error(got[4])
	}
	if got[5]["msg"] != "6 objects failed" || got[5]["hint"] != "look" || got[5]["level"] != "ERROR" {
		t.Error(got[5])
	}
}

// --log-level does not hide the result of a run, and --quiet does.
func TestResultHasNoLevel(t *testing.T) {
	for _, c := range []struct {
		config Config
		lines  int
	}{
		{Config{JSON: true, Level: slog.LevelError}, 2}, {Config{JSON: true, Quiet: true}, 0},
	} {
		var text bytes.Buffer
		r := c.config.Open(nil, &text)
		r.Log.Warn("not shown")
		r.PrintSummary(&metrics.Stats{Complete: true})
		r.PrintResumeHint("c")
		if lines := strings.Count(text.String(), "\n"); lines != c.lines {
			t.Errorf("%+v: %d lines, want %d:\n%s", c.config, lines, c.lines, text.String())
		}
	}
}

// A run that failed before it had an object has no summary. An empty bucket has one.
func TestNoSummaryOfNothing(t *testing.T) {
	for want, stats := range map[string]*metrics.Stats{
		"":             {},
		"complete: ":   {Complete: true},
		"not complete": {Heads: 1},
	} {
		for _, asJSON := range []bool{false, true} {
			var text bytes.Buffer
			Config{JSON: asJSON}.Open(nil, &text).PrintSummary(stats)
			if found := strings.Contains(text.String(), strings.TrimSuffix(want, ": ")); !found || want == "" && text.Len() > 0 {
				t.Errorf("%+v: %q", stats, text.String())
			}
		}
	}
}

func TestSummaryNamesTheLimiter(t *testing.T) {
	for by, want := range map[string]string{
		"store": "store", "listing": "listing", "cpu": "this machine's CPU", "rate": "--rate", "output": "writing the output",
	} {
		var text bytes.Buffer
		textReporter(&text).PrintSummary(&metrics.Stats{
			Heads: 1, Workers: 184, InFlight: 1472, SteadyHeadsPerSecond: 41_200.7, LimitedBy: by,
		})
		if line := "\n1,472 in flight, 41,200 HEAD/s, limited by: " + want + "\n"; !strings.Contains(text.String(), line) {
			t.Errorf("%s, want %s", text.String(), line)
		}
	}
}

// Further requests are counted whether they succeed or not.
func TestSummaryOfFurtherRequests(t *testing.T) {
	var text bytes.Buffer
	textReporter(&text).PrintSummary(&metrics.Stats{Heads: 1, Requests: map[string]map[string]int64{
		"head": {"200": 1}, "tags": {"403": 1200, "200": 40, "timeout": 2}, "annotations": {"200": 7},
	}})
	want := "\nfurther requests: 7 for annotations, 1,242 for tags (failed: 1,200 by 403, 2 by timeout)\n"
	if !strings.Contains(text.String(), want) {
		t.Errorf("%s, want %s", text.String(), want)
	}
}

// A run that has sent no HEAD has no speed, and nothing has limited it.
func TestSummaryWithoutHEADs(t *testing.T) {
	var text bytes.Buffer
	textReporter(&text).PrintSummary(&metrics.Stats{Complete: true, Workers: 32, InFlight: 32, LimitedBy: "listing", DurationSeconds: 2})
	if got := text.String(); !strings.Contains(got, "\nno HEAD sent in 2.0 s\n") || strings.Contains(got, "limited by") {
		t.Error(got)
	}
}

func TestQuiet(t *testing.T) {
	var text bytes.Buffer
	r := Config{Quiet: true}.Open(nil, &text)
	r.PrintSummary(&metrics.Stats{})
	r.PrintForecastSummary(&forecast.Stats{Stats: &metrics.Stats{}, DryRun: &forecast.Forecast{}})
	r.PrintResumeHint("c")
	r.LogRepeats()
	r.Log.Warn("warning")
	if text.Len() > 0 {
		t.Errorf("%s", text.String())
	}
	r.Log.Error("an error")
	if !strings.Contains(text.String(), "an error") {
		t.Error("errors are quiet too")
	}
}

// Where known keys were refused, the summary says that they may be missing.
func TestSummaryOfDeniedLists(t *testing.T) {
	for _, denied := range []bool{true, false} {
		var text bytes.Buffer
		textReporter(&text).PrintSummary(&metrics.Stats{
			Complete: true, ListDenied: denied, Heads: 2, Outcomes: metrics.Outcomes{Listed: 1, Failed: 1},
		})
		if got := strings.Contains(text.String(), "\nthe bucket may not be listed (s3:ListBucket): "); got != denied {
			t.Error(text.String())
		}
	}
}
