package forecast

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"github.com/dustin/go-humanize"
)

// Price is the price of requests, in US dollars per 1,000 of them.
type Price struct{ List, Head float64 }

// Cost is the cost of a scan's requests, in US dollars.
type Cost struct {
	Lists float64 `json:"lists_usd"`
	Heads float64 `json:"heads_usd"`

	Lookups float64 `json:"further_requests_usd,omitempty"`

	Total float64 `json:"usd"`
	By    string  `json:"by"` // the source of the prices
}

// The prices of AWS for requests: https://aws.amazon.com/s3/pricing/ (Requests & data retrievals). The page loads its
// figures in the browser, so these are from publications that read the Price List API on that day. The page lists the
// requests of GLACIER and DEEP_ARCHIVE apart; their prices are from other publications. Every LIST costs the same,
// and a HEAD costs what the class of its object costs (Requests-Tier1, Requests-SIA-Tier2, …):
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/aws-usage-report-understand.html
const (
	awsPricesDate   = "2026-08-01"
	awsPricesRegion = "us-east-1" // other regions cost up to twice as much
	awsListPrice    = 0.005
)

// awsHeadPrice returns the price of HEADs for objects of a storage class. It knows no price for other classes, such as
// that of directory buckets: their prices are not per request alone.
func awsHeadPrice(class string) (dollars float64, ok bool) {
	switch class {
	case "STANDARD", "REDUCED_REDUNDANCY", "INTELLIGENT_TIERING", "GLACIER", "DEEP_ARCHIVE":
		return 0.0004, true
	case "STANDARD_IA", "ONEZONE_IA":
		return 0.001, true
	case "GLACIER_IR":
		return 0.01, true
	}
	return 0, false
}

// setCost calculates the cost of the requests from given, or if it is nil from the prices of AWS.
func (f *Forecast) setCost(given *Price, isAWS bool, region string) {
	switch {
	case given != nil:
		f.setCostOf(given.List, func(string) (float64, bool) { return given.Head, true }, "--price")
	case !isAWS:
		f.PriceUnknown = "the store is not AWS"
	case strings.HasPrefix(region, "cn-"):
		f.PriceUnknown = "AWS bills " + region + " by other prices"
	case region != awsPricesRegion:
		by := fmt.Sprintf("AWS's prices of %s in %s; %s may differ", awsPricesDate, awsPricesRegion, region)
		f.setCostOf(awsListPrice, awsHeadPrice, by)
	default:
		f.setCostOf(awsListPrice, awsHeadPrice, fmt.Sprintf("AWS's prices of %s in %s", awsPricesDate, awsPricesRegion))
	}
}

// setCostOf calculates the cost from prices per 1,000 requests.
func (f *Forecast) setCostOf(list float64, head func(class string) (float64, bool), by string) {
	c := &Cost{Lists: float64(f.Lists) / 1000 * list, By: by}
	for _, class := range f.ClassNames() {
		objects := f.Classes[class]
		dollars, ok := head(class)
		if !ok {
			f.PriceUnknown = fmt.Sprintf("what a HEAD costs for %s of class %s", objectsText(objects), ClassText(class))
			return
		}
		c.Heads += float64(objects) / 1000 * dollars
	}
	if f.Heads > 0 { // they are billed as HEADs are
		c.Lookups = c.Heads * float64(f.lookups()) / float64(f.Heads)
	}
	c.Total = c.Lists + c.Heads + c.Lookups
	f.Price = c
}

func objectsText(n int64) string {
	if n == 1 {
		return "1 object"
	}
	return humanize.Comma(n) + " objects"
}

// ClassText returns the name of a storage class for people.
func ClassText(class string) string {
	if class == "" {
		return "(none listed)"
	}
	return class
}

// isAWS reports whether a store is AWS: all its endpoints are, or no endpoint is named.
func isAWS(endpoints []string) bool {
	for _, endpoint := range endpoints {
		if u, err := url.Parse(endpoint); err != nil || !strings.HasSuffix(u.Hostname(), ".amazonaws.com") {
			return false
		}
	}
	return true
}

// priceMax separates a price from a typing error.
const priceMax = 1_000_000

// ErrPrice is the error of ParsePrice.
var ErrPrice = errors.New("not two prices")

// ParsePrice reads LIST,HEAD: two numbers of at most a million, as digits with a point among them or not. It accepts no
// sign, no exponent and no separator of thousands.
func ParsePrice(text string) (*Price, error) {
	list, head, isPair := strings.Cut(text, ",")
	var (
		p              Price
		listOK, headOK bool
	)
	p.List, listOK = parseDollars(list)
	p.Head, headOK = parseDollars(head)
	if !isPair || !listOK || !headOK {
		return nil, ErrPrice
	}
	return &p, nil
}

func parseDollars(text string) (dollars float64, ok bool) {
	if !regexp.MustCompile(`^[0-9]+(\.[0-9]+)?$`).MatchString(text) {
		return 0, false
	}
	dollars, err := strconv.ParseFloat(text, 64)
	return dollars, err == nil && dollars <= priceMax
}
