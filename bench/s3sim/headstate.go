package s3sim

// HeadState is what every HEAD of a key meets, whatever else happens. It depends on
// the key and on the fractions in Options.
type HeadState uint8

// The fates.
const (
	HeadOK           HeadState = iota
	HeadGone                   // 404: deleted since it was listed
	HeadDeleteMarked           // 405 with x-amz-delete-marker: true
	HeadDenied                 // 403 on this object alone
	HeadRewritten              // 200 with another ETag and length than the LIST says
	HeadBroken500              // 500
)

// String returns a name for messages.
func (f HeadState) String() string {
	switch f {
	case HeadGone:
		return "gone"
	case HeadDeleteMarked:
		return "delete-marked"
	case HeadDenied:
		return "denied"
	case HeadRewritten:
		return "rewritten"
	case HeadBroken500:
		return "broken-500"
	}
	return "fine"
}

// headStateShare is one fate and the upper end of its part of [0, 1).
type headStateShare struct {
	below float64
	state HeadState
}

// headStateShares lays the fractions side by side. It is nil when all are zero.
func headStateShares(o Options) []headStateShare {
	var shares []headStateShare
	end := 0.0
	add := func(fraction float64, fate HeadState) {
		if fraction > 0 {
			end += fraction
			shares = append(shares, headStateShare{end, fate})
		}
	}
	add(o.Gone, HeadGone)
	add(o.DeleteMarked, HeadDeleteMarked)
	add(o.Denied, HeadDenied)
	add(o.Rewritten, HeadRewritten)
	add(o.Broken500, HeadBroken500)
	return shares
}

// headState returns the fate of an object.
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

// HeadState returns what every HEAD of key meets. It does not ask whether the key
// exists. It may be called concurrently.
func (s *Server) HeadState(key []byte) HeadState { return s.headState(s.Object(key)) }
