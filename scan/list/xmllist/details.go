package xmllist

import (
	"net/http"
	"time"
)

// detail is what an object has where Asked.Details is set. Its texts are spans of page.text.
type detail struct {
	owner             span // the DisplayName, or the ID
	algorithm, kind   span // of the checksum
	restoring, expiry span // of the RestoreStatus
}

// isDetail reports whether w begins with the start tag of a part of a detail.
func (p *page) isDetail(w []byte) bool {
	if !p.asked.Details {
		return false
	}
	name, _ := startTag(w, 0)
	return p.isDetailName(string(name))
}

// isDetailName reports whether an element of that name is a part of a detail. Of several elements the last one counts.
func (p *page) isDetailName(name string) bool {
	switch name {
	case "Owner", "ChecksumType", "RestoreStatus", "ChecksumAlgorithm":
		return p.asked.Details
	}
	return false
}

// detailField returns where the text of an element of a detail goes; nil: it is not a part. parent is empty for the
// children of an object.
func (t *detail) detailField(parent, name string) *span {
	switch parent + "/" + name {
	case "/ChecksumAlgorithm":
		return &t.algorithm
	case "/ChecksumType":
		return &t.kind
	case "Owner/ID", "Owner/DisplayName":
		return &t.owner
	case "RestoreStatus/IsRestoreInProgress":
		return &t.restoring
	case "RestoreStatus/RestoreExpiryDate":
		return &t.expiry
	}
	return nil
}

// setDetail sets the part of a detail that an element has, by its text. Of several algorithms it makes a list.
func (p *page) setDetail(field *span, name string, text span) {
	switch {
	case text.from == text.to:
	case name == "ChecksumAlgorithm" && field.from < field.to:
		from := len(p.text)
		p.text = append(append(p.text, p.textOf(*field)...), ',')
		p.text = append(p.text, p.textOf(text)...)
		*field = p.since(from)
	case name == "ID" && field.from < field.to: // the name is better
	default:
		*field = text
	}
}

// addDetail adds the detail of an object that was added to the page.
func (p *page) addDetail(t detail) {
	if p.asked.Details {
		p.details = append(p.details, t)
	}
}

// addDetails adds the details of objects to entries. Their texts are in text.
func (p *page) addDetails(entries []Entry, text string) {
	if !p.asked.Details {
		return
	}
	made := make([]Details, len(entries)) // one piece of memory for all
	for i := range p.details {
		t, e := &p.details[i], &entries[i]
		if e.Details == nil {
			e.Details = &made[i]
		}
		d := e.Details
		d.Owner, d.ChecksumAlgorithm, d.ChecksumType = t.owner.of(text), t.algorithm.of(text), t.kind.of(text)
		if restore := restoreHeader(t.restoring.of(text), t.expiry.of(text)); restore != "" {
			d.Headers = append(d.Headers, DetailHeader{Name: "x-amz-restore", Value: restore})
		}
	}
}

// restoreHeader returns what a HEAD says of a RestoreStatus; empty: nothing.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_RestoreStatus.html,
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html (Restore)
func restoreHeader(inProgress, expiry string) string {
	switch {
	case inProgress == "":
		return ""
	case isTrue([]byte(inProgress)):
		return `ongoing-request="true"`
	}
	at, err := time.Parse(time.RFC3339, expiry)
	if err != nil {
		return `ongoing-request="false"`
	}
	return `ongoing-request="false", expiry-date="` + at.UTC().Format(http.TimeFormat) + `"`
}

// detail collects the element at i, which is a part of a detail.
func (d *Decoder) detail(w []byte, i int, t *detail) int {
	name, start := startTag(w, i)
	element := string(name)
	if field := t.detailField("", element); field != nil {
		text, end := d.field(w, start, "</"+element+">")
		if end > 0 {
			d.setDetail(field, element, text)
		}
		return end
	}
	for {
		start = blankEnd(w, start)
		if w[start+1] == '/' {
			return endTag(w, start, name)
		}
		child, from := startTag(w, start)
		field := t.detailField(element, string(child))
		if field == nil {
			if start = d.skipElement(w, start, 1); start == 0 {
				return 0
			}
			continue
		}
		text, end := d.field(w, from, "</"+string(child)+">")
		if end == 0 {
			return 0
		}
		d.setDetail(field, string(child), text)
		start = end
	}
}

// detail collects the innermost element, whose name is that of a part of a detail.
func (r *slowReader) detail(element string, t *detail) {
	if field := t.detailField("", element); field != nil {
		r.page.setDetail(field, element, r.field())
		return
	}
	for name, ok := r.child(); ok; name, ok = r.child() {
		if field := t.detailField(element, name); field != nil {
			r.page.setDetail(field, name, r.field())
		} else {
			r.skip()
		}
	}
}
