package s3sim

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// FaultKind names a transient failure of requests.
type FaultKind string

// The kinds. Those that begin with list- affect LISTs, head-body affects HEADs, and the others affect HEADs, LISTs,
// GetObjectTagging and ListObjectAnnotations.
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
	FaultListBadChunk FaultKind = "list-bad-chunk" // chunked, and a chunk has an invalid size

	FaultRSTBeforeByte FaultKind = "rst-before-byte" // RST instead of a response
	FaultRSTInHeaders  FaultKind = "rst-in-headers"
	FaultFINInHeaders  FaultKind = "fin-in-headers"
	FaultIdleClose     FaultKind = "idle-close" // a response without Connection: close, then FIN
	FaultHang          FaultKind = "hang"       // no response until the client closes
	FaultBytePerSecond FaultKind = "byte-per-second"
	FaultHeadBody      FaultKind = "head-body"      // a HEAD's response followed by body bytes
	FaultUnsolicited   FaultKind = "unsolicited"    // the right response followed by another object's
	FaultGarbageStatus FaultKind = "garbage-status" // an invalid status line
	Fault103           FaultKind = "103-then-200"   // legal, but few clients expect it
	FaultRefuse        FaultKind = "refuse"         // RST, and new connections are refused for RefuseFor
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

// Fault is a kind of failure and the fraction of requests, 0 to 1, that it affects.
type Fault struct {
	Kind FaultKind
	Rate float64
}

// ParseFault parses "kind=rate", as in "503-empty=0.01". It does not check the kind and the rate; New does.
func ParseFault(text string) (Fault, error) {
	kind, rate, ok := strings.Cut(text, "=")
	share, err := strconv.ParseFloat(rate, 64)
	if !ok || err != nil {
		return Fault{}, fmt.Errorf("fault %q: want kind=rate, as in %s=0.01", text, Fault503Empty)
	}
	return Fault{FaultKind(kind), share}, nil
}

// affects reports whether the kind affects an operation.
func (k FaultKind) affects(op operation) bool {
	switch k {
	case FaultListSlowDown, FaultListError, FaultListEmpty, FaultListHTML, FaultListCutShort, FaultListBadChunk:
		return op == opList
	case FaultHeadBody:
		return op == opHead
	}
	return op.isLimited()
}

func checkFaults(faults []Fault) error {
	for _, op := range []operation{opHead, opList} {
		var rates []float64
		for _, fault := range faults {
			if !slices.Contains(FaultKinds(), fault.Kind) {
				return fmt.Errorf("unknown fault %q: one of %s", fault.Kind, join(FaultKinds()))
			}
			if fault.Kind.affects(op) {
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
	// faultsInARow is the largest number of consecutive faults of one request, so that a client that retries succeeds
	// at any rate.
	faultsInARow = 3
	// rememberedFaultsMax bounds the requests that are remembered. At the bound no further request meets a fault.
	// A million requests take some 40 MB.
	rememberedFaultsMax = 1 << 20
)

// faultSampler draws faults and remembers the requests that met one and were not answered since. It may be used
// concurrently.
type faultSampler struct {
	seed        uint64
	faults      [operationCount][]Fault
	mu          sync.Mutex
	consecutive map[uint64]int // faults in a row, by request
}

func newFaultSampler(o Options) *faultSampler {
	sampler := &faultSampler{seed: mix(o.Seed, saltFault), consecutive: map[uint64]int{}}
	for op := range operationCount {
		for _, fault := range o.Faults {
			if fault.Rate > 0 && fault.Kind.affects(op) {
				sampler.faults[op] = append(sampler.faults[op], fault)
			}
		}
	}
	return sampler
}

// draw returns the fault that affects a request, or "". The result depends on the seed, on the request and on the
// number of consecutive faults of the same request, and on nothing else: the same scan meets the same faults.
func (f *faultSampler) draw(op operation, request uint64) FaultKind {
	request = mix(request^f.seed^uint64(op), saltFault)
	f.mu.Lock()
	defer f.mu.Unlock()
	times := f.consecutive[request]
	kind := f.faultAt(op, unitInterval(mix(request+uint64(times), saltFault)))
	if kind == "" || times == faultsInARow || times == 0 && len(f.consecutive) >= rememberedFaultsMax {
		delete(f.consecutive, request)
		return ""
	}
	f.consecutive[request] = times + 1
	return kind
}

// faultAt returns the fault whose part of [0, 1) contains x, or "".
func (f *faultSampler) faultAt(op operation, x float64) FaultKind {
	for _, fault := range f.faults[op] {
		if x < fault.Rate {
			return fault.Kind
		}
		x -= fault.Rate
	}
	return ""
}

// drawFault draws a fault for the current request. A HEAD is identified by its key and version, a LIST by its prefix
// and start point.
func (c *conn) drawFault(op operation) FaultKind {
	if len(c.srv.faultSampler.faults[op]) == 0 {
		return ""
	}
	switch op {
	case opList:
		q := &c.page.query
		start := mix(hashKey(q.start.last), saltKey) ^ mixVersion(q.versionMarker)
		return c.srv.faultSampler.draw(op, start^hashKey(q.prefix))
	default:
		return c.srv.faultSampler.draw(op, hashKey(c.key)^mixVersion(c.version))
	}
}

// mixVersion returns a hash of a version ID, and 0 where the request names none.
func mixVersion(id []byte) uint64 {
	if id == nil {
		return 0
	}
	return mix(hashKey(id), saltVersionID)
}
