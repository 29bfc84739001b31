package main

import (
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"headcount/scan/command"
)

// price is what requests cost, in US dollars per 1,000 of them.
type price struct{ list, head float64 }

// What AWS asks for requests: https://aws.amazon.com/s3/pricing/ (Requests & data retrievals). The page makes its figures in the reader's browser,
// so these are those of the Price List API, as others have published them who read it on that day; for GLACIER and DEEP_ARCHIVE, whose
// requests it lists apart, as they are published elsewhere. Every LIST costs the same, and a HEAD what the class of its object costs:
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/aws-usage-report-understand.html (Requests-Tier1, Requests-SIA-Tier2, …)
const (
	awsPricesDate   = "2026-08-01"
	awsPricesRegion = "us-east-1" // others ask up to twice as much
	awsListPrice    = 0.005
)

// awsHeadPrice is that of HEADs for objects of a class. Classes that are not here, as that of directory buckets, have prices of another
// kind.
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

// isAWS says whether a store is AWS's: no endpoint is named, or nothing but some of its own.
func isAWS(endpoints []string) bool {
	for _, endpoint := range endpoints {
		if u, err := url.Parse(endpoint); err != nil || !strings.HasSuffix(u.Hostname(), ".amazonaws.com") {
			return false
		}
	}
	return true
}

const priceHint = "--price LIST,HEAD in US dollars per 1,000 requests, as 0.005,0.0004"

// priceMax is where a typing error is more likely than a price.
const priceMax = 1_000_000

// parsePrice reads what --price says.
func parsePrice(text string) (*price, error) {
	list, head, isPair := strings.Cut(text, ",")
	var (
		p            price
		isList, isOK bool
	)
	if p.list, isList = parseDollars(list); isPair && isList {
		p.head, isOK = parseDollars(head)
	}
	if !isOK {
		return nil, command.BadValue(priceHint, "not two prices")
	}
	return &p, nil
}

// parseDollars takes digits, with a point among them or not: no sign, no exponent, and nothing that stands for thousands.
func parseDollars(text string) (dollars float64, ok bool) {
	if !regexp.MustCompile(`^[0-9]+(\.[0-9]+)?$`).MatchString(text) {
		return 0, false
	}
	dollars, err := strconv.ParseFloat(text, 64)
	return dollars, err == nil && dollars <= priceMax
}
