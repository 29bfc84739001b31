// Package engines measures what an engine costs beside the floor.
//
// The floor is what any client has to pay that sends one HEAD at a time on each
// of its connections: the same bytes written again and again, one answer read for
// each, nothing listed, signed, parsed or printed.
package engines
