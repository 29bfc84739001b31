package scan

import (
	"errors"
	"fmt"
	"strconv"
	"sync/atomic"

	"headcount/scan/hint"
	"headcount/scan/list"
	"headcount/scan/lookup"
	"headcount/scan/metrics"
)

// refusedAtStartMax is the number of objects, before any is answered, whose refusal ends a run. It is more than the
// objects that a policy or an archive usually denies in a row.
const refusedAtStartMax = 100

// refusedStart watches for a run whose HEADs are all refused from the first on, with one status, while the LISTs are
// not: the right to send HEADs is missing, or a proxy changes them. Such a run ends after refusedAtStartMax objects,
// unless no more than a page is listed: that is soon done, and names each object.
type refusedStart struct {
	sample       *atomic.Pointer[list.Entry]
	listed       *atomic.Int64 // objects so far, by this run and earlier ones
	listedBefore int64         // by earlier runs
	ignored      atomic.Bool   // the keys are known, or an earlier run had answers, or objects are refused in other ways

	heads atomic.Int64 // that were refused
	over  atomic.Bool  // the verifier has decided

	// Of the verifier.
	objects int // refused for good
	status  int // of all of them
}

// holds counts a HEAD that was refused, and reports whether the worker should wait with the next ones: it is not
// decided yet whether all are refused.
func (s *refusedStart) holds() bool {
	if s.ignored.Load() || s.over.Load() || s.sample.Load() != nil {
		return false
	}
	return s.heads.Add(1) >= refusedAtStartMax && s.isLarge()
}

// takeBack makes HEADs uncounted whose answers may be other objects'.
func (s *refusedStart) takeBack(heads int64) { s.heads.Add(-heads) }

// isLarge reports whether more than a page is listed.
func (s *refusedStart) isLarge() bool { return s.listed.Load()-s.listedBefore > pageKeys }

// onObject counts an object that is refused for good. Only the verifier calls it.
func (s *refusedStart) onObject(e *ObjectError) error {
	if s.ignored.Load() || s.sample.Load() != nil || s.objects > 0 && s.status != e.Status {
		s.ignored.Store(true)
		return nil
	}
	s.status = e.Status
	if s.objects++; s.objects < refusedAtStartMax {
		return nil
	}
	s.over.Store(true)
	if !s.isLarge() {
		return nil
	}
	return &RefusedError{Objects: s.objects, Last: e}
}

// RefusedError ends a run in which the store takes LISTs, and has refused the HEADs of the first objects in the same
// way; or it takes HEADs, and has refused the first further requests.
type RefusedError struct {
	Objects int
	Last    *ObjectError
}

func (e *RefusedError) Error() string {
	return fmt.Sprintf("the first %d objects are all refused: %v", e.Objects, e.Last)
}

func (e *RefusedError) Unwrap() error { return e.Last }

// Hint implements the contract of package exit.
func (e *RefusedError) Hint() string {
	if further := (*lookup.Error)(nil); errors.As(e.Last, &further) {
		return further.Kind.HintIfDenied()
	}
	if e.Last.IsBadVersion() {
		return hint.VersionRefused
	}
	return hint.ForEveryHeadRefused(e.Last.Status) + "; --start-after KEY continues behind keys that are denied"
}

// HintIfAllRefused returns the hint about a complete run whose HEADs were all refused with one status; "" for others.
func HintIfAllRefused(s *metrics.Stats) string {
	if s.Failed == 0 || s.Failed+s.Filtered != s.Listed || len(s.Requests["head"]) != 1 {
		return ""
	}
	for label := range s.Requests["head"] {
		if status, err := strconv.Atoi(label); err == nil && status >= 300 && status < 500 && status != 404 {
			return hint.ForEveryHeadRefused(status)
		}
	}
	return ""
}
