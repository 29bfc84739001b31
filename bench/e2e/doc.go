// Package e2e puts objects on real S3 servers, scans them by the built binary as a user would, and compares every record with
// what was put. It has nothing but tests. The servers are gofakes3, in the test's process, and versitygw, which
// bench/servers/go.mod pins and the first test builds. So is toxiproxy, through which the network goes wrong.
package e2e
