// Package output turns what a scan found into bytes, and reads those bytes again. A sink encodes: JSONLines encodes
// Records, FailureLines encodes the objects that failed. A Destination stores the bytes: a File, which a later run can
// continue, or a Stream.
package output
