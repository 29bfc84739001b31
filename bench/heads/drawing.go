package heads

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// drawing is a chart of the page: shapes at their positions, which the template writes as SVG, the backmost first. The
// class of a shape selects its look in the template's style.
type drawing struct {
	ID            string
	Class         string // narrow, wide or empty
	Title, Desc   string
	Width, Height px

	Bands  []box
	Rules  []rule
	Labels []label
	Fills  []shape
	Hits   []box // invisible areas with titles
	Lines  []shape
	Marks  []shape

	x, y      *axis
	plot      box // the area between the axes
	labelsEnd float64
}

// px is a length in the units of a drawing.
type px float64

func (p px) String() string {
	text := strconv.FormatFloat(float64(p), 'f', 1, 64)
	return strings.TrimSuffix(text, ".0")
}

type box struct {
	X, Y, Width, Height px
	Class, Title        string
}

type rule struct {
	X1, Y1, X2, Y2 px
	Class          string
}

type label struct {
	X, Y   px
	Anchor string // start, middle or end
	Class  string
	Text   string
}

// shape is a path. Its Title appears under the pointer.
type shape struct{ D, Class, Title string }

// series is a line of a drawing, and an entry of its legend.
type series struct {
	class, name string
	marker      marker // of the series' marks
	dashed      bool
	marksOnly   bool // no line
}

// The height of the text in a drawing, and the approximate width of a character.
const (
	textHeight = 12.0
	charWidth  = 6.7
)

func textWidth(text string) float64 { return charWidth * float64(len([]rune(text))) }

// The room around a plot in px: for the ticks of the y axis, for the last tick of the x axis, for a row of the legend,
// for the row of names above the plot, and for the ticks and the name of the x axis.
const (
	leftRoom   = 58.0
	rightRoom  = 18.0
	legendRoom = 20.0
	namesRoom  = 26.0
	belowRoom  = 42.0
)

// newDrawing returns a drawing with axes, a grid and a legend.
func newDrawing(id, title string, width, height float64, x, y *axis, legend []series) *drawing {
	d := &drawing{ID: id, Title: title, Width: px(width), Height: px(height), x: x, y: y}
	top := d.drawLegend(legend, width) + namesRoom
	d.plot = box{X: leftRoom, Y: px(top), Width: px(width - leftRoom - rightRoom), Height: px(height - top - belowRoom)}
	x.from, x.to = leftRoom, width-rightRoom
	y.from, y.to = height-belowRoom, top
	x.hideLabels(func(label string) float64 { return textWidth(label) + 8 })
	y.hideLabels(func(string) float64 { return textHeight + 4 })
	d.drawAxes()
	return d
}

func (d *drawing) drawAxes() {
	left, right := px(d.x.from), px(d.x.to)
	bottom, top := px(d.y.from), px(d.y.to)
	for _, t := range d.y.ticks {
		at, on := d.y.position(t.value)
		if on {
			d.Rules = append(d.Rules, rule{left, px(at), right, px(at), "grid"})
			d.addLabel(float64(left)-7, at+4, "end", "tick", t.label)
		}
	}
	for _, t := range d.x.ticks {
		at, on := d.x.position(t.value)
		if on && d.x.gridLines {
			d.Rules = append(d.Rules, rule{px(at), top, px(at), bottom, "grid"})
		}
		if on {
			d.Rules = append(d.Rules, rule{px(at), bottom, px(at), bottom + 4, "axis"})
		}
		if on && at+textWidth(t.label)/2 <= float64(d.Width)+2 { // with many nines, the last label does not fit
			d.addLabel(at, float64(bottom)+17, "middle", "tick", t.label)
		}
	}
	d.Rules = append(d.Rules, rule{left, bottom, right, bottom, "axis"})
	d.addLabel(2, float64(top)-13, "start", "name", d.y.name)
	d.addLabel((d.x.from+d.x.to)/2, float64(bottom)+34, "middle", "name", d.x.name)
}

func (d *drawing) addLabel(x, y float64, anchor, class, text string) {
	if text != "" {
		d.Labels = append(d.Labels, label{px(x), px(y), anchor, class, text})
	}
}

// drawLegend writes the names of the series in rows, and returns where the rows end.
func (d *drawing) drawLegend(legend []series, width float64) float64 {
	const sample, gap = 24, 16
	x, y := 4.0, textHeight
	for _, s := range legend {
		if x > 4 && x+sample+6+textWidth(s.name) > width {
			x, y = 4, y+legendRoom
		}
		if !s.marksOnly {
			d.Lines = append(d.Lines, shape{D: fmt.Sprintf("M%s %sH%s", px(x), px(y-4), px(x+sample)),
				Class: s.lineClass()})
		}
		d.addMark(x+sample/2, y-4, s, "")
		d.addLabel(x+sample+6, y, "start", "key", s.name)
		x += sample + 6 + textWidth(s.name) + gap
	}
	if len(legend) == 0 {
		return 0
	}
	return y + 4
}

func (s series) lineClass() string {
	if s.dashed {
		return s.class + " dashed"
	}
	return s.class
}

// marker is the outline of the marks of a series, so that series differ without colours too.
type marker int

const (
	noMarker marker = iota
	circle
	square
	triangle
	diamond
	cross
	dot // a small circle
)

// addMark draws one mark of a series.
func (d *drawing) addMark(x, y float64, s series, title string) {
	at := func(dx, dy float64) string { return px(x+dx).String() + " " + px(y+dy).String() }
	var path string
	switch s.marker {
	case noMarker:
		return
	case circle:
		path = "M" + at(-3.5, 0) + "a3.5 3.5 0 1 0 7 0a3.5 3.5 0 1 0 -7 0z"
	case dot:
		path = "M" + at(-2.2, 0) + "a2.2 2.2 0 1 0 4.4 0a2.2 2.2 0 1 0 -4.4 0z"
	case square:
		path = "M" + at(-3.2, -3.2) + "h6.4v6.4h-6.4z"
	case triangle:
		path = "M" + at(0, -4.4) + "L" + at(4.2, 3.2) + "L" + at(-4.2, 3.2) + "z"
	case diamond:
		path = "M" + at(0, -4.6) + "L" + at(4.6, 0) + "L" + at(0, 4.6) + "L" + at(-4.6, 0) + "z"
	case cross:
		path = "M" + at(-3.5, -3.5) + "l7 7M" + at(3.5, -3.5) + "l-7 7"
	}
	class := "mark " + s.class
	if s.marker == cross {
		class = "cross " + s.class
	}
	d.Marks = append(d.Marks, shape{path, class, title})
}

// point is a value of a series.
type point struct {
	x, y  float64
	title string
}

// addLine draws a line through points, with marks. The line is interrupted at a point that is on no axis. A single
// point between two interruptions becomes a dot.
func (d *drawing) addLine(s series, points []point) {
	var path strings.Builder
	var xs, ys []float64
	end := func() {
		if len(xs) == 1 && s.marker == noMarker {
			alone := s
			alone.marker = dot
			d.addMark(xs[0], ys[0], alone, "")
		}
		for i := range xs {
			if len(xs) > 1 && !s.marksOnly {
				path.WriteString(pathCommand(i) + px(xs[i]).String() + " " + px(ys[i]).String())
			}
		}
		xs, ys = xs[:0], ys[:0]
	}
	for _, p := range points {
		x, onX := d.x.position(p.x)
		y, onY := d.y.position(p.y)
		if !onX || !onY {
			end()
			continue
		}
		xs, ys = append(xs, x), append(ys, y)
		d.addMark(x, y, s, p.title)
	}
	end()
	if path.Len() > 0 {
		d.Lines = append(d.Lines, shape{D: path.String(), Class: s.lineClass()})
	}
}

// pathCommand returns the command of an SVG path for the i-th point of a line.
func pathCommand(i int) string {
	if i == 0 {
		return "M"
	}
	return "L"
}

// span returns the part of the plot between two values of x.
func (d *drawing) span(from, to float64, class, title string) (box, bool) {
	x1, on1 := d.x.position(from)
	x2, on2 := d.x.position(to)
	if !on1 || !on2 || x2 <= x1 {
		return box{}, false
	}
	return box{px(x1), d.plot.Y, px(x2 - x1), d.plot.Height, class, title}, true
}

// labelAbove writes a text above the plot, centred at x but inside the drawing. It leaves the text out if it would
// overlap the last one.
func (d *drawing) labelAbove(x float64, class, text string) {
	half := textWidth(text) / 2
	at := math.Min(math.Max(x, leftRoom+half), float64(d.Width)-half-2)
	if at-half < d.labelsEnd {
		return
	}
	d.labelsEnd = at + half + 6
	d.addLabel(at, d.y.to-9, "middle", class, text)
}
