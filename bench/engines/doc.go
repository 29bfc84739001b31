// Package engines measures how much CPU time an engine costs, compared with the floor.
//
// The nouns:
//
//   - Client: one program that sends a HEAD for every object: headcount scan with an engine and its flags, the floor,
//     or gosdk. The same program over TLS is another client.
//   - Floor: the least that a client can cost that sends one HEAD at a time on each of its connections. It writes the
//     same bytes again and again and reads one answer for each. It lists, signs, parses and prints nothing.
//   - Run: one process of one client, from its start to its end. Its cost is what the kernel counted, and not only what
//     the process reports.
//   - Round: one Run of every client, in turn, so that a machine whose speed drifts affects all of them alike. Ratios
//     are between Runs of one round.
//   - Threshold: a value that a client must reach. Most are ratios, since an absolute value is only true of its machine
//     and day.
//
// The store is headcount bench serve in a process of its own on the same machine, one for HTTP and one for TLS. Its
// cost affects no figure but the objects per second.
//
// engines.go wires a measurement, client.go says what is measured, report.go computes ratios of Runs, table.go and
// thresholds.go print them. floor.go is the program of the floor.
package engines
