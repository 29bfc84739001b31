package heads

import (
	"encoding/xml"
	"io"
	"regexp"
	"slices"
	"strings"
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
