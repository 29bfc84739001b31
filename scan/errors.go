package scan

import (
	"fmt"
	"net/http"
	"time"

	"headcount/scan/fault"
	"headcount/scan/list"
)

// ObjectError is an object that has no Record, and why. It is data: the run goes on.
type ObjectError struct {
	Op        string      // HEAD
	Target    string      // s3://bucket/key
	Entry     list.Entry  // as it was listed
	Status    int         // 0: there was no answer
	Class     fault.Class // forbidden, throttled, timeout, lossy_key, …
	Attempts  int         // HEADs that were sent for it
	RequestID string      // of the last answer; empty where the store named none
	Err       error       // why there was no answer, or what is known beyond the status; may be nil
}

func (e *ObjectError) Error() string {
	text := e.Op + " " + e.Target + ":"
	if e.Status != 0 {
		text += fmt.Sprintf(" %d %s", e.Status, http.StatusText(e.Status))
	}
	if e.Err != nil {
		text += " " + e.Err.Error()
	}
	return text
}

func (e *ObjectError) Unwrap() error { return e.Err }

// OutputError is a Record or an ObjectError that could not be written. It ends the run.
type OutputError struct{ Err error }

func (e *OutputError) Error() string { return "write output: " + e.Err.Error() }
func (e *OutputError) Unwrap() error { return e.Err }

// ListMetadataError ends a run in which the metadata of the listing cannot be taken for those of HEADs.
type ListMetadataError struct {
	Target string // s3://bucket/prefix
	What   string // is wrong with the listing
	Hint   string // what the user can do
}

func (e *ListMetadataError) Error() string { return "LIST " + e.Target + ": " + e.What }

// UnavailableError ends a run in which no HEAD has succeeded for longer than the user is willing to wait.
type UnavailableError struct {
	For  time.Duration
	Last error // what the last HEAD met
}

func (e *UnavailableError) Error() string {
	return fmt.Sprintf("no HEAD has succeeded for %s: %v", e.For.Round(time.Second), e.Last)
}
func (e *UnavailableError) Unwrap() error { return e.Last }

// FailuresError ends a run in which more objects have failed than the user bears.
type FailuresError struct{ Failed int64 }

func (e *FailuresError) Error() string {
	return fmt.Sprintf("%d objects have failed, and no more are borne", e.Failed)
}
