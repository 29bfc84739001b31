package heads

import (
	"encoding/xml"
	"io"
	"math"
	"regexp"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"headcount/output/console"
)

// tester is the common part of testing.T and rapid.T.
type tester interface {
	Helper()
	Fatal(...any)
	Fatalf(string, ...any)
	Errorf(string, ...any)
}

func pageOf(t tester, r *Report) string {
	t.Helper()
	var text strings.Builder
	if err := r.WritePage(&text); err != nil {
		t.Fatal(err)
	}
	return text.String()
}

// element is an element of a page.
type element struct {
	name string
	attr map[string]string
	text string // up to its first child
	full bool
}

// elementsOf parses a page as XML, which is stricter than HTML. The template is both.
func elementsOf(t tester, page string) []*element {
	t.Helper()
	decoder := xml.NewDecoder(strings.NewReader(page))
	var all, open []*element
	for {
		token, err := decoder.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatalf("the page cannot be read: %v", err)
		}
		switch token := token.(type) {
		case xml.StartElement:
			e := &element{name: token.Name.Local, attr: map[string]string{}}
			for _, a := range token.Attr {
				e.attr[a.Name.Local] = a.Value
			}
			if len(open) > 0 {
				open[len(open)-1].full = true
			}
			all, open = append(all, e), append(open, e)
		case xml.EndElement:
			open = open[:len(open)-1]
		case xml.CharData:
			if n := len(open); n > 0 && !open[n-1].full {
				open[n-1].text += string(token)
			}
		}
	}
	return all
}

func named(all []*element, name string) []*element {
	return slices.DeleteFunc(slices.Clone(all), func(e *element) bool { return e.name != name })
}

var reaches = regexp.MustCompile(`(?i)https?:|//|url\(|@import|javascript:`)

// notNumber returns fmt's text for a NaN, an infinity or a wrong verb in text; empty: there is none.
func notNumber(text string) string {
	for _, sign := range []string{"NaN", "Inf", "%!"} {
		if strings.Contains(text, sign) {
			return sign
		}
	}
	return ""
}

// checkPage checks the properties of every page.
func checkPage(t tester, r *Report) []*element {
	t.Helper()
	page := pageOf(t, r)
	if found := notNumber(page); found != "" {
		t.Errorf("%q is in the page", found)
	}
	all := elementsOf(t, page)
	for _, e := range all {
		for name, value := range e.attr {
			if reaches.MatchString(value) {
				t.Errorf("<%s %s=%q> reaches out", e.name, name, value)
			}
			if strings.HasPrefix(name, "on") {
				t.Errorf("<%s %s=%q> is a script", e.name, name, value)
			}
		}
		if e.name == "style" && reaches.MatchString(e.text) {
			t.Errorf("the style reaches out with %q", reaches.FindString(e.text))
		}
		if slices.Contains([]string{"script", "img", "iframe", "object", "embed", "foreignObject"}, e.name) {
			t.Errorf("there is a <%s>", e.name)
		}
	}
	checkIDs(t, all)
	return all
}

// checkIDs checks that ids are unique, and that every referenced id exists.
func checkIDs(t tester, all []*element) {
	t.Helper()
	seen := map[string]bool{}
	for _, e := range all {
		if id := e.attr["id"]; id != "" && seen[id] {
			t.Errorf("there are two elements with id %q", id)
		}
		seen[e.attr["id"]] = true
	}
	for _, e := range named(all, "svg") {
		for _, id := range strings.Fields(e.attr["aria-labelledby"]) {
			if !seen[id] {
				t.Errorf("a drawing is labelled by %q, which is not there", id)
			}
		}
	}
}

func drawingsOf(r *Report) []*drawing {
	rates, latencies := r.timePlots()
	var all []*drawing
	for _, p := range r.panels(rates, latencies) {
		all = append(all, p.Drawings...)
	}
	return all
}

// checkDrawing checks that labels are inside the drawing and do not overlap, and that marks are inside the plot.
func checkDrawing(t tester, d *drawing) {
	t.Helper()
	type rectangle struct{ left, right, top, bottom float64 }
	var boxes []rectangle
	for _, l := range d.Labels {
		width := textWidth(l.Text)
		left := float64(l.X) - map[string]float64{"start": 0, "middle": width / 2, "end": width}[l.Anchor]
		// a little less than the height of the text
		b := rectangle{left, left + width, float64(l.Y) - 9, float64(l.Y) + 1}
		if b.left < -2 || b.right > float64(d.Width)+3 || b.top < 0 || b.bottom > float64(d.Height) {
			t.Errorf("%s: %q at %s, %s is not inside", d.ID, l.Text, l.X, l.Y)
		}
		for i, other := range boxes {
			if b.left < other.right && other.left < b.right && b.top < other.bottom && other.top < b.bottom {
				t.Errorf("%s: %q is on %q", d.ID, l.Text, d.Labels[i].Text)
			}
		}
		boxes = append(boxes, b)
	}
	inside := func(x, y px) bool {
		return x >= 0 && x <= d.Width && y >= 0 && y <= d.Height // false for NaN
	}
	for _, b := range slices.Concat(d.Bands, d.Hits) {
		if !inside(b.X, b.Y) || !inside(b.X+b.Width, b.Y+b.Height) {
			t.Errorf("%s: the box %v is not inside", d.ID, b)
		}
	}
	for _, l := range d.Rules {
		if !inside(l.X1, l.Y1) || !inside(l.X2, l.Y2) {
			t.Errorf("%s: the rule %v is not inside", d.ID, l)
		}
	}
	for _, s := range slices.Concat(d.Fills, d.Lines, d.Marks) {
		if s.D == "" || notNumber(s.D) != "" {
			t.Errorf("%s: there is a path %q", d.ID, s.D)
		}
	}
}

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

// anyFigure generates mostly figures of a real store, and sometimes impossible ones.
func anyFigure(most float64) *rapid.Generator[float64] {
	return rapid.OneOf(
		rapid.Float64Range(0, most), rapid.Float64Range(0, most), rapid.Float64Range(0, most),
		rapid.SampledFrom([]float64{0, 1, -1, math.NaN(), math.Inf(1), math.Inf(-1), math.MaxFloat64,
			math.SmallestNonzeroFloat64, 1e15, 1e-7}),
	)
}

func anyCount() *rapid.Generator[int64] {
	return rapid.OneOf(rapid.Int64Range(0, 1e6), rapid.SampledFrom([]int64{0, 1, -1, math.MaxInt64, math.MinInt64}))
}

func anyLatency() *rapid.Generator[Latency] {
	return rapid.Custom(func(t *rapid.T) Latency {
		ms := anyFigure(1e4)
		return Latency{ms.Draw(t, "p50"), ms.Draw(t, "p90"), ms.Draw(t, "p99"), ms.Draw(t, "p99.9"), ms.Draw(t, "max"),
			ms.Draw(t, "mean")}
	})
}

func anyMoment() *rapid.Generator[Moment] {
	return rapid.Custom(func(t *rapid.T) Moment {
		ms := anyFigure(1e4)
		return Moment{
			anyFigure(100).Draw(t, "at"), anyCount().Draw(t, "heads"), anyFigure(1).Draw(t, "seconds"),
			anyCount().Draw(t, "errors"),
			ms.Draw(t, "p50"), ms.Draw(t, "p99"), ms.Draw(t, "max"),
		}
	})
}

func anyStep() *rapid.Generator[Step] {
	return rapid.Custom(func(t *rapid.T) Step {
		s := Step{
			Workers: rapid.OneOf(rapid.IntRange(1, 2048), rapid.SampledFrom([]int{0, -1, math.MaxInt})).Draw(t,
				"workers"),
			Heads: anyCount().Draw(t, "heads"), HeadsPerSecond: anyFigure(1e5).Draw(t, "rate"),
			Errors:          anyCount().Draw(t, "errors"),
			DurationSeconds: anyFigure(60).Draw(t, "seconds"), CPUMicrosPerHead: anyFigure(100).Draw(t, "cpu"),
			InFlight: anyFigure(100).Draw(t, "in flight"),
			Latency:  anyLatency().Draw(t, "latency"), Statuses: map[string]int64{"200": anyCount().Draw(t, "200")},
			Series: rapid.SliceOfN(anyMoment(), 0, 8).Draw(t, "series"),
			Histogram: rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Bucket {
				return Bucket{anyFigure(1e4).Draw(t, "ms"), anyCount().Draw(t, "count")}
			}), 0, 8).Draw(t, "histogram"),
		}
		if rapid.Bool().Draw(t, "open") {
			s.Rate = anyFigure(1e5).Draw(t, "planned")
			service := anyLatency().Draw(t, "service")
			s.Service = &service
		}
		return s
	})
}

func anyReport() *rapid.Generator[*Report] {
	return rapid.Custom(func(t *rapid.T) *Report {
		r := &Report{Bucket: "b", Steps: rapid.SliceOfN(anyStep(), 0, 14).Draw(t, "steps")}
		if len(r.Steps) > 0 && rapid.Bool().Draw(t, "knee") {
			r.Knee = &Knee{Workers: r.Steps[0].Workers, HeadsPerSecond: anyFigure(1e5).Draw(t, "knee's rate")}
		}
		return r
	})
}

// Every Report has a valid page and a valid chart.
func TestAnyReport(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := anyReport().Draw(t, "report")
		checkPage(t, r)
		for _, d := range drawingsOf(r) {
			checkDrawing(t, d)
		}
		checkChart(t, r.chart())
	})
}
