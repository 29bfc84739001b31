package s3sim

import "slices"

// Quirk is a permanent deviation of a store's listings from S3. Each was seen on a real store.
type Quirk string

// The quirks, and what a correct client can do about each.
const (
	// TruncatedNoToken: IsTruncated is true and the token is missing (old Ceph, Huawei). V2 has to fail: start-after
	// with the last key would be exact, but a client can only guess so. V1 pages by the last key and is exact.
	TruncatedNoToken Quirk = "truncated-no-token"
	// SameToken: every page except the first returns the token of its own request, for ever (Wasabi). A client has to
	// fail.
	SameToken Quirk = "same-token"
	// EmptyTruncated: every page except the first is empty and truncated, with a new token, for ever. One such page is
	// legal; a client has to fail after some number of them.
	EmptyTruncated Quirk = "empty-truncated"
	// StartAfterInclusive: the key named by start-after is listed too (rustfs#1165). Exact if the client drops keys
	// that are not above start-after.
	StartAfterInclusive Quirk = "start-after-inclusive"
	// StartAfterIgnored: start-after has no effect; tokens work. Exact if the client drops such keys and continues by
	// token.
	StartAfterIgnored Quirk = "start-after-ignored"
	// EndsEarly: a listing with start-after reports its end too early (MinIO). Its first or second page holds 867 of
	// 1,000 keys and no token. Exact if the client lists again after the last key until a page is empty.
	EndsEarly Quirk = "ends-early"
	// EncodingNotEchoed: encoding-type=url has no effect, and EncodingType is absent (versitygw, gofakes3). Exact for
	// keys that XML can represent if the client decodes only what is declared as encoded. Other keys are lost and their
	// HEAD is 404.
	EncodingNotEchoed Quirk = "encoding-not-echoed"
	// EncodingEchoed: encoding-type=url has no effect, and EncodingType says url (s3s-fs). Exact for keys that XML can
	// represent if the client tells from the keys, and from HEADs, that nothing is encoded.
	EncodingEchoed Quirk = "encoding-echoed"
	// EncodedUnasked: keys are always URL-encoded, and EncodingType is absent. A client cannot tell "%41" from "A".
	// Exact for keys that need no encoding. The HEADs of the others are 404, and the client must not count those keys
	// as deleted.
	EncodedUnasked Quirk = "encoded-unasked"
	// Unsorted: the keys of a page are in descending order (S3 Express directory buckets have no order). Exact by token
	// alone; a client has to refuse Ranges.
	Unsorted Quirk = "unsorted"
	// FolderOrder: the keys of a folder come before its neighbours, logs/a before logs-2025/a (SeaweedFS). UTF16Order:
	// keys are compared as UTF-16 (S3Mock, S3Proxy, NooBaa, CloudServer). NoOrder: they are in no order that a client
	// knows (Storj). Tokens and start-after work in that order. Exact by token alone; with Ranges a client has to notice.
	// At most a million keys, and no delimiter.
	FolderOrder Quirk = "folder-order"
	UTF16Order  Quirk = "utf16-order"
	NoOrder     Quirk = "no-order"
	// KeysRepeated: a page begins with the last three keys of the page before. Exact if the client drops keys that are
	// not above the last key.
	KeysRepeated Quirk = "keys-repeated"
	// MaxKeysIgnored: pages hold 2,500 keys whatever max-keys says. Exact.
	MaxKeysIgnored Quirk = "max-keys-ignored"
	// TokensVoid: a LIST with a token from before Restart, or with any eighth token, returns half a page that reports
	// the end (MinIO after a restart). Exact if the client lists again after the last key until a page is empty.
	TokensVoid Quirk = "tokens-void"
)

// Quirks returns all quirks.
func Quirks() []Quirk {
	return []Quirk{
		TruncatedNoToken, SameToken, EmptyTruncated, StartAfterInclusive, StartAfterIgnored, EndsEarly,
		EncodingNotEchoed, EncodingEchoed, EncodedUnasked, Unsorted, FolderOrder, UTF16Order, NoOrder, KeysRepeated,
		MaxKeysIgnored, TokensVoid,
	}
}

const (
	// oversizedPageKeys is more than S3 allows on a page.
	oversizedPageKeys = 2500
	// repeatedKeys is small, so that every page has new keys.
	repeatedKeys = 3
	// voidTokenPeriod is large enough that most pages are right, and small enough that a small bucket meets the quirk.
	voidTokenPeriod = 8
)

// applyQueryQuirk changes the query into what the store wrongly understands.
func (s *Server) applyQueryQuirk(q *listQuery) {
	switch s.options.Quirk {
	case StartAfterInclusive:
		q.inclusive = q.token == nil && !q.versions
	case StartAfterIgnored:
		if q.v2 && q.token == nil {
			q.start.last = nil
		}
	case EncodingNotEchoed:
		q.urlEncode, q.echoEncoding = false, false
	case EncodingEchoed:
		q.urlEncode, q.echoEncoding = false, true
	case EncodedUnasked:
		q.urlEncode, q.echoEncoding = true, false
	case MaxKeysIgnored:
		q.maxKeys = oversizedPageKeys
	}
}

// applyPageQuirk changes the right page into the wrong one.
func (s *Server) applyPageQuirk(p *page) {
	q := &p.query
	continued := q.v2 && q.token != nil // not the listing's first page
	switch s.options.Quirk {
	case TruncatedNoToken:
		p.token = p.token[:0]
	case SameToken:
		if continued && p.truncated {
			p.token = append(p.token[:0], q.token...)
		}
	case EmptyTruncated:
		if continued {
			p.entries = p.entries[:0]
			p.truncated = true
			p.token = s.reissueToken(q.start).append(p.token[:0])
		}
	case EndsEarly:
		// A hash of the start point decides whether the first page is complete.
		complete := !continued && hashKey(q.startAfter)%2 == 0
		if p.truncated && q.start.fromStartAfter && !complete {
			p.endAt(len(p.entries) * 867 / 1000)
		}
	case Unsorted:
		slices.Reverse(p.entries)
	case KeysRepeated:
		if continued {
			p.prependRepeated(s.keys)
		}
	case TokensVoid:
		isVoid := q.start.epoch != s.tokenEpoch.Load() || q.start.serial%voidTokenPeriod == 0
		if continued && isVoid && p.truncated {
			p.endAt(len(p.entries) / 2)
		}
	}
}

// reissueToken returns another token for the same start point.
func (s *Server) reissueToken(t token) token {
	t.serial = s.tokensIssued.Add(1)
	return t
}

// endAt cuts the page to n entries, at least one, and marks it as the last.
func (p *page) endAt(n int) {
	p.entries = p.entries[:max(n, 1)]
	p.truncated, p.token = false, p.token[:0]
}

// prependRepeated puts the keys that precede the page at its start.
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
