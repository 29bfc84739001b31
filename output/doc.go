// Package output writes the results of a scan, and reads them again. A sink encodes: JSONLines encodes Records, and
// FailureLines encodes the objects that failed. A Destination stores the bytes: a File, which a later run can continue,
// or a Stream.
package output
