package s3sim

import "time"

// lane holds answers back until they are due. The connection's goroutine reads
// on meanwhile, so that the latencies of pipelined requests overlap, as they do
// when a distance is what makes them.
type lane struct {
	c      *conn
	chunks chan chunk
	spare  chan []byte   // buffers written out
	done   chan struct{} // closed when the writer has ended
}

// chunk is bytes that are due together, and how they are sent.
type chunk struct {
	data []byte
	due  time.Time
	then manner
}

// laneChunks bounds the answers that wait on one connection; the connection
// reads no further when so many do.
const laneChunks = 256

// laneSpares bounds the buffers kept, since a page of a listing makes one large.
const laneSpares = 8

func newLane(c *conn) *lane {
	l := &lane{
		c:      c,
		chunks: make(chan chunk, laneChunks),
		spare:  make(chan []byte, laneSpares),
		done:   make(chan struct{}),
	}
	go l.run()
	return l
}

// run writes chunks in order, each when it is due, until there are no more or
// the connection is over.
func (l *lane) run() {
	defer close(l.done)
	for chunk := range l.chunks {
		if !l.c.srv.sleep(time.Until(chunk.due)) || !l.c.send(chunk.data, chunk.then) {
			l.c.net.Close() // wakes the reader
			return
		}
		select {
		case l.spare <- chunk.data[:0]:
		default:
		}
	}
}

// put hands over what was appended so far and leaves the connection an empty
// buffer. It returns false when the connection is over: nothing is written
// after a chunk that ends it.
func (l *lane) put(m manner) bool {
	select {
	case l.chunks <- chunk{l.c.out, l.c.due, m}:
	case <-l.done:
		return false
	}
	select {
	case l.c.out = <-l.spare:
	default:
		l.c.out = nil
	}
	return m == thenGoOn || m == drip
}

// finish waits until everything is written.
func (l *lane) finish() {
	close(l.chunks)
	<-l.done
}
