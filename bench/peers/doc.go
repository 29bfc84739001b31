// Package peers compares headcount with the other ways in which people read the metadata of a bucket. Each of them is a
// small program of our own, written as somebody who knows its library would write it.
//
// The nouns:
//
//   - Client: one program and its arguments. A peer is a client that is not headcount's.
//   - Server: the store that all clients use, one after the other: headcount bench serve, with some latency, or
//     versitygw, a real S3 server. A server has buckets of several sizes, with the same kind of objects. A slow client
//     gets a smaller bucket, or it would take minutes; the figures are per request.
//   - Absent: a client that cannot run here, and why: no Python, no cargo, no rclone, no network for their packages.
//   - Rejected: a client whose records differ from those of headcount's direct engine, or that fails. It has no
//     figures.
//   - Run, Round, Threshold: as in bench/engines.
//
// peers.go wires a measurement, client.go says what is measured, build.go builds the programs of python/ and rust/ in
// the user's cache folder, server.go starts the servers, records.go compares what is printed. report.go, table.go and
// thresholds.go print the result. The Go program, gosdk/, is a command of bench/dev, so that it is always there.
//
// The figures of a client include its start and end: half a second of CPU for boto3. The table also has that cost by
// itself, measured on an empty bucket.
package peers
