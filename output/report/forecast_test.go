package report

import (
	"bytes"
	"testing"

	"headcount/scan/forecast"
)

func pointer[T any](v T) *T { return &v }

func TestDurationText(t *testing.T) {
	for _, c := range []struct {
		name     string
		forecast forecast.Forecast
		want     string
	}{
		{"given", forecast.Forecast{Rate: 1000, RateIs: forecast.RateGiven, Listing: 3, Seconds: pointer(10.)},
			"10s at 1,000 requests/s, as given by --rate"},
		{"measured", forecast.Forecast{Rate: 2.5, RateIs: forecast.RateMeasured, Listing: 3, Seconds: pointer(4000.), Sample: &forecast.Sample{Heads: 200}},
			"1h7m at 2.5 HEADs/s, as measured by a sample of 200"},
		{"the listing takes longer", forecast.Forecast{Rate: 10_000, RateIs: forecast.RateMeasured, Listing: 3, Seconds: pointer(3.)},
			"3s, the time of the listing"},
		{"no objects", forecast.Forecast{RateIs: forecast.RateUnknown, Listing: 0.2, Seconds: pointer(0.2)}, "less than 1s, the time of the listing"},
		{"unknown", forecast.Forecast{RateIs: forecast.RateUnknown, Sample: &forecast.Sample{Objects: 200}},
			"not known: no HEAD for a sample of objects succeeded within 4s; --rate N gives one"},
	} {
		if got := durationText(&c.forecast); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

func TestPriceText(t *testing.T) {
	for want, f := range map[string]forecast.Forecast{
		"$2,221.11 = $1.11 for LISTs + $2,220.00 for HEADs, by --price": {Price: &forecast.Cost{Lists: 1.111, Heads: 2220, Total: 2221.111, By: "--price"}},
		"not known: the store is not AWS; --price LIST,HEAD gives one":  {PriceUnknown: "the store is not AWS"},
	} {
		if got := priceText(&f); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

func TestWriteForecast(t *testing.T) {
	f := &forecast.Forecast{
		Objects: 12_345, Bytes: 1_234_567, Unsized: 1, Lists: 14, Heads: 12_345,
		Rate: 1000, RateIs: forecast.RateGiven, Seconds: pointer(12.359),
		Classes: map[string]int64{"GLACIER": 345, "STANDARD": 11_000, "evil\t\x1b[2J": 1000},
		Price:   &forecast.Cost{Lists: 0.00007, Heads: 0.004938, Total: 0.005008, By: "--price"},
	}
	var text bytes.Buffer
	if err := WriteForecast(&text, f); err != nil {
		t.Fatal(err)
	}
	want := `objects   12,345
bytes     1,234,567 (1.2 MB), without 1 object of unknown size
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

func TestShortNumbers(t *testing.T) {
	for _, c := range [][2]string{
		{shortBytes(1000), "1.0 kB"}, {shortBytes(999_499), "999 kB"}, {shortBytes(999_500), "1.0 MB"}, {shortBytes(99_949), "99.9 kB"},
		{shortBytes(99_950), "100 kB"}, {shortBytes(1 << 62), "4.6 EB"},
		{secondsText(0), "less than 1s"}, {secondsText(1), "1s"}, {secondsText(273.4), "4m33s"}, {secondsText(3600), "1h0m"},
		{secondsText(2 * 24 * 3600), "2 days"}, {secondsText(3.46 * 24 * 3600), "3.5 days"}, {secondsText(1e15), "11574074074.1 days"},
		{rateText(0.0123), "0.0123"}, {rateText(9.99), "9.99"}, {rateText(10.4), "10"}, {rateText(12_345.6), "12,346"},
		{dollars(0), "$0.00"}, {dollars(0.000055), "$0.000055"}, {dollars(0.0999), "$0.100"}, {dollars(0.1), "$0.10"}, {dollars(1234.567), "$1,234.57"},
	} {
		if c[0] != c[1] {
			t.Errorf("%s, want %s", c[0], c[1])
		}
	}
}
