package main

import (
	"bytes"
	"context"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"headcount/bench/s3sim"
	"headcount/bench/s3sim/simtest"
	"headcount/scan/exit"
	"headcount/scan/list"
)

func newForecast() *forecast { return &forecast{Classes: map[string]int64{}} }

func TestForecastCounts(t *testing.T) {
	f := newForecast()
	f.add(&list.Page{Entries: []list.Entry{{Size: 5, StorageClass: "STANDARD"}, {Size: 0, StorageClass: "GLACIER_IR"}}})
	f.add(&list.Page{Entries: []list.Entry{{Size: -1}, {Size: 7, StorageClass: "STANDARD"}}})
	if f.Objects != 4 || f.Heads != 4 || f.Bytes != 12 || f.Unsized != 1 {
		t.Errorf("%+v", f)
	}
	if len(f.Classes) != 3 || f.Classes["STANDARD"] != 2 || f.Classes["GLACIER_IR"] != 1 || f.Classes[""] != 1 {
		t.Errorf("%v", f.Classes)
	}
}

// A store that invents a class for each object does not fill the memory with them.
func TestForecastClassesAreBounded(t *testing.T) {
	f := newForecast()
	for i := range 1000 {
		f.add(&list.Page{Entries: []list.Entry{{StorageClass: strings.Repeat("x", i+1)}, {StorageClass: "x"}}})
	}
	if len(f.Classes) > classesMax+1 || f.Classes["x"] != 1001 || f.Classes[classesOther] != 1000-classesMax {
		t.Errorf("%d classes: %v", len(f.Classes), f.Classes)
	}
}

// By hand: LISTs at $0.005 per 1,000; HEADs at $0.0004, $0.001 and $0.01.
func TestForecastPrice(t *testing.T) {
	mixed := map[string]int64{"STANDARD": 1_000_000, "STANDARD_IA": 100_000, "GLACIER_IR": 10_000}
	for _, c := range []struct {
		name    string
		classes map[string]int64
		given   *price
		isAWS   bool
		region  string
		want    string
	}{
		{"one class", map[string]int64{"STANDARD": 1_000_000}, nil, true, "us-east-1",
			"$0.41 = $0.0056 for LISTs + $0.40 for HEADs, by AWS's prices of 2026-08-01 in us-east-1"},
		{"several", mixed, nil, true, "us-east-1",
			"$0.61 = $0.0056 for LISTs + $0.60 for HEADs, by AWS's prices of 2026-08-01 in us-east-1"},
		{"another region", mixed, nil, true, "eu-west-3",
			"$0.61 = $0.0056 for LISTs + $0.60 for HEADs, by AWS's prices of 2026-08-01 in us-east-1; eu-west-3 may differ"},
		{"given", mixed, &price{list: 1, head: 2}, false, "us-east-1", "$2,221.11 = $1.11 for LISTs + $2,220.00 for HEADs, by --price"},
		{"nothing to pay", mixed, &price{}, true, "us-east-1", "$0.00 = $0.00 for LISTs + $0.00 for HEADs, by --price"},
		{"not AWS", mixed, nil, false, "us-east-1", "not known: the store is not AWS; --price LIST,HEAD gives one"},
		{"China", mixed, nil, true, "cn-north-1", "not known: AWS bills cn-north-1 by other prices; --price LIST,HEAD gives one"},
		{"a class without a price", map[string]int64{"STANDARD": 5, "EXPRESS_ONEZONE": 1}, nil, true, "us-east-1",
			"not known: what a HEAD costs for 1 object of class EXPRESS_ONEZONE; --price LIST,HEAD gives one"},
		{"no class", map[string]int64{"": 2}, nil, true, "us-east-1",
			"not known: what a HEAD costs for 2 objects of class (not said); --price LIST,HEAD gives one"},
		{"an empty bucket", nil, nil, true, "us-east-1", "$0.0056 = $0.0056 for LISTs + $0.00 for HEADs, by AWS's prices of 2026-08-01 in us-east-1"},
	} {
		f := newForecast()
		f.Classes, f.Lists = c.classes, 1_111
		f.pay(c.given, c.isAWS, c.region)
		if got := f.cost(); got != c.want {
			t.Errorf("%s:\n%s, want\n%s", c.name, got, c.want)
		}
	}
}

func TestForecastDuration(t *testing.T) {
	for _, c := range []struct {
		name     string
		forecast forecast
		requests int64
		want     string
	}{
		{"given", forecast{Rate: 1000, RateIs: rateGiven, Listing: 3}, 10_000, "10s at 1,000 requests/s, as given by --rate"},
		{"measured", forecast{Rate: 2.5, RateIs: rateMeasured, Listing: 3, Sample: &sample{Heads: 200}}, 10_000,
			"1h7m at 2.5 HEADs/s, as measured by a sample of 200"},
		{"a listing that takes longer", forecast{Rate: 10_000, RateIs: rateMeasured, Listing: 3, Sample: &sample{Heads: 200}}, 10_000,
			"3s, the time of the listing"},
		{"nothing to ask for", forecast{RateIs: rateUnknown, Listing: 0.2}, 0, "less than 1s, the time of the listing"},
	} {
		c.forecast.last(c.requests)
		if got := c.forecast.duration(); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
	unknown := forecast{RateIs: rateUnknown, Sample: &sample{Objects: 200}}
	if got := unknown.duration(); got != "not known: no HEAD for a sample of objects succeeded within 2s; --rate N gives one" {
		t.Error(got)
	}
}

func TestForecastForPeople(t *testing.T) {
	f := &forecast{
		Objects: 12_345, Bytes: 1_234_567, Unsized: 1, Lists: 14, Heads: 12_345, Rate: 1000, RateIs: rateGiven,
		Classes: map[string]int64{"GLACIER": 345, "STANDARD": 11_000, "evil\t\x1b[2J": 1000},
	}
	f.last(f.Lists + f.Heads)
	f.pay(&price{0.005, 0.0004}, false, "")
	var text bytes.Buffer
	if err := f.write(&text); err != nil {
		t.Fatal(err)
	}
	want := `objects   12,345
bytes     1,234,567 (1.2 MB), without 1 object of no known size
classes   STANDARD 11,000, evil\t\x1b[2J 1,000, GLACIER 345
LISTs     14
HEADs     12,345
duration  12s at 1,000 requests/s, as given by --rate
price     $0.0050 = $0.000070 for LISTs + $0.0049 for HEADs, by --price
`
	if text.String() != want {
		t.Errorf("%s, want\n%s", text.String(), want)
	}
}

func TestHumanNumbers(t *testing.T) {
	for _, c := range [][2]string{
		{humanBytes(1000), "1.0 kB"}, {humanBytes(999_499), "999 kB"}, {humanBytes(999_500), "1.0 MB"}, {humanBytes(99_949), "99.9 kB"},
		{humanBytes(99_950), "100 kB"}, {humanBytes(1 << 62), "4.6 EB"},
		{humanSeconds(0), "less than 1s"}, {humanSeconds(1), "1s"}, {humanSeconds(273.4), "4m33s"}, {humanSeconds(3600), "1h0m"},
		{humanSeconds(2 * 24 * 3600), "2 days"}, {humanSeconds(3.46 * 24 * 3600), "3.5 days"}, {humanSeconds(1e15), "11574074074.1 days"},
		{humanRate(0.0123), "0.0123"}, {humanRate(9.99), "9.99"}, {humanRate(10.4), "10"}, {humanRate(12_345.6), "12,346"},
		{dollars(0), "$0.00"}, {dollars(0.000055), "$0.000055"}, {dollars(0.0999), "$0.100"}, {dollars(0.1), "$0.10"}, {dollars(1234.567), "$1,234.57"},
	} {
		if c[0] != c[1] {
			t.Errorf("%s, want %s", c[0], c[1])
		}
	}
}

func TestParsePrice(t *testing.T) {
	for text, want := range map[string]price{"0.005,0.0004": {0.005, 0.0004}, "0,0": {}, "1,2.50": {1, 2.5}, "1,1": {1, 1}} {
		if got, err := parsePrice(text); err != nil || *got != want {
			t.Errorf("%s: %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", ",", "1", "1,", ",1", "1,2,3", "-1,2", "+1,2", "1, 2", "1e3,2", "$1,2", ".5,1", "1.,1", "NaN,1", "Inf,1", "1,9999999999", "0x1,1", "٣,1"} {
		if got, err := parsePrice(text); err == nil {
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

// A dry run that is stopped in its sample has listed everything, and yet is not complete.
func TestDryRunIsStoppedInItsSample(t *testing.T) {
	for name, value := range awsNothing(t.TempDir()) {
		t.Setenv(name, value)
	}
	_, sim := simtest.Start(t, s3sim.Options{Objects: 500})
	to, err := url.Parse(sim)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancelCause(t.Context())
	proxy := httputil.NewSingleHostReverseProxy(to)
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodHead {
			stop(stoppedError{os.Interrupt})
		}
		proxy.ServeHTTP(w, r)
	}))
	defer front.Close()
	proxy.ErrorLog = log.New(io.Discard, "", 0)

	stats := filepath.Join(t.TempDir(), "stats.json")
	var out, errs bytes.Buffer
	code := run(ctx, []string{"headcount", "scan", "--dry-run", "--no-sign-request", "--endpoint-url", front.URL, "--stats", stats, "s3://demo"}, nil, &out, &errs)
	if code != exit.Interrupt || out.Len() > 0 || !strings.Contains(errs.String(), "not complete: 500 objects listed") {
		t.Errorf("exit %d, %s%s", code, out.String(), errs.String())
	}
	text, err := os.ReadFile(stats)
	if err != nil || !strings.Contains(string(text), `"complete": false`) {
		t.Errorf("%v: %s", err, text)
	}
}
