// Package pace decides when requests are sent and how many are in flight.
//
//   - Limiter: every request waits for it. It keeps all callers together at the rate that the user and the store
//     allow, and lets nobody send while the store refuses nearly everything.
//   - Concurrency: finds the number of workers whose throughput is nearly the best.
//   - Connections: finds out how many connections can be had. That bounds the number of workers, and not the rate.
//
// The rules of specifications are few: a 429 or 503 asks for fewer requests, and its Retry-After says when to ask again
// (RFC 9110 §10.2.3; package fault reads it). All other numbers here are tuning. The tests play stores under a fake
// clock to check them, and `go run ./bench/dev pace` checks them against real connections.
package pace
