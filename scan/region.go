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
		if f.tried[u.region.Named] || len(f.tried) == namedRegionsMax {
			continue
		}
		f.store.TryRegion(u.region, 0, func(endpoint *store.Endpoint) store.RegionAnswer {
			if f.tried == nil {
				f.tried = map[string]bool{}
			}
			f.tried[u.region.Named] = true
			f.limiter.Charge(1)
			f.progress.Heads.Add(1)
			return f.head(ctx, endpoint, u.err.Entry.Key)
		})
	}
}

// head sends a HEAD to an endpoint.
func (f *regionFinder) head(ctx context.Context, endpoint *store.Endpoint, key string) (a store.RegionAnswer) {
	ctx, cancel := context.WithTimeout(ctx, f.timeout)
	defer cancel()
	_, err := endpoint.Client.HeadObject(ctx, &s3.HeadObjectInput{
		Bucket: aws.String(f.store.Bucket()), Key: aws.String(key), RequestPayer: f.store.RequestPayer(),
	}, store.WithRawResponse(&s3.HeadObjectOutput{}, func(response *http.Response, _ time.Duration) error {
		a.Status = response.StatusCode
		return nil
	}))
	if err != nil {
		return store.RegionAnswer{}
	}
	return a
}

// regionAnswer returns what the answer to a HEAD shows about its region.
func regionAnswer(r *head.Result) store.RegionAnswer {
	return store.RegionAnswer{SignedFor: r.Region, Named: string(r.Get("x-amz-bucket-region")), Status: r.Status}
}
