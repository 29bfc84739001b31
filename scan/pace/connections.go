package pace

import "time"

// Tuning. No specification gives these numbers.
const (
	// connectPauseMin is the time from a failure to connect until another connection is tried, while other connections
	// are answered. It doubles up to connectPauseMax with each failure: a maximum that a load balancer or a process
	// sets does not change in a run. Every try costs a HEAD.
	connectPauseMin = time.Second
	connectPauseMax = 30 * time.Second

	// outagePauseMin and outagePauseMax replace them while nobody is answered: the store is away, and may be back soon.
	outagePauseMin = 20 * time.Millisecond
	outagePauseMax = 5 * time.Second

	// muchMore is the growth since the last failure from which a failure to connect shows another maximum. The pause
	// begins anew then. The end of a single connection of another client is no such growth.
	muchMore = 1.25
)

// Connections finds out how many connections can be had: through a load balancer or a NAT that has a maximum, to a
// store that closes what is beyond one, or with the file descriptors of this process. Its answer bounds the number of
// workers (Max). It does not change the rate: that many connections are as fast as they are.
//
// It has no bound until a worker fails to connect. Then the bound is the number of connections that the workers hold.
// After a pause, one more worker may try. If that succeeds, the bound doubles with every worker that connects, as in
// TCP's slow start, until the next failure or until nobody wants more. While no connection at all can be had, one
// worker tries after each pause.
//
// The zero Connections has no bound. Its methods must not be called concurrently.
type Connections struct {
	bounded bool
	bound   int  // workers that may hold a connection, besides one that tries
	outage  bool // nobody was answered at the last failure

	tryAt    time.Time // when one more worker may try
	failures int       // in a row, without muchMore connections between them
	heldAt   int       // connections at the last failure that was no outage
}

// NoMax is what Max returns if there is no bound.
const NoMax = -1

// Max returns how many workers may run, those that hold a connection included; NoMax: any number.
func (c *Connections) Max() int {
	switch {
	case !c.bounded:
		return NoMax
	case time.Now().Before(c.tryAt):
		return c.bound
	}
	return c.bound + 1
}

// Maximum returns the number of connections that could be had at the last failure; 0: there is no bound, the last
// failure was that of an outage, or more connections have been had since.
func (c *Connections) Maximum() int {
	if !c.bounded || c.outage || c.bound > c.heldAt {
		return 0
	}
	return c.heldAt
}

// NextTry returns the time from which Max is one more; zero: it will not be by time alone.
func (c *Connections) NextTry() time.Time {
	if !c.bounded || !time.Now().Before(c.tryAt) {
		return time.Time{}
	}
	return c.tryAt
}

// Failed records that a worker could not connect, while the workers held so many connections. othersAnswered says that
// some of those were answered meanwhile. If not, there is an outage.
func (c *Connections) Failed(held int, othersAnswered bool) {
	now := time.Now()
	if othersAnswered {
		held = max(1, held)
	}
	outageBegins := held == 0 && !c.outage
	if c.bounded && now.Before(c.tryAt) && !outageBegins { // it tried before the bound was set
		c.bound = min(c.bound, held)
		if othersAnswered && !c.outage {
			c.heldAt = min(c.heldAt, held)
		}
		return
	}
	if c.outage == othersAnswered || othersAnswered && float64(held) > muchMore*float64(c.heldAt) {
		c.failures = 0
	}
	pause, longest := outagePauseMin, outagePauseMax
	if othersAnswered {
		pause, longest = connectPauseMin, connectPauseMax
		c.heldAt = held
	}
	const doublingsMax = 10
	pause = min(longest, pause<<min(c.failures, doublingsMax))
	c.failures++
	c.bounded, c.bound, c.outage, c.tryAt = true, held, !othersAnswered, now.Add(pause)
}

// Opened records that a worker got its first answer over a connection. The workers hold so many connections now. wanted
// is how many they would hold without a bound.
func (c *Connections) Opened(held, wanted int) {
	if !c.bounded {
		return
	}
	c.bound = max(c.bound, held)
	if time.Now().Before(c.tryAt) { // it connected while others failed
		if !c.outage {
			c.heldAt = max(c.heldAt, held)
		}
		return
	}
	c.bound = max(c.bound, 2*held)
	if held >= wanted {
		c.bounded = false
	}
}

// Yield gives up one of the connections that the workers hold, for a request that is not theirs and could not connect.
func (c *Connections) Yield(held int) {
	if held > 1 {
		c.Failed(held-1, true)
		c.bound = min(c.bound, held-1)
	}
}
