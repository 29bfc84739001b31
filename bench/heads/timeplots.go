package heads

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"headcount/output/console"
)

// momentsDrawn is the greatest number of moments in a drawing.
const momentsDrawn = 300

// mergeMoments returns at most momentsDrawn moments for all steps, or one for each step. A merged moment has the worst
// latencies of its moments, since percentiles cannot be computed from percentiles.
func mergeMoments(steps []Step) [][]Moment {
	all := make([][]Moment, len(steps))
	group := momentsPerPoint(steps)
	for i, s := range steps {
		series := slices.DeleteFunc(slices.Clone(s.Series), func(m Moment) bool {
			return !(m.Seconds > 0) || !isMeasured(m.Seconds) || !isMeasured(m.AtSeconds)
		})
		for part := range slices.Chunk(series, group) {
			all[i] = append(all[i], mergeMoment(part))
		}
	}
	return all
}

// momentsPerPoint returns the number of moments that are merged into one.
func momentsPerPoint(steps []Step) int {
	moments := 0
	for _, s := range steps {
		moments += len(s.Series)
	}
	return max(1, (moments+momentsDrawn-1)/momentsDrawn)
}

func mergeMoment(part []Moment) Moment {
	m := part[0]
	for _, next := range part[1:] {
		m.AtSeconds = next.AtSeconds
		m.Seconds += next.Seconds
		m.Heads += next.Heads
		m.Errors += next.Errors
		m.P50, m.P99, m.Max = max(m.P50, next.P50), max(m.P99, next.P99), max(m.Max, next.Max)
	}
	return m
}

func (m Moment) began() float64   { return max(0, m.AtSeconds-m.Seconds) }
func (m Moment) middle() float64  { return (m.began() + m.AtSeconds) / 2 }
func (m Moment) rate() float64    { return float64(m.Heads) / m.Seconds }
func momentEnd(m Moment) float64  { return m.AtSeconds }
func momentRate(m Moment) float64 { return m.rate() }

func (m Moment) title() string {
	text := fmt.Sprintf("%s to %s s: %s HEADs/s, p50 %s, p99 %s, max %s", formatShort(m.began()),
		formatShort(m.AtSeconds),
		rateText(m.rate()), millisText(m.P50), millisText(m.P99), millisText(m.Max))
	if m.Errors > 0 {
		text += ", errors " + console.Number(m.Errors)
	}
	return text
}

// timePlots draw HEADs/s and latency over time, both in all sizes. They are empty if no moment was measured.
func (r *Report) timePlots() (rates, latencies []*drawing) {
	series := mergeMoments(r.Steps)
	moments := slices.Concat(series...)
	if len(moments) == 0 {
		return nil, nil
	}
	for _, size := range sizes() {
		if d := r.ratePlot(series, moments, size); d != nil {
			rates = append(rates, d)
		}
		if d := r.latencyOverTime(series, moments, size); d != nil {
			latencies = append(latencies, d)
		}
	}
	return rates, latencies
}

// newTimeDrawing is newDrawing with an x axis of time, and with the steps shaded.
func newTimeDrawing(r *Report, id, title string, moments [][]Moment, y *axis, legend []series, size size) *drawing {
	x := timeAxis(greatest(slices.Concat(moments...), momentEnd), size.ticks)
	d := newDrawing(id+"-"+size.class, title, size.width, size.height, x, y, legend)
	d.Class = size.class
	if len(r.Steps) > 1 {
		d.drawSteps(r.Steps, moments)
	}
	return d
}

// drawSteps shades every other step, and names all steps above the plot.
func (d *drawing) drawSteps(steps []Step, moments [][]Moment) {
	for i, series := range moments {
		if len(series) == 0 {
			continue
		}
		began, end := series[0].began(), series[len(series)-1].AtSeconds
		b, ok := d.span(began, end, "step", "")
		if !ok {
			continue
		}
		if i%2 == 0 {
			d.Bands = append(d.Bands, b)
		}
		name := strconv.Itoa(steps[i].Workers)
		if steps[i].Rate > 0 {
			name = rateLabel(steps[i].Rate)
		}
		d.labelAbove(float64(b.X+b.Width/2), "name", name)
	}
}

func (r *Report) ratePlot(moments [][]Moment, all []Moment, size size) *drawing {
	most := max(greatest(all, momentRate), greatest(r.Steps, func(s Step) float64 { return s.Rate }))
	answered := series{class: "heads", name: "succeeded"}
	planned := series{class: "plan", name: "planned", dashed: true}
	failed := series{class: "error", name: "errors in this moment", marker: cross, marksOnly: true}
	var legend []series
	if r.isOpen() {
		legend = append(legend, answered, planned)
	}
	if slices.ContainsFunc(all, func(m Moment) bool { return m.Errors > 0 }) {
		legend = append(legend, failed)
	}
	d := newTimeDrawing(r, "rate", "HEADs per second over time", moments,
		linearAxis("HEADs/s", 1.05*most, 5, rateLabel), legend, size)
	d.Desc = fmt.Sprintf("%s moments, at most %s HEADs/s.", console.Number(int64(len(all))),
		rateText(greatest(all, momentRate)))
	for i, series := range moments {
		d.drawRate(series, answered)
		if rate := r.Steps[i].Rate; rate > 0 && len(series) > 0 {
			d.addLine(planned, []point{{x: series[0].began(), y: rate}, {x: series[len(series)-1].AtSeconds, y: rate}})
		}
		for _, m := range series {
			if x, on := d.x.position(m.middle()); on && m.Errors > 0 {
				d.addMark(x, d.y.from-6, failed, m.title())
			}
		}
	}
	return d
}

func (r *Report) isOpen() bool {
	return slices.ContainsFunc(r.Steps, func(s Step) bool { return s.Rate > 0 })
}

// drawRate draws a step of the run as a staircase with the area below it. Each stair is as wide as its moment.
func (d *drawing) drawRate(moments []Moment, s series) {
	var top []point
	var fill strings.Builder
	for _, m := range moments {
		from, onFrom := d.x.position(m.began())
		to, onTo := d.x.position(m.AtSeconds)
		y, onY := d.y.position(m.rate())
		if !onFrom || !onTo || !onY {
			continue
		}
		top = append(top, point{x: m.began(), y: m.rate()}, point{x: m.AtSeconds, y: m.rate()})
		if fill.Len() == 0 {
			fmt.Fprintf(&fill, "M%s %s", px(from), px(d.y.from))
		}
		fmt.Fprintf(&fill, "L%s %sH%s", px(from), px(y), px(to))
	}
	if fill.Len() == 0 {
		return
	}
	d.Fills = append(d.Fills, shape{D: fmt.Sprintf("%sV%sz", fill.String(), px(d.y.from)), Class: s.class})
	d.addLine(s, top)
	d.drawHits(moments)
}

// drawHits adds areas that show the figures of a moment under the pointer.
func (d *drawing) drawHits(moments []Moment) {
	for _, m := range moments {
		if b, ok := d.span(m.began(), m.AtSeconds, "hit", m.title()); ok {
			d.Hits = append(d.Hits, b)
		}
	}
}

// latencyOverTime draws latencies over time; nil if nothing was answered.
func (r *Report) latencyOverTime(moments [][]Moment, all []Moment, size size) *drawing {
	lines := []struct {
		series
		of func(Moment) float64
	}{
		{series{class: "max", name: "max", marker: dot, marksOnly: true}, func(m Moment) float64 { return m.Max }},
		{series{class: "p99", name: "p99"}, func(m Moment) float64 { return m.P99 }},
		{series{class: "p50", name: "p50"}, func(m Moment) float64 { return m.P50 }},
	}
	var legend []series
	var drawn []float64
	for _, l := range lines {
		legend = append(legend, l.series)
		for _, m := range all {
			drawn = append(drawn, l.of(m))
		}
	}
	least, most := latencyBounds(drawn)
	if most == 0 {
		return nil
	}
	d := newTimeDrawing(r, "moments", "Latency over time", moments, logAxis("latency", least, most, latencyLabel),
		legend, size)
	d.Desc = fmt.Sprintf("The slowest HEAD took %s.",
		millisText(greatest(all, func(m Moment) float64 { return m.Max })))
	for _, series := range moments {
		d.drawHits(series)
		for _, l := range lines {
			var points []point
			for _, m := range series {
				points = append(points, point{x: m.middle(), y: l.of(m)})
			}
			d.addLine(l.series, points)
		}
	}
	return d
}
