package store

import (
	"net/http"
	"time"
)

const (
	// skewMin is how far the store's clock must be from the local clock before requests are signed by the store's
	// clock. S3 accepts a difference of 15 minutes. The Date of a response has whole seconds, and the response may have
	// taken some.
	// https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html#ErrorCodeList (RequestTimeTooSkewed)
	skewMin = time.Minute

	amzDateFormat = "20060102T150405Z" // of X-Amz-Date
)

// ObserveClockRefusal updates the Skew after a response with the error code RequestTimeTooSkewed. Only such a response
// says that the store's clock differs from the local one. The Date of another response may come from a cache, or from a
// front end with a wrong clock (aws-sdk-go-v2#3409).
//
// It uses the Date of the response. If the request was signed for that Date already, the Date does not help, and the
// Skew is 0 again. It ignores the Date of a cached response, which has an Age (RFC 9111 §5.1).
func (s *Store) ObserveClockRefusal(response *http.Response) {
	date, err := http.ParseTime(response.Header.Get("Date"))
	if err != nil || response.Header.Get("Age") != "" {
		return
	}
	skew := time.Until(date)
	if signed, ok := signingTime(response.Request); ok && date.Sub(signed).Abs() < skewMin {
		if (skew - s.Skew()).Abs() >= skewMin {
			return // an older response, about a Skew that is not in use any more
		}
		skew = 0
	}
	if skew.Abs() < skewMin {
		skew = 0
	}
	if before := s.Skew(); (skew - before).Abs() >= skewMin {
		s.skew.Store(int64(skew))
		s.generation.Add(1)
	}
}

// signingTime returns the time that a request was signed for.
func signingTime(request *http.Request) (at time.Time, ok bool) {
	if request == nil {
		return at, false
	}
	at, err := time.Parse(amzDateFormat, request.Header.Get("X-Amz-Date"))
	return at, err == nil
}

// Skew returns how far the store's clock is ahead of the local clock; 0 if the difference is too small to matter.
func (s *Store) Skew() time.Duration { return time.Duration(s.skew.Load()) }
