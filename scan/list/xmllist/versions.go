package xmllist

import (
	"bytes"
	"fmt"
)

// markerElement is the name of the element of a delete marker. Those of the other versions are versionElements.
const (
	versionElement = "Version"
	markerElement  = "DeleteMarker"
)

// nullVersion is the ID of the version of an object that was written without versioning.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/versioning-workflows.html
const nullVersion = "null"

// version is what a Version or a DeleteMarker has beside the fields of a Contents. Its text is a span of page.text.
type version struct {
	id                 span
	isLatest, isMarker bool
}

// isObjectName reports whether an element of that name is an object of the listing.
func (p *page) isObjectName(name string) bool {
	if p.asked.Versions {
		return name == versionElement || name == markerElement
	}
	return name == "Contents"
}

// isTrue reports whether a text says true. Programs in Python write True.
func isTrue(text []byte) bool { return bytes.EqualFold(bytes.TrimSpace(text), []byte("true")) }

// isVersionTag reports whether w begins with the start tag of a version.
func isVersionTag(w []byte) bool {
	return hasPrefix(w, "<"+versionElement+">") || hasPrefix(w, "<"+markerElement+">")
}

// version collects the version whose element begins at i, as contents does.
func (d *Decoder) version(w []byte, i int) int {
	element, i := startTag(w, i)
	var (
		o    = object{size: -1}
		v    = version{isMarker: string(element) == markerElement}
		t    detail
		seen [8]bool
	)
	d.repeats.nth = 0
	for {
		i = blankEnd(w, i)
		if w[i+1] == '/' {
			end := endTag(w, i, element)
			if end > 0 {
				d.objects, d.versions = append(d.objects, o), append(d.versions, v)
				d.addDetail(t)
			}
			return end
		}
		field := 0
		switch {
		case hasPrefix(w[i:], "<Key>"):
			field = 1
			o.key, i = d.field(w, i+len("<Key>"), "</Key>")
		case hasPrefix(w[i:], "<VersionId>"):
			field = 2
			v.id, i = d.field(w, i+len("<VersionId>"), "</VersionId>")
		case hasPrefix(w[i:], "<IsLatest>"):
			field = 3
			v.isLatest, i = d.flag(w, i+len("<IsLatest>"), "</IsLatest>")
		case hasPrefix(w[i:], "<LastModified>"):
			field = 4
			o.modified, i = d.field(w, i+len("<LastModified>"), "</LastModified>")
		case hasPrefix(w[i:], "<ETag>"):
			field = 5
			o.etag, i = d.etag(w, i+len("<ETag>"))
		case hasPrefix(w[i:], "<Size>"):
			field = 6
			o.size, i = d.size(w, i+len("<Size>"))
		case hasPrefix(w[i:], "<StorageClass>"):
			field = 7
			o.class, i = d.class(w, i)
		case d.isDetail(w[i:]):
			i = d.detail(w, i, &t)
		default:
			i = d.skipField(w, i)
		}
		if i == 0 || seen[field] {
			return 0
		}
		seen[field] = field > 0
	}
}

// flag reads the truth value at i, which this end tag follows.
func (d *Decoder) flag(w []byte, i int, endTag string) (bool, int) {
	end := plainEnd(w, i)
	if !hasPrefix(w[end:], endTag) {
		return false, 0
	}
	return isTrue(w[i:end]), end + len(endTag)
}

// addVersions makes the Details of entries that are versions. Their texts are in text. A version without an ID is the
// null version.
func (p *page) addVersions(entries []Entry, text string) error {
	if !p.asked.Versions {
		return nil
	}
	details := make([]Details, len(entries)) // one piece of memory for all
	for i, v := range p.versions {
		d := &details[i]
		d.VersionID, d.IsLatest, d.DeleteMarker = v.id.of(text), v.isLatest, v.isMarker
		if d.VersionID == "" {
			d.VersionID = nullVersion
		}
		if len(d.VersionID) > keyBytesMax {
			return fmt.Errorf("%w: a version ID has more than %d bytes", ErrTooLarge, keyBytesMax)
		}
		entries[i].Details = d
	}
	return nil
}
