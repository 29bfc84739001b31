// Package pace says when to send. A Limiter is asked before every request: it keeps all callers together at the rate that the
// user and the store allow, and holds them back while the store is away.
package pace
