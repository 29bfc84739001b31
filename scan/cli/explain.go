package cli

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"headcount/scan"
	"headcount/scan/field"
	"headcount/scan/head/engine"
)

// explainFilter prints what the filter reads, what the LIST decides of it, and the requests that the job costs.
func (j *job) explainFilter(w io.Writer) error {
	var reads []string
	for _, f := range j.filter.Fields() {
		reads = append(reads, fmt.Sprintf("%s (%v)", f.Name, f.Origin))
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	row := func(name, value string) {
		_, _ = fmt.Fprintf(t, "%s\t%s\n", name, value) // Flush returns the error
	}
	row("filter", j.filter.Whole())
	row("reads", strings.Join(reads, ", "))
	row("prints", strings.Join(field.Names(j.fields), ", "))
	row("LIST's half", j.filter.Listed())
	if len(j.scan.Lookups) > 0 {
		row("HEAD's half", j.filter.Headed())
	}
	row("requests", strings.Join(append([]string{j.listsText(), j.headsText()}, j.lookupsTexts()...), ", "))
	return scan.WrapOutput(t.Flush())
}

// listsText says how many LISTs the job sends.
func (j *job) listsText() string {
	switch {
	case j.namedBy() != "":
		return "no LIST"
	case j.scan.VerifyListing:
		return "2 LISTs per 1,000 objects"
	}
	return "1 LIST per 1,000 objects"
}

// headsText says how many HEADs the job sends.
func (j *job) headsText() string {
	switch {
	case j.scan.NoHeads && j.inventory.name != "": // it is not opened
		return "no HEAD, if the inventory has a column for each of them"
	case j.scan.NoHeads:
		return "no HEAD"
	case j.scan.Engine == engine.List:
		return "HEADs only where the listing has no metadata"
	case j.asksAll():
		return "1 HEAD for each object of " + j.namedBy()
	case j.scan.Filter.Listed != nil:
		return "1 HEAD for each object that passes the LIST's half"
	}
	return "1 HEAD per object"
}

// lookupsTexts says how many further requests the job sends, of each kind.
func (j *job) lookupsTexts() (texts []string) {
	for _, kind := range j.scan.Lookups {
		text := "1 " + kind.Operation() + " for each object"
		if j.scan.Filter.Headed != nil {
			text += " that passes the HEAD's half"
		}
		texts = append(texts, text)
	}
	return texts
}
