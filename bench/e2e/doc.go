// Package e2e contains end-to-end tests only. They put a corpus of objects on a server, scan it with the built binary
// as a user would, and compare every record with the object.
//
// The servers are gofakes3, in the test's process, and versitygw, as a process of its own. A deviation is an object
// that a server cannot store as it was put. A toxic is a failure of the network, which toxiproxy simulates between the
// binary and s3sim. bench/servers/go.mod pins versitygw and toxiproxy, and the first test that needs them builds them.
// With the build tag python, a program compares records with what boto3 reads from moto and versitygw (bench/boto3).
package e2e
