package heads

import (
	"fmt"
	"slices"
	"strconv"
)

// momentsMost is how many moments a drawing has room for.
const momentsMost = 300

// merged has no more than momentsMost moments for all steps, or one for each step. What stands for several has the worst latencies of them,
// since their percentiles cannot be had from theirs.
func merged(steps []Step) [][]Moment {
	all := make([][]Moment, len(steps))
	moments := 0
	for i, s := range steps {
		all[i] = slices.DeleteFunc(slices.Clone(s.Series), func(m Moment) bool {
			return !(m.Seconds > 0) || !isMeasured(m.Seconds) || !isMeasured(m.AtSeconds)
		})
		moments += len(all[i])
	}
	group := (moments + momentsMost - 1) / momentsMost
	if group < 2 {
		return all
	}
	for i, series := range all {
		all[i] = nil
		for part := range slices.Chunk(series, group) {
			all[i] = append(all[i], mergedMoment(part))
		}
	}
	return all
}

func mergedMoment(part []Moment) Moment {
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
func ended(m Moment) float64      { return m.AtSeconds }
func momentRate(m Moment) float64 { return m.rate() }

func (m Moment) title() string {
	text := fmt.Sprintf("%s to %s s: %s HEADs/s, p50 %s, p99 %s, max %s", trimmed(m.began()), trimmed(m.AtSeconds),
		rateText(m.rate()), millisText(m.P50), millisText(m.P99), millisText(m.Max))
	if m.Errors > 0 {
		text += ", errors " + countText(m.Errors)
	}
	return text
}

// timePlots show the run over time: HEADs/s, and latency, both for narrow and for wide pages. Empty where no moment was
// measured.
func (r *Report) timePlots() (rates, latencies []*drawing) {
	series := merged(r.Steps)
	moments := slices.Concat(series...)
	if len(moments) == 0 {
		return nil, nil
	}
	for _, wide := range []bool{false, true} {
		if d := r.ratePlot(series, moments, wide); d != nil {
			rates = append(rates, d)
		}
		if d := r.latencyOverTime(series, moments, wide); d != nil {
			latencies = append(latencies, d)
		}
	}
	return rates, latencies
}

// newTimeDrawing is newDrawing with time for an x axis, and the steps shaded.
func newTimeDrawing(r *Report, id, title string, moments [][]Moment, y *axis, legend []series, wide bool) *drawing {
	width, height, class, ticks := narrowWidth, narrowHeight, "narrow", 6
	if wide {
		width, height, class, ticks = wideWidth, wideHeight, "wide", 12
	}
	x := timeAxis(mostOf(slices.Concat(moments...), ended), ticks)
	d := newDrawing(id+"-"+class, title, width, height, x, y, legend)
	d.Class = class
	if len(r.Steps) > 1 {
		d.drawSteps(r.Steps, moments)
	}
	return d
}

// drawSteps shades every other step, and names them above the plot.
func (d *drawing) drawSteps(steps []Step, moments [][]Moment) {
	for i, series := range moments {
		if len(series) == 0 {
			continue
		}
		began, end := series[0].began(), series[len(series)-1].AtSeconds
		b, ok := d.between(began, end, d.y.ticks[len(d.y.ticks)-1].value, "step", "")
		if !ok {
			continue
		}
		if i%2 == 0 {
			d.Bands = append(d.Bands, b)
		}
		name := strconv.Itoa(steps[i].Workers)
		if steps[i].Rate > 0 {
			name = rateLabel(0, steps[i].Rate)
		}
		d.name(float64(b.X+b.Width/2), "name", name)
	}
}

func (r *Report) ratePlot(moments [][]Moment, all []Moment, wide bool) *drawing {
	most := max(mostOf(all, momentRate), mostOf(r.Steps, func(s Step) float64 { return s.Rate }))
	answered := series{class: "heads", name: "answered"}
	planned := series{class: "plan", name: "planned", dashed: true}
	failed := series{class: "error", name: "errors in this moment", form: cross, bare: true}
	var legend []series
	if r.isOpen() {
		legend = append(legend, answered, planned)
	}
	if slices.ContainsFunc(all, func(m Moment) bool { return m.Errors > 0 }) {
		legend = append(legend, failed)
	}
	d := newTimeDrawing(r, "rate", "HEADs per second over time", moments, linearAxis("HEADs/s", most, 4, rateLabel), legend, wide)
	d.Desc = fmt.Sprintf("%s moments, at most %s HEADs/s.", countText(int64(len(all))), rateText(mostOf(all, momentRate)))
	for i, series := range moments {
		d.drawRate(series, answered)
		if rate := r.Steps[i].Rate; rate > 0 && len(series) > 0 {
			d.line(planned, []point{{x: series[0].began(), y: rate}, {x: series[len(series)-1].AtSeconds, y: rate}})
		}
		for _, m := range series {
			if x, on := d.x.at(m.middle()); on && m.Errors > 0 {
				d.mark(x, d.y.from-6, failed, m.title())
			}
		}
	}
	return d
}

func (r *Report) isOpen() bool {
	return slices.ContainsFunc(r.Steps, func(s Step) bool { return s.Rate > 0 })
}

// drawRate draws a step of the run: each moment as an area as wide as it is long, and a line over them.
func (d *drawing) drawRate(moments []Moment, s series) {
	var top []point
	for _, m := range moments {
		b, ok := d.between(m.began(), m.AtSeconds, m.rate(), s.class, m.title())
		if !ok {
			continue
		}
		d.Areas = append(d.Areas, b)
		top = append(top, point{x: m.began(), y: m.rate()}, point{x: m.AtSeconds, y: m.rate()})
	}
	d.line(s, top)
}

// latencyOverTime has no line where nothing was answered.
func (r *Report) latencyOverTime(moments [][]Moment, all []Moment, wide bool) *drawing {
	lines := []struct {
		series
		of func(Moment) float64
	}{
		{series{class: "max", name: "max", form: speck, bare: true}, func(m Moment) float64 { return m.Max }},
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
	least, most := drawnLatencies(drawn)
	if most == 0 {
		return nil
	}
	d := newTimeDrawing(r, "moments", "Latency over time", moments, logAxis("latency", least, most, latencyLabel), legend, wide)
	d.Desc = fmt.Sprintf("The slowest HEAD took %s.", millisText(mostOf(all, func(m Moment) float64 { return m.Max })))
	for _, series := range moments {
		for _, m := range series {
			if b, ok := d.between(m.began(), m.AtSeconds, d.y.ticks[len(d.y.ticks)-1].value, "hit", m.title()); ok {
				d.Areas = append(d.Areas, b)
			}
		}
		for _, l := range lines {
			var points []point
			for _, m := range series {
				points = append(points, point{x: m.middle(), y: l.of(m)})
			}
			d.line(l.series, points)
		}
	}
	return d
}
