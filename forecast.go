package main

import (
	"cmp"
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
	"headcount/scan/list"
	"headcount/scan/metrics"
)

// forecast is what a scan will take, as far as a listing shows it.
type forecast struct {
	Objects int64            `json:"objects"`
	Bytes   int64            `json:"bytes"`
	Unsized int64            `json:"objects_without_size,omitempty"` // which Bytes leaves out
	Classes map[string]int64 `json:"storage_classes"`                // objects by what the LIST says; "": nothing
	Lists   int64            `json:"lists"`
	Heads   int64            `json:"heads"` // one for each object, none of them sent twice

	// Rate is how many requests per second the Seconds are of: given by --rate, LISTs included, or how many HEADs per second of the Sample were
	// answered.
	Rate    float64  `json:"rate,omitempty"`
	RateIs  string   `json:"rate_is"` // given, measured, unknown
	Sample  *sample  `json:"sample,omitempty"`
	Seconds *float64 `json:"seconds,omitempty"` // absent: unknown
	Listing float64  `json:"list_seconds"`      // how long the listing took, while nothing else was asked for

	Price        *cost  `json:"price,omitempty"`
	PriceUnknown string `json:"price_unknown,omitempty"` // why there is no Price
}

// cost is what the requests cost, in US dollars.
type cost struct {
	Lists float64 `json:"lists_usd"`
	Heads float64 `json:"heads_usd"`
	Total float64 `json:"usd"`
	By    string  `json:"by"` // whose prices
}

// classesMax is more storage classes than any store has. Beyond it they are one, so that a store cannot fill the memory with names.
const (
	classesMax   = 32
	classesOther = "(others)"
)

// add counts the objects of a page.
func (f *forecast) add(p *list.Page) {
	for i := range p.Entries {
		e := &p.Entries[i]
		f.Objects++
		if e.Size >= 0 {
			f.Bytes += e.Size
		} else {
			f.Unsized++
		}
		f.Classes[f.class(e.StorageClass)]++
	}
	f.Heads = f.Objects
}

// class is the name under which objects of a class are counted.
func (f *forecast) class(name string) string {
	if _, isKnown := f.Classes[name]; isKnown {
		return name
	}
	if len(f.Classes) >= classesMax {
		return classesOther
	}
	return strings.Clone(name) // all texts of a page are one
}

// last reckons how long a scan takes that sends so many requests at the Rate: no less than the listing, since it goes on beside the HEADs.
func (f *forecast) last(requests int64) {
	seconds := f.Listing
	if requests > 0 {
		seconds = max(seconds, float64(requests)/f.Rate)
	}
	f.Seconds = &seconds
}

// pay reckons what the requests cost: by the prices that are given, or by AWS's.
func (f *forecast) pay(given *price, isAWS bool, region string) {
	switch {
	case given != nil:
		f.bill(given.list, func(string) (float64, bool) { return given.head, true }, "--price")
	case !isAWS:
		f.PriceUnknown = "the store is not AWS"
	case strings.HasPrefix(region, "cn-"):
		f.PriceUnknown = "AWS bills " + region + " by other prices"
	case region != awsPricesRegion:
		f.bill(awsListPrice, awsHeadPrice, fmt.Sprintf("AWS's prices of %s in %s; %s may differ", awsPricesDate, awsPricesRegion, region))
	default:
		f.bill(awsListPrice, awsHeadPrice, fmt.Sprintf("AWS's prices of %s in %s", awsPricesDate, awsPricesRegion))
	}
}

// bill reckons by prices per 1,000 requests.
func (f *forecast) bill(list float64, head func(class string) (float64, bool), by string) {
	c := &cost{Lists: float64(f.Lists) / 1000 * list, By: by}
	for _, class := range f.classes() {
		dollars, ok := head(class)
		if !ok {
			f.PriceUnknown = fmt.Sprintf("what a HEAD costs for %s of class %s", console.Count(f.Classes[class], "object", "objects"), className(class))
			return
		}
		c.Heads += float64(f.Classes[class]) / 1000 * dollars
	}
	c.Total = c.Lists + c.Heads
	f.Price = c
}

// classes are the storage classes, those of the most objects first.
func (f *forecast) classes() []string {
	return slices.SortedFunc(maps.Keys(f.Classes), func(a, b string) int {
		return cmp.Or(cmp.Compare(f.Classes[b], f.Classes[a]), cmp.Compare(a, b))
	})
}

// className is what people read where the LIST said none.
func className(class string) string { return cmp.Or(class, "(not said)") }

// write writes the forecast for people.
func (f *forecast) write(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	row := func(name, format string, args ...any) {
		_, _ = fmt.Fprintf(t, "%s\t%s\n", name, console.Printable(fmt.Sprintf(format, args...))) // Flush tells
	}
	row("objects", "%s", console.Number(f.Objects))
	bytes := console.Number(f.Bytes)
	if f.Bytes >= 1000 {
		bytes += " (" + humanBytes(f.Bytes) + ")"
	}
	if f.Unsized > 0 {
		bytes += fmt.Sprintf(", without %s of no known size", console.Count(f.Unsized, "object", "objects"))
	}
	row("bytes", "%s", bytes)
	var classes []string
	for _, class := range f.classes() {
		classes = append(classes, className(class)+" "+console.Number(f.Classes[class]))
	}
	if len(classes) > 0 {
		row("classes", "%s", strings.Join(classes, ", "))
	}
	row("LISTs", "%s", console.Number(f.Lists))
	row("HEADs", "%s", console.Number(f.Heads))
	row("duration", "%s", f.duration())
	row("price", "%s", f.cost())
	return scan.WrapOutput(t.Flush())
}

func (f *forecast) duration() string {
	switch {
	case f.Seconds == nil:
		return fmt.Sprintf("not known: no HEAD for a sample of objects succeeded within %v; --rate N gives one", sampleTime)
	case *f.Seconds == f.Listing:
		return humanSeconds(*f.Seconds) + ", the time of the listing"
	case f.RateIs == rateGiven:
		return fmt.Sprintf("%s at %s requests/s, as given by --rate", humanSeconds(*f.Seconds), humanRate(f.Rate))
	}
	return fmt.Sprintf("%s at %s HEADs/s, as measured by a sample of %s", humanSeconds(*f.Seconds), humanRate(f.Rate), console.Number(f.Sample.Heads))
}

func (f *forecast) cost() string {
	if f.Price == nil {
		return "not known: " + f.PriceUnknown + "; --price LIST,HEAD gives one"
	}
	return fmt.Sprintf("%s = %s for LISTs + %s for HEADs, by %s", dollars(f.Price.Total), dollars(f.Price.Lists), dollars(f.Price.Heads), f.Price.By)
}

// humanBytes writes n with three digits and its unit.
func humanBytes(n int64) string {
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

// humanSeconds writes a duration as exactly as a forecast can be.
func humanSeconds(seconds float64) string {
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

// humanRate writes small rates with the digits that make them different.
func humanRate(rate float64) string {
	if rate < 10 {
		return fmt.Sprintf("%.3g", rate)
	}
	return console.Number(int64(math.Round(rate)))
}

// dollars writes a sum with cents, or where it has none or few, with two digits.
func dollars(sum float64) string {
	if sum >= 0.1 || sum == 0 {
		n := int64(math.Round(sum * 100))
		return fmt.Sprintf("$%s.%02d", console.Number(n/100), n%100)
	}
	return fmt.Sprintf("$%.*f", 1-int(math.Floor(math.Log10(sum))), sum)
}

// forecastStats is what --stats writes of a dry run.
type forecastStats struct {
	*metrics.Stats
	DryRun *forecast `json:"dry_run"`
}
