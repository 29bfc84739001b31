package s3sim

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// FaultKind names something that happens to a request now and then.
type FaultKind string

// The faults. Those named list- hit LISTs, head-body hits HEADs, the others both.
const (
	Fault500           FaultKind = "500"
	Fault502           FaultKind = "502"
	Fault503Empty      FaultKind = "503-empty"
	Fault503RetryAfter FaultKind = "503-retry-after" // Retry-After: 1
	Fault504           FaultKind = "504"
	Fault429           FaultKind = "429"
	Fault520           FaultKind = "520"

	FaultListSlowDown FaultKind = "list-slowdown"  // 503 with SlowDown as XML
	FaultListError    FaultKind = "list-200-error" // 200, and the body is an <Error>
	FaultListEmpty    FaultKind = "list-200-empty" // 200 without a body
	FaultListHTML     FaultKind = "list-200-html"  // 200, and the body is a web page
	FaultListCutShort FaultKind = "list-cut-short" // half of its Content-Length, then FIN
	FaultListBadChunk FaultKind = "list-bad-chunk" // chunked, and a chunk has no size

	FaultRSTBeforeByte FaultKind = "rst-before-byte" // RST instead of an answer
	FaultRSTInHeaders  FaultKind = "rst-in-headers"
	FaultFINInHeaders  FaultKind = "fin-in-headers"
	FaultIdleClose     FaultKind = "idle-close" // an answer, then FIN without Connection: close
	FaultHang          FaultKind = "hang"       // no answer, until the client goes
	FaultBytePerSecond FaultKind = "byte-per-second"
	FaultHeadBody      FaultKind = "head-body"      // a HEAD's answer, and body bytes after it
	FaultUnsolicited   FaultKind = "unsolicited"    // another object's answer after the right one
	FaultGarbageStatus FaultKind = "garbage-status" // a status line that is none
	Fault103           FaultKind = "103-then-200"   // legal, and rarely expected
	FaultRefuse        FaultKind = "refuse"         // RST, and for RefuseFor nobody gets in
)

// FaultKinds returns all kinds.
func FaultKinds() []FaultKind {
	return []FaultKind{
		Fault500, Fault502, Fault503Empty, Fault503RetryAfter, Fault504, Fault429, Fault520,
		FaultListSlowDown, FaultListError, FaultListEmpty, FaultListHTML, FaultListCutShort, FaultListBadChunk,
		FaultRSTBeforeByte, FaultRSTInHeaders, FaultFINInHeaders, FaultIdleClose, FaultHang, FaultBytePerSecond,
		FaultHeadBody, FaultUnsolicited, FaultGarbageStatus, Fault103, FaultRefuse,
	}
}

// Fault is a kind and how often it happens: the fraction of requests, 0 to 1.
type Fault struct {
	Kind FaultKind
	Rate float64
}

// ParseFault reads "kind=rate", as in "503-empty=0.01". New checks both.
func ParseFault(text string) (Fault, error) {
	kind, rate, ok := strings.Cut(text, "=")
	share, err := strconv.ParseFloat(rate, 64)
	if !ok || err != nil {
		return Fault{}, fmt.Errorf("fault %q: want kind=rate, as in %s=0.01", text, Fault503Empty)
	}
	return Fault{FaultKind(kind), share}, nil
}

// hits tells whether a kind can hit an operation.
func (k FaultKind) hits(op operation) bool {
	switch k {
	case FaultListSlowDown, FaultListError, FaultListEmpty, FaultListHTML, FaultListCutShort, FaultListBadChunk:
		return op == opList
	case FaultHeadBody:
		return op == opHead
	}
	return op == opHead || op == opList
}

func checkFaults(faults []Fault) error {
	for _, op := range []operation{opHead, opList} {
		var rates []float64
		for _, fault := range faults {
			if !slices.Contains(FaultKinds(), fault.Kind) {
				return fmt.Errorf("unknown fault %q: one of %s", fault.Kind, join(FaultKinds()))
			}
			if fault.Kind.hits(op) {
				rates = append(rates, fault.Rate)
			}
		}
		if err := checkShares("faults", rates...); err != nil {
			return err
		}
	}
	return nil
}

const (
	// faultsInARow is how often the same request is hit before it is answered,
	// so that a client which retries gets through at any rate.
	faultsInARow = 3
	// faultLogMax bounds the requests of which it is known that they were hit;
	// while the book is full no other is. A million are some 40 MB.
	faultLogMax = 1 << 20
)

// faultLog draws faults and remembers which requests were hit and not yet
// answered since. It may be used concurrently.
type faultLog struct {
	seed   uint64
	faults [operationCount][]Fault
	mu     sync.Mutex
	hits   map[uint64]int // how often in a row, by request
}

func newFaultLog(o Options) *faultLog {
	book := &faultLog{seed: mix(o.Seed, saltFault), hits: map[uint64]int{}}
	for op := range operationCount {
		for _, fault := range o.Faults {
			if fault.Rate > 0 && fault.Kind.hits(op) {
				book.faults[op] = append(book.faults[op], fault)
			}
		}
	}
	return book
}

// draw returns the fault that hits a request, or "". It depends on the seed, on
// the request and on how often in a row the same was hit, and on nothing else:
// the same scan meets the same faults.
func (b *faultLog) draw(op operation, request uint64) FaultKind {
	request = mix(request^b.seed^uint64(op), saltFault)
	b.mu.Lock()
	defer b.mu.Unlock()
	times := b.hits[request]
	kind := b.faultAt(op, unitInterval(mix(request+uint64(times), saltFault)))
	if kind == "" || times == faultsInARow || times == 0 && len(b.hits) >= faultLogMax {
		delete(b.hits, request)
		return ""
	}
	b.hits[request] = times + 1
	return kind
}

// faultAt returns the fault in whose part of [0, 1) x lies.
func (b *faultLog) faultAt(op operation, x float64) FaultKind {
	for _, fault := range b.faults[op] {
		if x < fault.Rate {
			return fault.Kind
		}
		x -= fault.Rate
	}
	return ""
}

// drawFault draws for the request at hand: a HEAD is known by its key, a LIST
// by its prefix and start point.
func (c *conn) drawFault(op operation) FaultKind {
	if len(c.srv.faultLog.faults[op]) == 0 {
		return ""
	}
	switch op {
	case opHead:
		return c.srv.faultLog.draw(op, hashKey(c.key))
	case opList:
		q := &c.page.query
		return c.srv.faultLog.draw(op, mix(hashKey(q.start.last), saltKey)^hashKey(q.prefix))
	}
	return ""
}
