// Package forecast estimates what a scan of a bucket will take, for --dry-run: its requests, its duration and its
// price.
//
// Run lists the bucket, which counts the objects and the requests. The duration follows from the rate of requests. The
// rate is the user's limit, or that of a Sample: HEADs that Run sends for some objects. The price follows from the
// requests and the storage classes of the objects.
package forecast

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"headcount/scan/list"
	"headcount/scan/lookup"
	"headcount/scan/metrics"
)

// Forecast is what a scan will take, as far as a listing shows it.
type Forecast struct {
	Objects int64            `json:"objects"`
	Bytes   int64            `json:"bytes"`
	Unsized int64            `json:"objects_without_size,omitempty"` // objects that Bytes leaves out
	Classes map[string]int64 `json:"storage_classes"`                // objects by storage class; "": the LIST has none
	Lists   int64            `json:"lists"`
	Heads   int64            `json:"heads"` // one for each object that --filter leaves; without retries

	// Lookups has the names of further requests (lookup.Kind), and the greatest number of each: what a HEAD says decides
	// whether its object needs one.
	Lookups map[string]int64 `json:"further_requests,omitempty"`

	// Rate is the number of requests per second from which Seconds follows. A Rate of the user includes LISTs. A measured
	// Rate is that of the successful HEADs at the end of the Sample.
	Rate    float64    `json:"rate,omitempty"`
	RateIs  RateOrigin `json:"rate_is"`
	Sample  *Sample    `json:"sample,omitempty"`
	Seconds *float64   `json:"seconds,omitempty"` // absent: unknown
	Listing float64    `json:"list_seconds"`      // the duration of the listing alone

	Price        *Cost  `json:"price,omitempty"`
	PriceUnknown string `json:"price_unknown,omitempty"` // why there is no Price
}

// RateOrigin says where a Rate comes from.
type RateOrigin string

// The origins of a Rate.
const (
	RateGiven    RateOrigin = "given" // by --rate
	RateMeasured RateOrigin = "measured"
	RateUnknown  RateOrigin = "unknown"
)

// Stats is what --stats writes of a dry run: the statistics of the listing, and the Forecast.
type Stats struct {
	*metrics.Stats
	DryRun *Forecast `json:"dry_run"`
}

func newForecast() *Forecast { return &Forecast{Classes: map[string]int64{}, RateIs: RateUnknown} }

const (
	// classesMax is more storage classes than any store has. Further classes are counted together, so that a store
	// cannot fill the memory with names.
	classesMax   = 32
	otherClasses = "(others)"
)

// add counts the objects of a page, of which so many get a HEAD.
func (f *Forecast) add(p *list.Page, heads int) {
	for i := range p.Entries {
		e := &p.Entries[i]
		f.Objects++
		if e.Size >= 0 {
			f.Bytes += e.Size
		} else {
			f.Unsized++
		}
		f.Classes[f.className(e.StorageClass)]++
	}
	f.Heads += int64(heads)
}

// setLookups sets the number of further requests of these kinds.
func (f *Forecast) setLookups(kinds []lookup.Kind) {
	for _, kind := range kinds {
		if f.Lookups == nil {
			f.Lookups = map[string]int64{}
		}
		f.Lookups[kind.String()] = f.Heads
	}
}

// lookups returns the number of all further requests.
func (f *Forecast) lookups() (n int64) {
	for _, of := range f.Lookups {
		n += of
	}
	return n
}

// className returns the name under which objects of a storage class are counted.
func (f *Forecast) className(class string) string {
	if _, known := f.Classes[class]; known {
		return class
	}
	if len(f.Classes) >= classesMax {
		return otherClasses
	}
	return strings.Clone(class) // the original keeps the texts of a whole page in memory
}

// ClassNames returns the storage classes, those with the most objects first.
func (f *Forecast) ClassNames() []string {
	return slices.SortedFunc(maps.Keys(f.Classes), func(a, b string) int {
		return cmp.Or(cmp.Compare(f.Classes[b], f.Classes[a]), cmp.Compare(a, b))
	})
}

// setDuration calculates the duration of a scan that sends so many requests at the Rate. The HEADs overlap the listing,
// so the scan takes at least as long as that. A scan whose Rate was measured begins as slowly as the Sample.
func (f *Forecast) setDuration(requests int64) {
	seconds := f.Listing
	if requests > 0 {
		seconds = max(seconds, float64(requests)/f.Rate)
	}
	if s := f.Sample; s != nil && requests > s.Heads {
		seconds = max(seconds, s.Seconds+float64(requests-s.Heads)/f.Rate)
	}
	f.Seconds = &seconds
}
