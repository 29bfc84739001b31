package s3sim

import "slices"

// Quirk is one thing that a store does wrong in every listing. Each was seen on
// a real store.
type Quirk string

// The quirks, and what an honest client can do about each.
const (
	// TruncatedNoToken: IsTruncated is true and no token comes (old Ceph,
	// Huawei). V2 has to fail; start-after with the last key would be exact,
	// and is a guess. V1 pages by the last key and is exact.
	TruncatedNoToken Quirk = "truncated-no-token"
	// SameToken: every page but the first hands out the token that it was asked
	// with, for ever (Wasabi). Has to fail.
	SameToken Quirk = "same-token"
	// EmptyTruncated: every page after the first is empty and says there is
	// more, with a new token, for ever. One such page is legal; without end it
	// has to fail.
	EmptyTruncated Quirk = "empty-truncated"
	// StartAfterInclusive: the key named by start-after is listed too
	// (rustfs#1165). Exact, by dropping keys that are not above start-after.
	StartAfterInclusive Quirk = "start-after-inclusive"
	// StartAfterIgnored: start-after does nothing; tokens work. Exact, by
	// dropping such keys and going on by token.
	StartAfterIgnored Quirk = "start-after-ignored"
	// EndsEarly: a listing that begins with start-after says it is complete
	// when it is not (MinIO): its first or second page holds 867 keys of a
	// thousand and no token. Exact, by listing again after the last key until
	// nothing comes.
	EndsEarly Quirk = "ends-early"
	// EncodingNotEchoed: encoding-type=url is ignored: keys come as XML and
	// EncodingType is absent (versitygw, gofakes3). Exact for what XML carries,
	// by decoding only what is declared; other keys are lost and their HEAD is 404.
	EncodingNotEchoed Quirk = "encoding-not-echoed"
	// EncodedUnasked: keys are url-encoded always, and EncodingType is absent
	// always. Nobody can tell "%41" from "A": exact for keys that need no
	// encoding; the others are 404 at HEAD and must not count as listed and deleted.
	EncodedUnasked Quirk = "encoded-unasked"
	// Unsorted: keys of a page come in descending order (S3 Express directory
	// buckets have none). Exact by token alone; Ranges have to be refused.
	Unsorted Quirk = "unsorted"
	// KeysRepeated: a page begins with the last three keys of the one before.
	// Exact, by dropping keys that are not above the last.
	KeysRepeated Quirk = "keys-repeated"
	// MaxKeysIgnored: pages hold 2,500 keys whatever is asked. Exact.
	MaxKeysIgnored Quirk = "max-keys-ignored"
	// TokensVoid: a token from before Restart, and every eighth at any time, is
	// answered by half a page that says it is the last (MinIO after a restart).
	// Exact, by listing again after the last key until nothing comes.
	TokensVoid Quirk = "tokens-void"
)

// Quirks returns all quirks.
func Quirks() []Quirk {
	return []Quirk{
		TruncatedNoToken, SameToken, EmptyTruncated, StartAfterInclusive, StartAfterIgnored, EndsEarly,
		EncodingNotEchoed, EncodedUnasked, Unsorted, KeysRepeated, MaxKeysIgnored, TokensVoid,
	}
}

const (
	// oversizedPageKeys is more than any client may expect on a page.
	oversizedPageKeys = 2500
	// repeatedKeys are few, so that a page always has new ones.
	repeatedKeys = 3
	// voidTokenPeriod is rare enough that most pages go well, and often enough
	// that a small bucket meets it.
	voidTokenPeriod = 8
)

// applyQueryQuirk changes what was asked into what the store takes it for.
func (s *Server) applyQueryQuirk(q *listQuery) {
	switch s.options.Quirk {
	case StartAfterInclusive:
		q.inclusive = q.token == nil
	case StartAfterIgnored:
		if q.v2 && q.token == nil {
			q.start.last = nil
		}
	case EncodingNotEchoed:
		q.urlEncode, q.echoEncoding = false, false
	case EncodedUnasked:
		q.urlEncode, q.echoEncoding = true, false
	case MaxKeysIgnored:
		q.maxKeys = oversizedPageKeys
	}
}

// applyPageQuirk changes the page that would be right into the one that is answered.
func (s *Server) applyPageQuirk(p *page) {
	q := &p.query
	going := q.v2 && q.token != nil // not the listing's first page
	switch s.options.Quirk {
	case TruncatedNoToken:
		p.token = p.token[:0]
	case SameToken:
		if going && p.truncated {
			p.token = append(p.token[:0], q.token...)
		}
	case EmptyTruncated:
		if going {
			p.entries = p.entries[:0]
			p.truncated = true
			p.token = s.reissueToken(q.start).append(p.token[:0])
		}
	case EndsEarly:
		// Whether the first page is still well is left to the start point.
		well := !going && hashKey(q.startAfter)%2 == 0
		if p.truncated && q.start.fromStartAfter && !well {
			p.endAt(len(p.entries) * 867 / 1000)
		}
	case Unsorted:
		slices.Reverse(p.entries)
	case KeysRepeated:
		if going {
			p.prependRepeated(s.keys)
		}
	case TokensVoid:
		void := q.start.epoch != s.tokenEpoch.Load() || q.start.serial%voidTokenPeriod == 0
		if going && void && p.truncated {
			p.endAt(len(p.entries) / 2)
		}
	}
}

// reissueToken is another token for the same place.
func (s *Server) reissueToken(t token) token {
	t.serial = s.tokensIssued.Add(1)
	return t
}

// endAt cuts the page to n entries, but one, and declares it the last.
func (p *page) endAt(n int) {
	p.entries = p.entries[:max(n, 1)]
	p.truncated, p.token = false, p.token[:0]
}

// prependRepeated puts the keys that precede the page before it.
func (p *page) prependRepeated(keys *Keyspace) {
	if len(p.entries) == 0 || len(p.query.delimiter) > 0 {
		return
	}
	first := p.entries[0].index
	lowest := max(first-repeatedKeys, keys.Rank(p.query.prefix))
	var repeated []entry
	for i := lowest; i < first; i++ {
		repeated = append(repeated, entry{index: i})
	}
	p.entries = slices.Insert(p.entries, 0, repeated...)
}
