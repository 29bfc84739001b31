// Package peers measures headcount beside the ways in which people read the metadata of a bucket otherwise, each a small
// program of our own, written as somebody would write it who knows the library.
//
// The nouns:
//
//   - Way: one program and how it is run. A peer is a way that is not headcount's.
//   - Server: what all ways ask, one after the other: headcount bench serve, with some latency, or versitygw, a real S3 server. It
//     has buckets of several sizes, alike but for that: a slow way is given a smaller one, or it would take minutes. What is
//     compared is of one request.
//   - Absent: a way that cannot be run here, and why: no Python, no cargo, no rclone, no network for their packages.
//   - Wrong: a way whose records are not those of headcount's direct engine. It is not timed.
//   - Run, Round, Bar: as in bench/engines.
//
// peers.go wires it; way.go says what is measured, build.go makes the programs of python/ and rust/ in the user's cache folder,
// server.go starts the servers, records.go compares what is printed; report.go, table.go and bars.go tell what came of it. The
// Go program, gosdk/, is a hidden command of headcount, so that it is always there.
//
// What a process takes to start and to end is in its figures: half a second of CPU for boto3. It is told beside them, as what
// the way took on an empty bucket.
package peers
