package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"headcount/output/console"
	"headcount/scan"
	"headcount/scan/command"
	"headcount/scan/exit"
	"headcount/scan/metrics"
)

// The line that a terminal shows, after a hundred seconds of 100 objects and 110 HEADs a second.
func TestProgressLine(t *testing.T) {
	for _, c := range []struct {
		name     string
		progress metrics.Progress
		columns  int
		want     string
	}{
		{"listing", metrics.Progress{Listed: 12_000, Settled: 10_000, Heads: 11_000, Failed: 3}, 110,
			"10,000 of 12,000 listed so far, 110 HEAD/s, 3 failed"},
		{"a total", metrics.Progress{Listed: 40_000, ListedAll: true, Settled: 10_000, Heads: 11_000, Failed: 3}, 110,
			"25% |██████                  | 10,000 of 40,000, 110 HEAD/s, 3 failed, 4m33s left"},
		{"a narrow terminal", metrics.Progress{Listed: 40_000, ListedAll: true, Settled: 10_000, Heads: 11_000}, 40,
			"25% |██████                  | 10,000 o"},
		{"no terminal to speak of", metrics.Progress{Listed: 40_000, ListedAll: true, Settled: 10_000}, 0, ""},
		{"nothing settled", metrics.Progress{Listed: 1_000, ListedAll: true}, 110,
			"0% |                        | 0 of 1,000, 0 HEAD/s, 0 failed"},
		{"everything settled", metrics.Progress{Listed: 10_000, ListedAll: true, Settled: 10_000, Heads: 11_000}, 110,
			"100% |████████████████████████| 10,000 of 10,000, 110 HEAD/s, 0 failed"},
		{"an empty bucket", metrics.Progress{ListedAll: true}, 110, "0 of 0 listed so far, 0 HEAD/s, 0 failed"},
	} {
		began := time.Now()
		heads := &rate{at: began}
		got := progressLine(c.progress, heads, began.Add(100*time.Second), c.columns)
		if got != c.want {
			t.Errorf("%s:\n%s, want\n%s", c.name, got, c.want)
		}
		if n := utf8.RuneCountInString(got); n > max(0, c.columns-1) {
			t.Errorf("%s: %d characters in %d columns", c.name, n, c.columns)
		}
	}
}

// A total that comes late changes neither the rate nor the time that is left.
func TestProgressLineAfterListing(t *testing.T) {
	now := time.Now()
	heads := &rate{at: now}
	p := metrics.Progress{Listed: 90_000}
	for range 100 {
		now = now.Add(barPeriod)
		p.Settled, p.Heads = p.Settled+500, p.Heads+500
		progressLine(p, heads, now, 110)
	}
	p.ListedAll = true
	p.Settled += 900 // in a burst
	if got := progressLine(p, heads, now.Add(barPeriod), 110); !strings.HasPrefix(got, "56% |") || !strings.HasSuffix(got, ", 8s left") {
		t.Error(got)
	}
}

func TestLogProgress(t *testing.T) {
	var text bytes.Buffer
	log := slog.New(slog.NewTextHandler(&text, nil))
	began := time.Now()
	heads := &rate{at: began}
	p := metrics.Progress{Listed: 40_000, ListedAll: true, Settled: 3_000, Heads: 3_300, Failed: 2}
	logProgress(log, p, heads, began.Add(30*time.Second))
	want := "msg=scanning objects=3000 listed=40000 listed_all=true heads_per_second=110 failed=2\n"
	if !strings.HasSuffix(text.String(), want) {
		t.Errorf("%s, want %s", text.String(), want)
	}
}

// Each line takes the place of the one before it, and the only escape sequence is the one that clears a line: nothing is
// coloured, with or without NO_COLOR.
func TestScreen(t *testing.T) {
	var text bytes.Buffer
	s := console.NewStatusLine(&text)
	heads := &rate{at: time.Now()}
	s.Draw(progressLine(metrics.Progress{Listed: 2_000, Settled: 10}, heads, time.Now(), 110))
	s.Draw(progressLine(metrics.Progress{Listed: 2_000, ListedAll: true, Settled: 1_000}, heads, time.Now(), 110))
	console.PrintLine(s, "a line")
	console.PrintLine(s, "another")
	s.Draw("drawn")
	s.Draw("")
	got := regexp.MustCompile(`[0-9,]+ HEAD/s`).ReplaceAllString(text.String(), "N HEAD/s")
	got = regexp.MustCompile(`, [0-9hms]+ left`).ReplaceAllString(got, "")
	want := "10 of 2,000 listed so far, N HEAD/s, 0 failed" + console.ClearLine +
		"50% |████████████            | 1,000 of 2,000, N HEAD/s, 0 failed" + console.ClearLine +
		"a line\nanother\ndrawn" + console.ClearLine
	if got != want {
		t.Errorf("%q, want\n%q", got, want)
	}
}

// What follows a run calls its progress no more once it is stopped, and leaves nothing drawn.
func TestFollow(t *testing.T) {
	var text bytes.Buffer
	v := &voice{screen: console.NewStatusLine(&text), draws: true}
	seen := make(chan struct{})
	stop := v.follow(func() metrics.Progress {
		select {
		case seen <- struct{}{}:
		default:
		}
		return metrics.Progress{Listed: 7}
	})
	<-seen
	<-seen
	stop()
	if !strings.HasPrefix(text.String(), "0 of 7 listed so far") || !strings.HasSuffix(text.String(), console.ClearLine) {
		t.Errorf("%q", text.String())
	}
}

func TestVoiceIsPrintable(t *testing.T) {
	evil := &scan.ObjectError{
		Op: "HEAD", Target: "s3://b/k\x1b]0;title\a\n", Class: "forbidden", Attempts: 2, Err: errors.New("no\x1b[31m\nerror: more\xff"),
	}
	const shown = `HEAD s3://b/k\x1b]0;title\a\n: no\x1b[31m\nerror: more\xff`
	var text bytes.Buffer
	(&voice{screen: console.NewStatusLine(&text)}).failures([]*scan.ObjectError{evil}, 1234)
	command.PrintError(&text, exit.Usagef("a\nhint", "%v", evil))
	want := "headcount: failed: " + shown + " (forbidden, 2 tries)\nheadcount: failed: and 1,234 more\nheadcount: error: " + shown + "\nheadcount: hint: a\\nhint\n"
	if text.String() != want {
		t.Errorf("%q, want\n%q", text.String(), want)
	}
}

// With --log-format json everything on standard error is a line of JSON.
func TestJSONVoice(t *testing.T) {
	var text bytes.Buffer
	v := voiceConfig{json: true}.open(&bytes.Buffer{}, &text)
	v.failures([]*scan.ObjectError{{Op: "HEAD", Target: "s3://b/k\x1b", Status: 403, Class: "forbidden", Attempts: 1}}, 5)
	v.account(&metrics.Stats{Outcomes: metrics.Outcomes{Listed: 7, Failed: 7}})
	err := v.tell(&objectsFailed{count: 6, hint: "look"})
	if exit.Code(err) != exit.Failures {
		t.Errorf("%v: exit %d", err, exit.Code(err))
	}
	command.PrintError(&text, err) // once is enough
	var got []map[string]any
	for line := range strings.Lines(text.String()) {
		var object map[string]any
		if err := json.Unmarshal([]byte(line), &object); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		got = append(got, object)
	}
	if len(got) != 4 {
		t.Fatalf("%d lines:\n%s", len(got), text.String())
	}
	if got[0]["target"] != "s3://b/k\x1b" || got[0]["status"] != 403. || got[1]["objects"] != 5. {
		t.Error(got[:2])
	}
	if stats, ok := got[2]["stats"].(map[string]any); !ok || stats["listed"] != 7. || stats["complete"] != false {
		t.Error(got[2])
	}
	if got[3]["msg"] != "6 objects failed" || got[3]["hint"] != "look" || got[3]["level"] != "ERROR" {
		t.Error(got[3])
	}
}

// What a run was found to bear.
func TestAccountNamesTheLimit(t *testing.T) {
	for by, want := range map[string]string{
		"store": "store", "listing": "listing", "cpu": "this machine's CPU", "rate": "--rate", "output": "the writing of the output",
	} {
		var text bytes.Buffer
		(&voice{screen: console.NewStatusLine(&text)}).account(&metrics.Stats{Workers: 184, InFlight: 1472, SteadyHeadsPerSecond: 41_200.7, LimitedBy: by})
		if line := "\n1,472 in flight, 41,200 HEAD/s, limited by: " + want + "\n"; !strings.Contains(text.String(), line) {
			t.Errorf("%s, want %s", text.String(), line)
		}
	}
}

func TestPlurals(t *testing.T) {
	for _, c := range [][2]string{
		{(&objectsFailed{count: 1}).Error(), "1 object failed"},
	} {
		if c[0] != c[1] {
			t.Errorf("%s, want %s", c[0], c[1])
		}
	}
}

// A terminal or /dev/null may take two outputs; a pipe and a file may not.
func TestSameFile(t *testing.T) {
	null1, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer null1.Close()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	if sameFile(fileInfo(null1), fileInfo(null1)) {
		t.Error("/dev/null is refused")
	}
	if !sameFile(fileInfo(w), fileInfo(w)) {
		t.Error("a pipe is not")
	}
	if sameFile(fileInfo((*os.File)(nil)), fileInfo(w)) || sameFile(fileInfo(w), fileInfo(&bytes.Buffer{})) {
		t.Error("what is no file is one")
	}
}
