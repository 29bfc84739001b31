package heads

import (
	"fmt"
	"math"
	"slices"

	"headcount/output/console"
)

// The sizes of drawings in px. The narrow ones are for half of a wide page and for a telephone, the wide ones for the
// whole width of a wide page.
const (
	narrowWidth, narrowHeight = 430.0, 290.0
	wideWidth, wideHeight     = 1060.0, 270.0
)

// size is the form of a drawing for half of the page width, or for all of it.
type size struct {
	class         string
	width, height float64
	ticks         int // the number of ticks on an axis of time
}

// sizes returns the forms of a drawing that takes the whole width. The page's style shows one of them.
func sizes() []size {
	return []size{{"narrow", narrowWidth, narrowHeight, 6}, {"wide", wideWidth, wideHeight, 12}}
}

// percentile is a percentile that is drawn as a line.
type percentile struct {
	series
	of func(Latency) float64
}

// percentiles returns the percentiles that are drawn, the slowest first.
func percentiles() []percentile {
	return []percentile{
		{series{class: "p999", name: "p99.9", marker: triangle}, func(l Latency) float64 { return l.P999 }},
		{series{class: "p99", name: "p99", marker: square}, func(l Latency) float64 { return l.P99 }},
		{series{class: "p50", name: "p50", marker: circle}, func(l Latency) float64 { return l.P50 }},
	}
}

// sweep returns the steps in the order of their workers; empty if all have the same number.
func (r *Report) sweep() []Step {
	steps := slices.DeleteFunc(slices.Clone(r.Steps), func(s Step) bool { return s.Workers < 1 })
	slices.SortStableFunc(steps, func(a, b Step) int { return a.Workers - b.Workers })
	if len(steps) == 0 || steps[0].Workers == steps[len(steps)-1].Workers {
		return nil
	}
	return steps
}

// throughputPlot draws HEADs/s against workers.
func (r *Report) throughputPlot() *drawing {
	steps := r.sweep()
	most := greatest(steps, func(s Step) float64 { return s.HeadsPerSecond })
	if steps == nil || most == 0 {
		return nil
	}
	x := workersAxis(steps[0].Workers, steps[len(steps)-1].Workers)
	d := newDrawing("throughput", "HEADs per second against workers", narrowWidth, narrowHeight, x,
		linearAxis("HEADs/s", most, 5, rateLabel), nil)
	best := r.best()
	d.Desc = fmt.Sprintf(
		"From %s HEADs/s with %s to %s HEADs/s with %s.",
		rateText(
			steps[0].HeadsPerSecond,
		),
		workersText(steps[0].Workers),
		rateText(best.HeadsPerSecond),
		workersText(best.Workers),
	)
	d.drawKnee(r.Knee)
	var points []point
	for _, s := range steps {
		points = append(points, point{float64(s.Workers), s.HeadsPerSecond, stepTitle(s)})
	}
	d.addLine(series{class: "heads", marker: circle}, points)
	return d
}

func stepTitle(s Step) string {
	return fmt.Sprintf("%s: %s HEADs/s, p50 %s, p99 %s, p99.9 %s, errors %s, limited by %s",
		workersText(s.Workers), rateText(s.HeadsPerSecond), millisText(s.Latency.P50), millisText(s.Latency.P99),
		millisText(s.Latency.P999),
		console.Number(s.Errors), orNone(s.LimitedBy))
}

// drawKnee marks the knee, if it is on the axis of workers.
func (d *drawing) drawKnee(k *Knee) {
	if k == nil || k.Workers < 1 {
		return
	}
	x, on := d.x.position(float64(k.Workers))
	if !on {
		return
	}
	d.Rules = append(d.Rules, rule{px(x), px(d.y.to - 4), px(x), px(d.y.from), "knee"})
	d.labelAbove(x, "knee", "knee: "+workersText(k.Workers))
}

// latencyPlot draws percentiles of latency against workers.
func (r *Report) latencyPlot() *drawing {
	steps := r.sweep()
	var all []float64
	for _, s := range steps {
		for _, p := range percentiles() {
			all = append(all, p.of(s.Latency))
		}
	}
	least, most := latencyBounds(all)
	if most == 0 {
		return nil
	}
	var legend []series
	for _, p := range percentiles() {
		legend = append(legend, p.series)
	}
	x := workersAxis(steps[0].Workers, steps[len(steps)-1].Workers)
	d := newDrawing("latency", "Latency against workers", narrowWidth, narrowHeight, x,
		logAxis("latency", least, most, latencyLabel), legend)
	first, last := steps[0], steps[len(steps)-1]
	d.Desc = fmt.Sprintf("p99 from %s with %s to %s with %s.",
		millisText(first.Latency.P99), workersText(first.Workers), millisText(last.Latency.P99), workersText(last.Workers))
	d.drawKnee(r.Knee)
	for _, p := range percentiles() {
		var points []point
		for _, s := range steps {
			points = append(points, point{float64(s.Workers), p.of(s.Latency),
				workersText(s.Workers) + ": " + p.name + " " + millisText(p.of(s.Latency))})
		}
		d.addLine(p.series, points)
	}
	return d
}

// latencyBounds returns the bounds for a logarithmic axis; most is 0 if there is no latency.
func latencyBounds(all []float64) (least, most float64) {
	const microsecond = 1e-3 // in milliseconds; no HEAD is faster
	least = math.Inf(1)
	for _, v := range all {
		if isMeasured(v) && v >= microsecond {
			least, most = min(least, v), max(most, v)
		}
	}
	return least, most
}

// distributionPlots draw the share of HEADs below each latency. A sweep highlights three steps: the fewest workers, the
// knee and the most workers. If the store stalled, the service latency of an open loop lies below its latency.
func (r *Report) distributionPlots() []*drawing {
	var all []float64
	var count float64
	for _, s := range r.Steps {
		points := s.distribution()
		for _, p := range points {
			all = append(all, p.y)
		}
		if len(points) > 0 {
			count = max(count, s.histogramCount(), 1)
		}
	}
	all = append(all, r.serviceFigures()...)
	least, most := latencyBounds(all)
	if most == 0 || count == 0 {
		return nil
	}
	var drawings []*drawing
	for _, size := range sizes() {
		drawings = append(drawings, r.distributionPlot(size, ninesAxis(count),
			logAxis("latency", least, most, latencyLabel)))
	}
	return drawings
}

func (r *Report) distributionPlot(size size, x, y *axis) *drawing {
	shown, legend := r.highlightedSteps()
	d := newDrawing("distribution-"+size.class, "Distribution of latency", size.width, size.height+30, x, y, legend)
	d.Class = size.class
	for i, s := range r.Steps {
		if !slices.ContainsFunc(shown, func(c highlightedStep) bool { return c.step == i }) {
			d.addLine(series{class: "rest"}, s.distribution())
		}
	}
	for _, c := range shown {
		s := r.Steps[c.step]
		bare := c.series
		bare.marker = noMarker
		d.addLine(bare, s.distribution())
		marks := c.series
		marks.marksOnly = true
		d.addLine(marks, percentilePoints(c.name, s.Latency))
		if s.Service != nil {
			d.addLine(c.service(), percentilePoints("service latency", *s.Service))
		}
		d.Desc += fmt.Sprintf("%s: p50 %s, p99 %s, p99.9 %s, at most %s. ", c.name,
			millisText(s.Latency.P50), millisText(s.Latency.P99), millisText(s.Latency.P999), millisText(s.Latency.Max))
	}
	return d
}

// highlightedStep is a step whose distribution is highlighted.
type highlightedStep struct {
	step int // index in Report.Steps
	series
}

func (highlightedStep) service() series {
	return series{class: "service", name: "service latency, from the send", marker: square, dashed: true}
}

// highlightedSteps returns the highlighted steps and their legend.
func (r *Report) highlightedSteps() (shown []highlightedStep, legend []series) {
	if len(r.Steps) == 1 {
		only := highlightedStep{0, series{class: "heads", name: "latency", marker: circle}}
		if r.Steps[0].Service == nil {
			return []highlightedStep{only}, nil
		}
		only.name = "latency, from the planned start"
		return []highlightedStep{only}, []series{only.series, only.service()}
	}
	looks := []series{{class: "p999", marker: triangle}, {class: "p99", marker: square}, {class: "p50", marker: circle}}
	for _, i := range r.highlightedIndexes() {
		look := looks[len(shown)%len(looks)]
		look.name = r.Steps[i].label()
		if r.Knee != nil && r.Knee.Workers == r.Steps[i].Workers {
			look.name += " (knee)"
		}
		shown = append(shown, highlightedStep{i, look})
		legend = append(legend, look)
	}
	if len(shown) < len(r.Steps) {
		legend = append(legend, series{class: "rest", name: "the others"})
	}
	return shown, legend
}

// highlightedIndexes returns the indexes of the steps with the most workers, at the knee (or else with the most
// HEADs/s), and with the fewest workers.
func (r *Report) highlightedIndexes() []int {
	fewest, most, knee := 0, 0, 0
	for i, s := range r.Steps {
		if s.Workers < r.Steps[fewest].Workers {
			fewest = i
		}
		if s.Workers >= r.Steps[most].Workers {
			most = i
		}
		if isMeasured(s.HeadsPerSecond) && s.HeadsPerSecond > r.Steps[knee].HeadsPerSecond {
			knee = i
		}
	}
	if r.Knee != nil {
		at := slices.IndexFunc(r.Steps, func(s Step) bool { return s.Workers == r.Knee.Workers })
		knee = max(at, 0)
	}
	indexes := []int{most}
	for _, i := range []int{knee, fewest} {
		if !slices.Contains(indexes, i) {
			indexes = append(indexes, i)
		}
	}
	return indexes
}

// label names a step among others.
func (s Step) label() string {
	if s.Rate > 0 {
		return withUnit(rateText(s.Rate), "planned/s")
	}
	return workersText(s.Workers)
}

func (s Step) histogramCount() float64 {
	var count float64
	for _, b := range s.Histogram {
		count += float64(max(0, b.Count))
	}
	return count
}

// distribution returns the histogram as shares, without points that would coincide with the last one.
func (s Step) distribution() []point {
	const nearNines, nearDecades = 0.005, 0.002
	count := s.histogramCount()
	var points []point
	var rank float64
	for i, b := range s.Histogram {
		if b.Count <= 0 || !isMeasured(b.Millis) {
			continue
		}
		rank += float64(b.Count)
		next := point{x: shareOfRank(rank, count), y: b.Millis}
		if len(points) == 0 {
			points = append(points, point{y: b.Millis})
		}
		last := points[len(points)-1]
		near := ninesOf(next.x)-ninesOf(last.x) < nearNines && math.Abs(math.Log10(next.y/last.y)) < nearDecades
		if !near || i == len(s.Histogram)-1 {
			points = append(points, next)
		}
	}
	return points
}

func (r *Report) serviceFigures() []float64 {
	var all []float64
	for _, s := range r.Steps {
		if s.Service != nil {
			all = append(all, s.Service.P50, s.Service.P90, s.Service.P99, s.Service.P999)
		}
	}
	return all
}

func percentilePoints(of string, l Latency) []point {
	return []point{
		{0.5, l.P50, of + ": p50 " + millisText(l.P50)},
		{0.9, l.P90, of + ": p90 " + millisText(l.P90)},
		{0.99, l.P99, of + ": p99 " + millisText(l.P99)},
		{0.999, l.P999, of + ": p99.9 " + millisText(l.P999)},
	}
}

// best returns the step with the most HEADs/s; nil if nothing was answered.
func (r *Report) best() *Step {
	var best *Step
	for i := range r.Steps {
		s := &r.Steps[i]
		if isMeasured(s.HeadsPerSecond) && s.HeadsPerSecond > 0 &&
			(best == nil || s.HeadsPerSecond > best.HeadsPerSecond) {
			best = s
		}
	}
	return best
}

// greatest returns the greatest figure that can be drawn; 0 if there is none.
func greatest[T any](all []T, of func(T) float64) float64 {
	var most float64
	for _, v := range all {
		if figure := of(v); isMeasured(figure) && figure > 1e-9 {
			most = max(most, figure)
		}
	}
	return most
}
