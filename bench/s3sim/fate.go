package s3sim

// Fate is what every HEAD of a key meets, whatever else happens. It depends on
// the key and on the fractions in Options.
type Fate uint8

// The fates.
const (
	Fine           Fate = iota
	FateGone            // 404: deleted since it was listed
	FateDeleteMark      // 405 with x-amz-delete-marker: true
	FateDenied          // 403 on this object alone
	FateRewritten       // 200 with another ETag and length than the LIST says
	FateAlways500       // 500
)

// String returns a name for messages.
func (f Fate) String() string {
	switch f {
	case FateGone:
		return "gone"
	case FateDeleteMark:
		return "delete-marked"
	case FateDenied:
		return "denied"
	case FateRewritten:
		return "rewritten"
	case FateAlways500:
		return "broken-500"
	}
	return "fine"
}

// fateShare is one fate and the upper end of its part of [0, 1).
type fateShare struct {
	below float64
	fate  Fate
}

// fateShares lays the fractions side by side. It is nil when all are zero.
func fateShares(o Options) []fateShare {
	var shares []fateShare
	end := 0.0
	add := func(fraction float64, fate Fate) {
		if fraction > 0 {
			end += fraction
			shares = append(shares, fateShare{end, fate})
		}
	}
	add(o.Gone, FateGone)
	add(o.DeleteMarked, FateDeleteMark)
	add(o.Denied, FateDenied)
	add(o.Rewritten, FateRewritten)
	add(o.Broken500, FateAlways500)
	return shares
}

// fate returns the fate of an object.
func (s *Server) fate(o Object) Fate {
	if len(s.fates) == 0 {
		return Fine
	}
	at := unit(mix(o.hash, saltFate))
	for _, share := range s.fates {
		if at < share.below {
			return share.fate
		}
	}
	return Fine
}

// Fate returns what every HEAD of key meets. It does not ask whether the key
// exists. It may be called concurrently.
func (s *Server) Fate(key []byte) Fate { return s.fate(s.Object(key)) }
