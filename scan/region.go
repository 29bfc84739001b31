package scan

import (
	"context"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"headcount/scan/head"
	"headcount/scan/store"
)

// namedRegionsMax bounds the regions to which a HEAD is sent because an answer named them. The first is right where the
// store is honest.
const namedRegionsMax = 3

// regionFinder switches the Store to the region that the answers to HEADs name, if a HEAD is answered there. Where
// HEADs are answered in the present region, or the named one does not answer, the refusal is the object's own. The zero
// value needs its storeAccess and timeout.
type regionFinder struct {
	storeAccess
	timeout time.Duration
	tried   map[string]bool // the regions that were asked
}

// follow asks the regions that refusals name, each for the object of its refusal.
func (f *regionFinder) follow(ctx context.Context, refused []*unresolved) {
	for _, u := range refused {
		if u.region == "" || f.tried[u.region] || len(f.tried) == namedRegionsMax {
			continue
		}
		endpoint, ok := f.store.EndpointIn(u.region, 0)
		if !ok {
			continue
		}
		if f.tried == nil {
			f.tried = map[string]bool{}
		}
		f.tried[u.region] = true
		f.limiter.Charge(1)
		f.progress.Heads.Add(1)
		if f.isFound(ctx, endpoint, u.err.Entry.Key) {
			f.store.SwitchRegion(u.signedFor, u.region)
		}
	}
}

// isFound reports whether an endpoint has an object.
func (f *regionFinder) isFound(ctx context.Context, endpoint *store.Endpoint, key string) bool {
	ctx, cancel := context.WithTimeout(ctx, f.timeout)
	defer cancel()
	status := 0
	_, err := endpoint.Client.HeadObject(ctx, &s3.HeadObjectInput{
		Bucket: aws.String(f.store.Bucket()), Key: aws.String(key), RequestPayer: f.store.RequestPayer(),
	}, store.WithRawResponse(&s3.HeadObjectOutput{}, func(response *http.Response, _ time.Duration) error {
		status = response.StatusCode
		return nil
	}))
	return err == nil && status == http.StatusOK
}

// namedRegion returns the region that an answer names instead of the one that its request was signed for; empty: none.
func namedRegion(r *head.Result) string {
	switch r.Status {
	case http.StatusMovedPermanently, http.StatusTemporaryRedirect, http.StatusBadRequest, http.StatusForbidden:
	default:
		return ""
	}
	if region := string(r.Get("x-amz-bucket-region")); region != r.Region {
		return region
	}
	return ""
}
