package heads

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"headcount/output/console"
)

//go:embed page.html.tmpl
var pageText string

// page is the data of the template.
type page struct {
	Title    string
	Date     string
	Notes    []string // what a reader must know before the figures
	Answer   string
	Figures  []fact
	Panels   []panel
	Columns  []string
	Rows     []row
	Limits   []fact // steps and their limits
	Statuses []status
	Facts    []fact
	Command  string
}

// fact is a name and its value.
type fact struct{ Name, Value, More string }

// panel is a drawing with a heading and a note. A drawing with another form for wide pages has two.
type panel struct {
	Heading, Note string
	Drawings      []*drawing
	Full          bool // the panel has the whole width of the page
}

// row is the table's row of a Step.
type row struct {
	Knee  bool
	Cells []string
	Limit string
}

type status struct {
	Name, Count, Share string
	Steps              string // the steps that have the status
}

// WritePage writes the Report as one self-contained page of HTML, without scripts and network requests.
func (r *Report) WritePage(w io.Writer) error {
	rates, latencies := r.timePlots()
	p := page{
		Title: r.pageTitle(), Notes: r.pageNotes(), Answer: r.pageAnswer(), Figures: r.pageFigures(),
		Panels: r.panels(rates, latencies), Limits: r.pageLimits(), Statuses: r.pageStatuses(), Facts: r.pageFacts(),
		Command: commandText(r.Command),
	}
	if !r.Date.IsZero() {
		p.Date = r.Date.UTC().Format(time.DateTime) + " UTC"
	}
	p.Columns, p.Rows = r.pageTable()
	// parsed here, since most runs of the program make no page
	pageTemplate, err := template.New("page").Parse(pageText)
	if err != nil {
		return err
	}
	var text bytes.Buffer
	if err := pageTemplate.Execute(&text, p); err != nil {
		return err
	}
	_, err = w.Write(text.Bytes())
	return err
}

func (r *Report) pageTitle() string {
	if r.Bucket == "" {
		return "HEADs per second"
	}
	return "HEADs per second of " + r.location()
}

func (r *Report) location() string {
	if r.Prefix == "" {
		return "s3://" + r.Bucket
	}
	return "s3://" + r.Bucket + "/" + r.Prefix
}

func (r *Report) pageNotes() []string {
	var notes []string
	if !r.Complete {
		notes = append(notes, "The run ended early. The figures are those until then.")
	}
	var unsent, resent int64
	for _, s := range r.Steps {
		unsent, resent = unsent+s.Unsent, resent+s.Resent
	}
	if resent > 0 {
		notes = append(
			notes,
			console.Number(
				resent,
			)+" HEADs were sent again, since the store closed their connections. They count from their first send.",
		)
	}
	if unsent > 0 {
		notes = append(
			notes,
			console.Number(unsent)+" planned HEADs were not sent before the end: the store or this machine was too slow.",
		)
	}
	return notes
}

// pageAnswer returns the most important result in one sentence.
func (r *Report) pageAnswer() string {
	best := r.best()
	if best == nil {
		return "No HEAD succeeded."
	}
	var text string
	switch {
	case best.Rate > 0:
		text = fmt.Sprintf("Of %s HEADs planned per second %s succeeded", rateText(best.Rate),
			rateText(best.HeadsPerSecond))
		if s := best.Service; s != nil {
			text += fmt.Sprintf("; p99.9 was %s from the planned start, and %s from the send",
				millisText(best.Latency.P999), millisText(s.P999))
		} else {
			text += "; p99.9 was " + millisText(best.Latency.P999)
		}
	default:
		most := ""
		if len(r.Steps) > 1 {
			most = "At most "
		}
		text = fmt.Sprintf("%s%s HEADs per second succeeded, with %s and a p99 of %s",
			most, rateText(best.HeadsPerSecond), workersText(best.Workers), millisText(best.Latency.P99))
	}
	text += r.kneeText()
	if best.LimitedBy != "" {
		text += "; limited by " + limitText(best.LimitedBy)
	}
	return text + "."
}

func (r *Report) pageFigures() []fact {
	best := r.best()
	if best == nil {
		return nil
	}
	var heads, errors int64
	for _, s := range r.Steps {
		heads, errors = heads+s.Heads, errors+s.Errors
	}
	figures := []fact{{"HEADs/s", rateText(best.HeadsPerSecond), best.label()}}
	with := ""
	if len(r.Steps) > 1 {
		figures[0].Name, with = "most HEADs/s", " with "+best.label()
	}
	if k := r.Knee; k != nil {
		figures = append(figures, fact{"knee", workersText(k.Workers), k.Why})
	}
	figures = append(figures,
		fact{"p99" + with, millisText(best.Latency.P99),
			"p50 " + millisText(best.Latency.P50) + ", p99.9 " + millisText(best.Latency.P999)},
		fact{"limited by", limitText(best.LimitedBy), best.LimitedWhy},
		fact{"errors", console.Number(errors), console.Number(heads) + " HEADs succeeded"},
	)
	return figures
}

// panels returns the drawings of this Report. A drawing without data is left out.
func (r *Report) panels(rates, latencies []*drawing) []panel {
	var panels []panel
	add := func(full bool, heading, note string, drawings ...*drawing) {
		if len(drawings) > 0 && drawings[0] != nil {
			panels = append(panels, panel{heading, note, drawings, full})
		}
	}
	add(false, "Throughput against workers", "HEADs that succeeded per second.", r.throughputPlot())
	add(false, "Latency against workers", r.latencyNote(), r.latencyPlot())
	steps := ""
	if len(r.Steps) > 1 {
		steps = " Above: the steps, by their number of workers."
		if r.isOpen() {
			steps = " Above: the steps, by their planned HEADs per second."
		}
	}
	if n := momentsPerPoint(r.Steps); n > 1 {
		steps += fmt.Sprintf(" Each point stands for %d moments: the mean of their HEADs, the worst of their latencies.", n)
	}
	add(true, "HEADs per second over time", "Those that succeeded."+steps, rates...)
	add(true, "Latency over time", r.latencyNote()+steps, latencies...)
	add(true, "Distribution of latency", "Each further nine is ten times as rare. "+r.latencyNote(),
		r.distributionPlots()...)
	return panels
}

func (r *Report) latencyNote() string {
	if r.Loop == Open {
		return "Latency counts from the planned start of a HEAD, so that it includes delays by a stall of the store."
	}
	return "Latency counts from the send."
}

// pageTable returns the table of all steps, without columns that are empty in every step.
func (r *Report) pageTable() (columns []string, rows []row) {
	open := r.isOpen()
	service := slices.ContainsFunc(r.Steps, func(s Step) bool { return s.Service != nil })
	late := slices.ContainsFunc(r.Steps, func(s Step) bool { return s.Unsent > 0 })
	when := func(wanted bool, cells ...string) []string {
		if wanted {
			return cells
		}
		return nil
	}
	columns = slices.Concat([]string{"workers"}, when(open, "planned/s"),
		[]string{"HEADs/s", "p50", "p90", "p99", "p99.9", "max"},
		when(service, "service p50", "service p99", "service p99.9"),
		[]string{"HEADs", "errors"}, when(late, "unsent"), []string{"seconds", "CPU µs per HEAD", "connections",
			"in flight"})
	for _, s := range r.Steps {
		l, own := s.Latency, Latency{}
		if s.Service != nil {
			own = *s.Service
		}
		rows = append(rows, row{
			Knee: r.Knee != nil && r.Knee.Workers == s.Workers,
			Cells: slices.Concat([]string{console.Number(int64(s.Workers))}, when(open, rateText(s.Rate)),
				[]string{rateText(s.HeadsPerSecond), figureText(l.P50), figureText(l.P90), figureText(l.P99),
					figureText(l.P999), figureText(l.Max)},
				when(service, figureText(own.P50), figureText(own.P99), figureText(own.P999)),
				[]string{console.Number(s.Heads), console.Number(s.Errors)}, when(late, console.Number(s.Unsent)),
				[]string{figureText(s.DurationSeconds), figureText(s.CPUMicrosPerHead),
					console.Number(int64(s.Connections)), figureText(s.InFlight)}),
			Limit: orNone(s.LimitedBy),
		})
	}
	return columns, rows
}

// pageLimits returns the limits of the steps. Consecutive steps with the same reason share an entry.
func (r *Report) pageLimits() []fact {
	var limits []fact
	for i := 0; i < len(r.Steps); {
		why := r.Steps[i].LimitedWhy
		end := i + 1
		for end < len(r.Steps) && r.Steps[end].LimitedWhy == why {
			end++
		}
		if why != "" {
			limits = append(limits, fact{Name: stepsText(r.Steps[i:end]), Value: why})
		}
		i = end
	}
	return limits
}

// stepsText names steps, as in "8, 16, 32 workers".
func stepsText(steps []Step) string {
	if len(steps) == 1 {
		return steps[0].label()
	}
	unit := " workers"
	var names []string
	for _, s := range steps {
		name := strconv.Itoa(s.Workers)
		if s.Rate > 0 {
			name, unit = rateLabel(s.Rate), " planned/s"
		}
		names = append(names, name)
	}
	return strings.Join(names, ", ") + unit
}

// pageStatuses sums the answers of all steps by status.
func (r *Report) pageStatuses() []status {
	sums := map[string]int64{}
	var total int64
	for _, s := range r.Steps {
		for name, n := range s.Statuses {
			sums[name] += n
			total += n
		}
	}
	var statuses []status
	for _, name := range slices.Sorted(maps.Keys(sums)) {
		had := slices.DeleteFunc(slices.Clone(r.Steps), func(s Step) bool { return s.Statuses[name] <= 0 })
		steps := "all"
		if len(had) == 0 {
			continue
		}
		if len(had) < len(r.Steps) {
			steps = stepsText(had)
		}
		share := withUnit(figureText(100*float64(sums[name])/float64(total)), "%")
		statuses = append(statuses, status{name, console.Number(sums[name]), share, steps})
	}
	return statuses
}

// pageFacts describes the measurement. Unknown facts are left out.
func (r *Report) pageFacts() []fact {
	m := r.Machine
	cores := ""
	if m.Cores > 0 {
		cores = console.Number(int64(m.Cores)) + " cores"
	}
	loop := r.Loop
	switch r.Loop {
	case Closed:
		loop = "closed: each worker sends its next HEAD after the answer to the last one"
	case Open:
		loop = "open: HEADs are planned at a fixed rate, whatever the store does"
	}
	facts := []fact{
		{Name: "headcount", Value: r.Headcount},
		{Name: "bucket", Value: r.Bucket},
		{Name: "prefix", Value: r.Prefix},
		{Name: "region", Value: r.Region},
		{Name: "endpoints", Value: strings.Join(r.Endpoints, ", ")},
		{Name: "server", Value: r.Server},
		{Name: "keys", Value: console.Number(int64(r.Keys)), More: "listed before the measurement"},
		{Name: "loop", Value: loop},
		{Name: "engine", Value: r.Engine, More: r.EngineWhy},
		{Name: "pipeline", Value: console.Number(int64(r.Pipeline)), More: "most HEADs in flight on a connection"},
		{Name: "machine", Value: joinNonEmpty(m.CPU, cores)},
		{Name: "kernel", Value: m.Kernel},
		{Name: "Go", Value: m.Go},
	}
	return slices.DeleteFunc(facts, func(f fact) bool { return f.Value == "" || f.Value == "0" })
}

// joinNonEmpty joins the texts that are not empty.
func joinNonEmpty(texts ...string) string {
	return strings.Join(slices.DeleteFunc(texts, func(text string) bool { return text == "" }), ", ")
}
