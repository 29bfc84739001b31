package scan

import (
	"context"
	"net/http"
	"sync/atomic"

	"headcount/scan/list"
)

// rightToList finds out whether the caller may list the bucket, where known keys are refused and nothing is listed. Who
// may not is answered 403, and not 404, about a key that does not exist.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html (Permissions)
type rightToList struct {
	probe  func(context.Context) error // list.Lister.Probe
	known  bool                        // the store has answered; of the verifier
	denied atomic.Bool
}

// onRefused asks once, when the first key is refused for good. A nil rightToList does nothing.
func (r *rightToList) onRefused(ctx context.Context, status int) {
	if r == nil || r.known || status != http.StatusForbidden {
		return
	}
	err := r.probe(ctx)
	r.known = err == nil || list.IsListDenied(err)
	r.denied.Store(list.IsListDenied(err))
}

// isDenied may be called at any time.
func (r *rightToList) isDenied() bool { return r != nil && r.denied.Load() }
