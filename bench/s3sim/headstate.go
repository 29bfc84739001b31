package s3sim

// HeadState is the permanent result of a HEAD of one key. It depends on the key and on the fractions in Options.
type HeadState uint8

// The states. Faults come on top of them.
const (
	HeadOK           HeadState = iota
	HeadGone                   // 404: deleted since the LIST; after that answer, no LIST has the key
	HeadStale                  // 404, though every LIST has the key: a stale entry of an index
	HeadDeleteMarked           // 405 with x-amz-delete-marker: true
	HeadDenied                 // 403 on this object alone
	HeadRewritten              // 200 with another ETag and length than the LIST says, and a later Last-Modified
	HeadUnlike                 // 200 with another ETag and length, of the same time: a cache's answer, or another object's
	HeadWebPage                // 200 with a web page of a proxy: no ETag, no Last-Modified
	HeadBroken500              // 500
)

// String returns a name for messages.
func (h HeadState) String() string {
	switch h {
	case HeadGone:
		return "gone"
	case HeadStale:
		return "stale"
	case HeadDeleteMarked:
		return "delete-marked"
	case HeadDenied:
		return "denied"
	case HeadRewritten:
		return "rewritten"
	case HeadUnlike:
		return "unlike"
	case HeadWebPage:
		return "web-page"
	case HeadBroken500:
		return "broken-500"
	}
	return "ok"
}

// headStateShare is one state and the upper end of its part of [0, 1).
type headStateShare struct {
	below float64
	state HeadState
}

// headStateShares divides [0, 1) by the fractions in o. It returns nil when all are zero.
func headStateShares(o Options) []headStateShare {
	var shares []headStateShare
	end := 0.0
	add := func(fraction float64, state HeadState) {
		if fraction > 0 {
			end += fraction
			shares = append(shares, headStateShare{end, state})
		}
	}
	add(o.Gone, HeadGone)
	add(o.Stale, HeadStale)
	add(o.DeleteMarked, HeadDeleteMarked)
	add(o.Denied, HeadDenied)
	add(o.Rewritten, HeadRewritten)
	add(o.Unlike, HeadUnlike)
	add(o.WebPage, HeadWebPage)
	add(o.Broken500, HeadBroken500)
	return shares
}

func (s *Server) headState(o Object) HeadState {
	if len(s.headStateShares) == 0 {
		return HeadOK
	}
	at := unitInterval(mix(o.hash, saltHeadState))
	for _, share := range s.headStateShares {
		if at < share.below {
			return share.state
		}
	}
	return HeadOK
}

// HeadState returns the permanent result of a HEAD of key, whether or not the key exists. It may be called
// concurrently.
func (s *Server) HeadState(key []byte) HeadState { return s.headState(s.Object(key)) }
