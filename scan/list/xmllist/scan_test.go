package xmllist

import (
	"io"
	"maps"
	"net/http"
	"strings"
	"testing"

	"headcount/bench/s3sim"
	"headcount/bench/s3sim/simtest"
)

// The fast scanner reads the answers of stores alone. encoding/xml costs some fifty times as much.
func TestScanReadsStoresAlone(t *testing.T) {
	documents := map[string]string{}
	for _, f := range listForms() {
		documents[f.name] = f.page(1000)
	}
	for name, body := range storeAnswers(t) {
		documents[name] = string(body)
	}
	for _, form := range s3sim.ListForms() {
		options := s3sim.Options{Objects: 1000, Shape: s3sim.Nasty, XMLSafe: true, ListForm: form, ListMetadata: true}
		_, url := simtest.Start(t, options)
		response, err := http.Get(url + "/demo?list-type=2&encoding-type=url&metadata=true")
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(response.Body)
		if err != nil {
			t.Fatal(err)
		}
		documents["bench serve --list-form "+string(form)] = string(body)
		response.Body.Close()
	}
	maps.DeleteFunc(documents, func(name, _ string) bool { // they have comments, CDATA and prefixes, or another root
		return name == "prefixed.xml" || strings.HasPrefix(name, "error-")
	})
	for name, body := range documents {
		for _, withMetadata := range []bool{false, true} {
			d := new(Decoder)
			d.open(strings.NewReader(body), BodyBytesMax)
			d.asked.Metadata = withMetadata
			if !d.scan() {
				t.Errorf("%s, metadata %v: encoding/xml is needed after %d of %d bytes", name, withMetadata, d.offset(), len(body))
			}
		}
	}
}

// One odd object costs no more than itself: what the scanner has read before stays.
func TestScanHandsOverInTheMiddle(t *testing.T) {
	page := basicForm().page(1000)
	middle := strings.Index(page, "<Contents><Key>data/2026/11/22/part-00000500")
	odd := page[:middle] + "<!-- odd -->" + page[middle:]
	want, err := new(Decoder).Decode(strings.NewReader(page), Asked{})
	if err != nil {
		t.Fatal(err)
	}
	d := new(Decoder)
	d.open(strings.NewReader(odd), BodyBytesMax)
	if d.scan() || len(d.objects) != 500 || d.offset() != int64(middle) {
		t.Errorf("%d objects were read, up to byte %d of %d", len(d.objects), d.offset(), middle)
	}
	if got, err := new(Decoder).Decode(strings.NewReader(odd), Asked{}); show(got, err) != show(want, nil) {
		t.Errorf("with a comment in the middle: %.200s", show(got, err))
	}
}
