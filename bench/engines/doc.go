// Package engines measures what an engine costs beside the floor.
//
// The nouns:
//
//   - Way: one way to ask for every object: an engine and its flags, or the
//     floor. Over TLS it is another way.
//   - Floor: what any client has to pay that sends one HEAD at a time on each of
//     its connections: the same bytes written again and again, one answer read
//     for each, nothing listed, signed, parsed or printed.
//   - Run: one process of one way, from its start to its end. What it cost is
//     what the kernel says of it, and not only what it says of itself.
//   - Round: one Run of every way, in turn, so that a machine which drifts hits
//     all alike. Ratios are of Runs of one round.
//   - Bar: what a way must reach, most often as a ratio, since an absolute figure
//     is only of its machine and day.
//
// The store is headcount bench serve in a process of its own, one for plain HTTP
// and one for TLS, on the same machine: its cost is in no figure but the objects
// per second.
//
// The way of a measurement: engines.go wires it, way.go says what is measured,
// store.go and process.go start the processes, report.go makes ratios of the
// Runs, table.go and bars.go tell what came of it. floor.go is the other side:
// what the process of the floor does.
package engines
