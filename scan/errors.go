package scan

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"syscall"

	"headcount/scan/exit"
	"headcount/scan/fault"
	"headcount/scan/fault/errordoc"
	"headcount/scan/head"
	"headcount/scan/hint"
	"headcount/scan/list"
	"headcount/scan/store"
)

// ObjectError is an object that has no Record, and why. It is data: the run goes on.
type ObjectError struct {
	Op        string      // HEAD
	Target    string      // s3://bucket/key, and ?versionId=… of a version
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
	switch {
	case e.Err != nil && e.Status != 0:
		text += ": " + e.Err.Error()
	case e.Err != nil:
		text += " " + e.Err.Error()
	}
	return text
}

func (e *ObjectError) Unwrap() error { return e.Err }

// Hint returns what the user can do about a limit of this machine, a store that is slower than --timeout, or a filter
// that needs what is not said. It is empty for every other failure.
func (e *ObjectError) Hint() string {
	switch {
	case e.Class == fault.Timeout && e.Err != nil:
		return hint.Request{}.ForError(e.Err)
	case e.Class == fault.FilterFailed:
		return exit.Hint(e.Err)
	}
	return fault.LocalLimitHint(e.Err)
}

// IsBadVersion reports whether the answer to the HEAD of a version was 400.
func (e *ObjectError) IsBadVersion() bool {
	return e.Status == http.StatusBadRequest && e.Entry.VersionID() != ""
}

// targetOf returns the name of an object for people.
func targetOf(bucket string, e *list.Entry) string {
	target := "s3://" + bucket + "/" + e.Key
	if version := e.VersionID(); version != "" {
		target += "?versionId=" + version
	}
	return target
}

// newObjectError returns what is known of an object of a store whose HEAD did not succeed, after so many HEADs. It
// keeps nothing of r's memory, and masks the secrets that texts of the store may echo.
func newObjectError(s *store.Store, e *list.Entry, r *head.Result, attempts int) *ObjectError {
	o := &ObjectError{
		Op: "HEAD", Target: targetOf(s.Bucket(), e), Entry: *e, Status: r.Status,
		Attempts: attempts, RequestID: s.Redact(string(r.Get("x-amz-request-id"))), Err: s.RedactError(r.Err),
	}
	if r.Err != nil {
		o.Class = fault.ClassOf(r.Err)
		return o
	}
	o.Class = fault.StatusClass(r.Status)
	if code := errorCode(r); code != "" {
		o.Err = s.RedactError(errors.New(code))
	}
	if location := r.Get("location"); o.Class == fault.Redirect && len(location) > 0 {
		o.Err = s.RedactError(errors.New("redirected to " + errordoc.Short(store.RedactURL(string(location)))))
	}
	return o
}

// errorCode returns what the headers of an answer say about an error; empty: nothing. HEADs have no Error document, so
// MinIO and S3's websites have its Code and Message in headers.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/CustomErrorDocSupport.html
func errorCode(r *head.Result) string {
	code := cmp.Or(string(r.Get("x-minio-error-code")), string(r.Get("x-amz-error-code")))
	message := cmp.Or(string(r.Get("x-minio-error-desc")), string(r.Get("x-amz-error-message")))
	if code != "" && message != "" {
		code += ": "
	}
	return errordoc.Short(code + message)
}

// failureOf describes a Result for the retry policy.
func failureOf(r *head.Result) fault.Failure {
	if r.Err != nil {
		failure := fault.FailureOf(r.Err)
		failure.Unconnected = r.Unconnected && failure.Transient()
		return failure
	}
	return fault.Failure{
		Class: fault.StatusClass(r.Status), Status: r.Status, RetryAfter: fault.RetryAfter(string(r.Get("retry-after"))),
	}
}

// OutputError is something that could not be written. It ends the run.
type OutputError struct {
	What string // the name of a file, failures or checkpoint; empty: the output, which is the Records
	Err  error
}

func (e *OutputError) Error() string {
	return "write " + cmp.Or(e.What, "output") + ": " + e.Err.Error()
}
func (e *OutputError) Unwrap() error { return e.Err }

// ExitCode implements the contract of package exit. A closed pipe has a code of its own: its reader has seen enough. So
// has a write that a signal ended.
func (e *OutputError) ExitCode() int {
	code := exit.Code(e.Err)
	switch {
	case errors.Is(e.Err, syscall.EPIPE):
		return exit.Pipe
	case code != exit.Fatal:
		return code
	}
	return exit.Output
}

// WrapOutput returns err as an OutputError, and nil for nil.
func WrapOutput(err error) error {
	if err == nil {
		return nil
	}
	return &OutputError{Err: err}
}

// ListMetadataError ends a run in which the metadata of the listing cannot be taken for those of HEADs.
type ListMetadataError struct {
	Target string // s3://bucket/prefix
	What   string // is wrong with the listing
	Advice string // what the user can do
}

func (e *ListMetadataError) Error() string { return "LIST " + e.Target + ": " + e.What }
func (e *ListMetadataError) Hint() string  { return e.Advice }

// FailuresError ends a run in which Config.MaxFailures objects have failed.
type FailuresError struct{ Failed int64 }

func (e *FailuresError) Error() string {
	return fmt.Sprintf("%d objects failed: stopping (--max-errors)", e.Failed)
}

// Hint implements the contract of package exit.
func (e *FailuresError) Hint() string {
	return "--max-errors N sets how many failures stop the run"
}
