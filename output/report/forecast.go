package report

import (
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"headcount/output/console"
	"headcount/scan"
	"headcount/scan/forecast"
)

// WriteForecast writes f to w as a table for people. Its error is a scan.OutputError.
func WriteForecast(w io.Writer, f *forecast.Forecast) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	row := func(name, value string) {
		_, _ = fmt.Fprintf(t, "%s\t%s\n", name, console.Printable(value)) // Flush returns the error
	}
	row("objects", console.Number(f.Objects))
	row("bytes", bytesText(f))
	if classes := classesText(f); classes != "" {
		row("classes", classes)
	}
	row("LISTs", console.Number(f.Lists))
	row("HEADs", console.Number(f.Heads))
	for _, kind := range slices.Sorted(maps.Keys(f.Lookups)) {
		row("requests", "up to "+console.Number(f.Lookups[kind])+" for "+kind)
	}
	row("duration", durationText(f))
	row("price", priceText(f))
	return scan.WrapOutput(t.Flush())
}

func bytesText(f *forecast.Forecast) string {
	text := console.Number(f.Bytes)
	if f.Bytes >= 1000 {
		text += " (" + shortBytes(f.Bytes) + ")"
	}
	if f.Unsized > 0 {
		text += fmt.Sprintf(", without %s of unknown size", console.Count(f.Unsized, "object", "objects"))
	}
	return text
}

func classesText(f *forecast.Forecast) string {
	var classes []string
	for _, class := range f.ClassNames() {
		classes = append(classes, forecast.ClassText(class)+" "+console.Number(f.Classes[class]))
	}
	return strings.Join(classes, ", ")
}

func durationText(f *forecast.Forecast) string {
	switch {
	case f.Seconds == nil:
		return fmt.Sprintf("not known: no HEAD for a sample of objects succeeded within %v; --rate N gives one",
			forecast.SampleTime)
	case *f.Seconds == f.Listing:
		return secondsText(*f.Seconds) + ", the time of the listing"
	case f.RateIs == forecast.RateGiven:
		return fmt.Sprintf("%s at %s requests/s, as given by --rate", secondsText(*f.Seconds), rateText(f.Rate))
	}
	return fmt.Sprintf("%s at %s HEADs/s, as measured by a sample of %s",
		secondsText(*f.Seconds), rateText(f.Rate), console.Number(f.Sample.Heads))
}

func priceText(f *forecast.Forecast) string {
	if f.Price == nil {
		return "not known: " + f.PriceUnknown + "; --price LIST,HEAD gives one"
	}
	further := ""
	if f.Price.Lookups > 0 {
		further = " + up to " + dollars(f.Price.Lookups) + " for further requests"
	}
	return fmt.Sprintf("%s = %s for LISTs + %s for HEADs%s, by %s",
		dollars(f.Price.Total), dollars(f.Price.Lists), dollars(f.Price.Heads), further, f.Price.By)
}

// shortBytes formats n, at least 1,000, with two or three digits and a unit. humanize.Bytes writes 999,500 as 1000 kB.
func shortBytes(n int64) string {
	const units = "kMGTPE"
	value, unit := float64(n)/1000, 0
	for ; value >= 999.5 && unit < len(units)-1; unit++ {
		value /= 1000
	}
	digits := 1
	if value >= 99.95 {
		digits = 0
	}
	return fmt.Sprintf("%.*f %cB", digits, value, units[unit])
}

// secondsText formats a duration with the precision of a forecast.
func secondsText(seconds float64) string {
	const day = 24 * 3600
	switch d := time.Duration(min(seconds, math.MaxInt32*day) * float64(time.Second)); {
	case seconds >= 2*day:
		return fmt.Sprintf("%s days", strings.TrimSuffix(fmt.Sprintf("%.1f", seconds/day), ".0"))
	case seconds >= 3600:
		return strings.TrimSuffix(d.Round(time.Minute).String(), "0s")
	case seconds >= 1:
		return d.Round(time.Second).String()
	}
	return "less than 1s"
}

// rateText formats a rate: a low one with three digits, so that different rates look different.
func rateText(rate float64) string {
	if rate < 10 {
		return fmt.Sprintf("%.3g", rate)
	}
	return console.Number(int64(math.Round(rate)))
}

// dollars formats a sum with cents; a sum below 10 cents, with two significant digits.
func dollars(sum float64) string {
	if sum >= 0.1 || sum == 0 {
		n := int64(math.Round(sum * 100))
		return fmt.Sprintf("$%s.%02d", console.Number(n/100), n%100)
	}
	return fmt.Sprintf("$%.*f", 1-int(math.Floor(math.Log10(sum))), sum)
}
