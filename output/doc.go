// Package output makes bytes of what a scan found: Lines are JSON lines, a Record each, and Failures are the objects
// that have none.
package output
