package s3sim

import "time"

// delayedWriter holds answers back until they are due. The connection's goroutine reads
// on meanwhile, so that the latencies of pipelined requests overlap, as they do
// when a distance is what makes them.
type delayedWriter struct {
	c            *conn
	chunks       chan pendingWrite
	spareBuffers chan []byte   // buffers written out
	done         chan struct{} // closed when the writer has ended
}

// pendingWrite is bytes that are due together, and how they are sent.
type pendingWrite struct {
	data []byte
	due  time.Time
	mode sendMode
}

// pendingWritesMax bounds the answers that wait on one connection; the connection
// reads no further when so many do.
const pendingWritesMax = 256

// spareBuffersMax bounds the buffers kept, since a page of a listing makes one large.
const spareBuffersMax = 8

func newDelayedWriter(c *conn) *delayedWriter {
	l := &delayedWriter{
		c:            c,
		chunks:       make(chan pendingWrite, pendingWritesMax),
		spareBuffers: make(chan []byte, spareBuffersMax),
		done:         make(chan struct{}),
	}
	go l.run()
	return l
}

// run writes chunks in order, each when it is due, until there are no more or
// the connection is over.
func (l *delayedWriter) run() {
	defer close(l.done)
	for chunk := range l.chunks {
		if !l.c.srv.sleep(time.Until(chunk.due)) || !l.c.send(chunk.data, chunk.mode) {
			l.c.net.Close() // wakes the reader
			return
		}
		select {
		case l.spareBuffers <- chunk.data[:0]:
		default:
		}
	}
}

// enqueue hands over what was appended so far and leaves the connection an empty
// buffer. It returns false when the connection is over: nothing is written
// after a chunk that ends it.
func (l *delayedWriter) enqueue(m sendMode) bool {
	select {
	case l.chunks <- pendingWrite{l.c.out, l.c.due, m}:
	case <-l.done:
		return false
	}
	select {
	case l.c.out = <-l.spareBuffers:
	default:
		l.c.out = nil
	}
	return m == sendKeepOpen || m == sendSlowly
}

// drain waits until everything is written.
func (l *delayedWriter) drain() {
	close(l.chunks)
	<-l.done
}
