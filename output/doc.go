// Package output writes the results of a scan, and reads them again. A Format writes Records, with a Sink, and reads
// them. FailureLines writes the objects that failed. A Destination stores the bytes: a File, which a later run can
// continue, or a Stream.
package output
