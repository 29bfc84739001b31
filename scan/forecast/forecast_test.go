package forecast

import (
	"math"
	"strings"
	"testing"

	"headcount/scan/list"
	"headcount/scan/metrics"
)

func TestAdd(t *testing.T) {
	f := newForecast()
	f.add(&list.Page{Entries: []list.Entry{{Size: 5, StorageClass: "STANDARD"}, {Size: 0, StorageClass: "GLACIER_IR"}}}, 2)
	f.add(&list.Page{Entries: []list.Entry{{Size: -1}, {Size: 7, StorageClass: "STANDARD"}}}, 1)
	if f.Objects != 4 || f.Heads != 3 || f.Bytes != 12 || f.Unsized != 1 {
		t.Errorf("%+v", f)
	}
	if len(f.Classes) != 3 || f.Classes["STANDARD"] != 2 || f.Classes["GLACIER_IR"] != 1 || f.Classes[""] != 1 {
		t.Errorf("%v", f.Classes)
	}
}

// A store with a storage class of its own for each object does not fill the memory with names.
func TestClassesAreBounded(t *testing.T) {
	f := newForecast()
	for i := range 1000 {
		f.add(&list.Page{Entries: []list.Entry{{StorageClass: strings.Repeat("x", i+1)}, {StorageClass: "x"}}}, 2)
	}
	if len(f.Classes) > classesMax+1 || f.Classes["x"] != 1001 || f.Classes[otherClasses] != 1000-classesMax {
		t.Errorf("%d classes: %v", len(f.Classes), f.Classes)
	}
}

func TestSetDuration(t *testing.T) {
	for _, c := range []struct {
		name     string
		forecast Forecast
		requests int64
		want     float64
	}{
		{"the requests take longer", Forecast{Rate: 1000, Listing: 3}, 10_000, 10},
		{"the listing takes longer", Forecast{Rate: 10_000, Listing: 3}, 10_000, 3},
		{"no request", Forecast{Listing: 0.2}, 0, 0.2},
		{"a slow beginning", Forecast{Rate: 1000, Sample: &Sample{Heads: 500, Seconds: 4}}, 10_500, 14},
		{"all within the sample", Forecast{Rate: 1000, Sample: &Sample{Heads: 500, Seconds: 4}}, 500, 0.5},
	} {
		c.forecast.setDuration(c.requests)
		if got := c.forecast.Seconds; got == nil || *got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

// The rate of a sample is that of the pool at the end, as far as the HEADs succeed: at first the pool has few workers.
func TestSampleRate(t *testing.T) {
	history := []metrics.Step{
		{Workers: 32, HeadsPerSecond: 600}, {Workers: 256, HeadsPerSecond: 5000}, {Workers: 512, HeadsPerSecond: 8000},
		{Workers: 341, HeadsPerSecond: 7000},
	}
	for _, c := range []struct {
		name    string
		history []metrics.Step
		ok      int64 // of 4,000 HEADs
		want    float64
	}{
		{"all succeed", history, 4000, 8000},
		{"half of them succeed", history, 2000, 4000},
		{"in its first window", nil, 4000, 1000},
		{"the store became slow", append(history, metrics.Step{HeadsPerSecond: 10}, metrics.Step{HeadsPerSecond: 10},
			metrics.Step{HeadsPerSecond: 10}), 4000, 10},
	} {
		s := Sample{
			Heads: 4000, Seconds: 4, Statuses: map[string]int64{"200": c.ok, "404": 4000 - c.ok},
			SettledRate: settledRate(c.history),
		}
		if got := s.rate(); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

// The wanted costs are calculated by hand: LISTs at $0.005 per 1,000; HEADs at $0.0004, $0.001 and $0.01.
func TestSetCost(t *testing.T) {
	const byAWS = "AWS's prices of 2026-08-01 in us-east-1"
	mixed := map[string]int64{"STANDARD": 1_000_000, "STANDARD_IA": 100_000, "GLACIER_IR": 10_000}
	for _, c := range []struct {
		name    string
		classes map[string]int64
		given   *Price
		aws     bool
		region  string
		want    Cost
		unknown string
	}{
		{"one class", map[string]int64{"STANDARD": 1_000_000}, nil, true, "us-east-1", Cost{Lists: 0.005555, Heads: 0.4, By: byAWS}, ""},
		{"several", mixed, nil, true, "us-east-1", Cost{Lists: 0.005555, Heads: 0.6, By: byAWS}, ""},
		{"another region", mixed, nil, true, "eu-west-3", Cost{Lists: 0.005555, Heads: 0.6, By: byAWS + "; eu-west-3 may differ"}, ""},
		{"given", mixed, &Price{List: 1, Head: 2}, false, "us-east-1", Cost{Lists: 1.111, Heads: 2220, By: "--price"}, ""},
		{"free", mixed, &Price{}, true, "us-east-1", Cost{By: "--price"}, ""},
		{"an empty bucket", nil, nil, true, "us-east-1", Cost{Lists: 0.005555, By: byAWS}, ""},
		{"not AWS", mixed, nil, false, "us-east-1", Cost{}, "the store is not AWS"},
		{"China", mixed, nil, true, "cn-north-1", Cost{}, "AWS bills cn-north-1 by other prices"},
		{"a class without a price", map[string]int64{"STANDARD": 5, "EXPRESS_ONEZONE": 1}, nil, true, "us-east-1",
			Cost{}, "what a HEAD costs for 1 object of class EXPRESS_ONEZONE"},
		{"no class", map[string]int64{"": 2000}, nil, true, "us-east-1", Cost{}, "what a HEAD costs for 2,000 objects of class (none listed)"},
	} {
		f := newForecast()
		f.Classes, f.Lists = c.classes, 1_111
		f.setCost(c.given, c.aws, c.region)
		if f.PriceUnknown != c.unknown || (f.Price == nil) != (c.unknown != "") {
			t.Errorf("%s: %+v, %q", c.name, f.Price, f.PriceUnknown)
		}
		if got := f.Price; got != nil && (!near(got.Lists, c.want.Lists) || !near(got.Heads, c.want.Heads) ||
			!near(got.Total, c.want.Lists+c.want.Heads) || got.By != c.want.By) {
			t.Errorf("%s: %+v, want %+v", c.name, *got, c.want)
		}
	}
}

func near(a, b float64) bool { return math.Abs(a-b) < 1e-9 }

func TestParsePrice(t *testing.T) {
	for text, want := range map[string]Price{"0.005,0.0004": {0.005, 0.0004}, "0,0": {}, "1,2.50": {1, 2.5}, "1,1": {1, 1}} {
		if got, err := ParsePrice(text); err != nil || *got != want {
			t.Errorf("%s: %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", ",", "1", "1,", ",1", "1,2,3", "-1,2", "+1,2", "1, 2", "1e3,2", "$1,2", ".5,1", "1.,1", "NaN,1", "Inf,1", "1,9999999999", "0x1,1", "٣,1"} {
		if got, err := ParsePrice(text); err == nil {
			t.Errorf("%q was taken for %v", text, got)
		}
	}
}

func TestIsAWS(t *testing.T) {
	for url, want := range map[string]bool{
		"":                                       true,
		"https://s3.eu-west-1.amazonaws.com":     true,
		"https://s3.amazonaws.com:443/":          true,
		"https://amazonaws.com.example.com":      false,
		"https://s3.notamazonaws.com":            false,
		"https://s3.cn-north-1.amazonaws.com.cn": false,
		"http://127.0.0.1:9000":                  false,
	} {
		if got := isAWS(strings.Fields(url)); got != want {
			t.Errorf("%q: %v", url, got)
		}
	}
	if isAWS([]string{"https://s3.amazonaws.com", "http://127.0.0.1"}) {
		t.Error("one of them is enough")
	}
}
