package heads

import (
	"math"
	"slices"
	"testing"

	"headcount/output/console"
)

func TestPages(t *testing.T) {
	for name, r := range samples() {
		t.Run(name, func(t *testing.T) {
			checkPage(t, r)
			for _, d := range drawingsOf(r) {
				checkDrawing(t, d)
			}
		})
	}
}

func headings(all []*element) []string {
	var texts []string
	for _, e := range named(all, "h2") {
		texts = append(texts, e.text)
	}
	return texts
}

// The page has the panels for which there is data, and no other.
func TestPagePanels(t *testing.T) {
	single := []string{"HEADs per second over time", "Latency over time", "Distribution of latency", "Steps",
		"Answers by status", "How it was measured"}
	for _, c := range []struct {
		name     string
		report   *Report
		headings []string
		drawings int
	}{
		{"sweep", sweepSample(), append([]string{"Throughput against workers", "Latency against workers"}, single...),
			8},
		{"open", openSample(), single, 6},
		{"single", singleSample(), single, 6},
		{"empty", &Report{}, []string{"How it was measured"}, 0},
	} {
		all := elementsOf(t, pageOf(t, c.report))
		if got := headings(all); !slices.Equal(got, c.headings) {
			t.Errorf("%s: %q, want %q", c.name, got, c.headings)
		}
		if got := len(named(all, "svg")); got != c.drawings {
			t.Errorf("%s: %d drawings, want %d", c.name, got, c.drawings)
		}
	}
}

// Every step has a row. The knee is marked in the table and in both drawings against workers.
func TestPageSteps(t *testing.T) {
	r := sweepSample()
	all := elementsOf(t, pageOf(t, r))
	var rows [][]string
	var knees []int
	cells := []string(nil)
	for _, e := range all {
		switch e.name {
		case "tr":
			rows = append(rows, cells)
			cells = nil
			if e.attr["class"] == "knee" {
				knees = append(knees, len(rows)-1)
			}
		case "td":
			cells = append(cells, e.text)
		}
	}
	rows = rows[2:] // the text before the first row, and the heading
	for i, s := range r.Steps {
		want := []string{console.Number(int64(s.Workers)), rateText(s.HeadsPerSecond), figureText(s.Latency.P50)}
		if !slices.Equal(rows[i][:3], want) {
			t.Errorf("row %d is %q, want %q", i, rows[i][:3], want)
		}
	}
	if !slices.Equal(knees, []int{7}) { // 64 workers are the seventh step, and row 0 is the heading
		t.Errorf("the knee is in rows %v", knees)
	}
	marked := slices.DeleteFunc(named(all, "text"), func(e *element) bool { return e.text != "knee: 64 workers" })
	if len(marked) != 2 {
		t.Errorf("the knee is marked in %d drawings, want 2", len(marked))
	}
}

func TestPageAnswer(t *testing.T) {
	step := Step{Workers: 8, Heads: 12344, HeadsPerSecond: 1234.4, LimitedBy: "cpu",
		Latency: Latency{P99: 2.5, P999: 480}}
	open := step
	open.Rate, open.LimitedBy, open.Service = 1300, "rate", &Latency{P999: 6}
	for _, c := range []struct {
		report Report
		want   string
	}{
		{Report{}, "No HEAD succeeded."},
		{Report{Steps: []Step{{Workers: 8, HeadsPerSecond: math.NaN()}}}, "No HEAD succeeded."},
		{Report{Steps: []Step{step}}, "1,234 HEADs per second succeeded, with 8 workers and a p99 of 2.50 ms; limited by this machine's CPU."},
		{
			Report{Steps: []Step{{Workers: 4, HeadsPerSecond: 1200}, step},
				Knee: &Knee{Workers: 4, HeadsPerSecond: 1200}},
			"At most 1,234 HEADs per second succeeded, with 8 workers and a p99 of 2.50 ms; " +
				"more than 4 workers (1,200 HEADs/s) mostly add latency; limited by this machine's CPU.",
		},
		{
			Report{Steps: []Step{{Workers: 4, HeadsPerSecond: 600}, step},
				Knee: &Knee{Workers: 8, HeadsPerSecond: 1234.4}},
			"At most 1,234 HEADs per second succeeded, with 8 workers and a p99 of 2.50 ms; " +
				"more workers might bring more throughput; limited by this machine's CPU.",
		},
		{
			Report{Steps: []Step{open}},
			"Of 1,300 HEADs planned per second 1,234 succeeded; p99.9 was 480 ms from the planned start, " +
				"and 6.00 ms from the send; limited by the planned rate (--rate).",
		},
	} {
		if got := c.report.pageAnswer(); got != c.want {
			t.Errorf("%s\nwant\n%s", got, c.want)
		}
	}
}

// Names of buckets, statuses and servers are escaped: others choose them.
func TestPageEscapes(t *testing.T) {
	const hostile = `"><script>alert(1)</script><img src="https://example.com/x" onerror='alert(1)'/>`
	r := errorsSample()
	r.Bucket, r.Prefix, r.Region, r.Server, r.Engine, r.EngineWhy, r.Headcount = hostile, hostile, hostile, hostile, hostile, hostile, hostile
	r.Endpoints, r.Command = []string{hostile}, []string{hostile}
	r.Machine.CPU, r.Machine.Kernel, r.Machine.Go = hostile, hostile, hostile
	r.Knee = &Knee{Workers: 8, Why: hostile}
	for i := range r.Steps {
		s := &r.Steps[i]
		s.LimitedBy, s.LimitedWhy = hostile, hostile
		s.Statuses = map[string]int64{hostile: 1}
	}
	all := checkPage(t, r)
	heading := named(all, "h1")[0].text
	if want := "HEADs per second of s3://" + hostile + "/" + hostile; heading != want {
		t.Errorf("the heading is %q, want %q", heading, want)
	}
}

// Each moment with errors is marked, in the narrow and in the wide drawing.
func TestPageMarksErrors(t *testing.T) {
	r := errorsSample()
	want := 0
	for _, s := range r.Steps {
		for _, m := range s.Series {
			if m.Errors > 0 {
				want++
			}
		}
	}
	rates, _ := r.timePlots()
	for _, d := range rates {
		got := -1 // without the one in the legend
		for _, m := range d.Marks {
			if m.Class == "cross error" {
				got++
			}
		}
		if got != want {
			t.Errorf("%s: %d moments with errors are marked, want %d", d.ID, got, want)
		}
		if len(d.Bands) != 2 {
			t.Errorf("%s: %d of four steps are shaded, want every other one", d.ID, len(d.Bands))
		}
	}
}

// A stall shows in the line of an open loop, and not in the points of its service latency.
func TestPageTellsServiceLatency(t *testing.T) {
	r := openSample()
	r.Steps[0].Service = &Latency{P50: 5, P90: 6, P99: 9, P999: 12, Max: 505}
	for _, d := range r.distributionPlots() {
		var service []string
		for _, m := range d.Marks {
			if m.Class == "mark service" && m.Title != "" {
				service = append(service, m.Title)
			}
		}
		if want := "service latency: p99.9 12.0 ms"; len(service) != 4 || service[3] != want {
			t.Errorf("%s: service latency is told as %q, want %q at the end", d.ID, service, want)
		}
		names := 0
		for _, l := range d.Labels {
			if l.Class == "key" {
				names++
			}
		}
		if names != 2 {
			t.Errorf("%s: %d names in the legend, want 2", d.ID, names)
		}
	}
}
