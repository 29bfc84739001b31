package s3sim

import "time"

// delayedWriter writes the responses of one connection when they are due. The connection's goroutine meanwhile reads
// further requests, so that the latencies of pipelined requests overlap, as network latency does.
//
// The connection's goroutine owns writes: it sends to it and closes it in drain. The writer's goroutine closes done.
type delayedWriter struct {
	c            *conn
	writes       chan pendingWrite
	spareBuffers chan []byte   // buffers that were written and can be used again
	done         chan struct{} // closed when the writer's goroutine ends
}

// pendingWrite is a buffer, the time at which it is due, and how it is sent.
type pendingWrite struct {
	data []byte
	due  time.Time
	mode sendMode
}

// pendingWritesMax bounds the writes that wait on one connection. The connection stops reading when it is reached.
const pendingWritesMax = 256

// spareBuffersMax bounds the buffers that are kept. A page of a listing makes a buffer large.
const spareBuffersMax = 8

// newDelayedWriter starts the writer's goroutine. drain ends it.
func newDelayedWriter(c *conn) *delayedWriter {
	w := &delayedWriter{
		c:            c,
		writes:       make(chan pendingWrite, pendingWritesMax),
		spareBuffers: make(chan []byte, spareBuffersMax),
		done:         make(chan struct{}),
	}
	go w.run()
	return w
}

// run writes the buffers in order, each when it is due. It ends when the queue is closed or the connection ends.
func (w *delayedWriter) run() {
	defer close(w.done)
	for write := range w.writes {
		if !w.c.srv.sleep(time.Until(write.due)) || !w.c.send(write.data, write.mode) {
			w.c.net.Close() // unblocks the reader
			return
		}
		select {
		case w.spareBuffers <- write.data[:0]:
		default:
		}
	}
}

// put queues the connection's write buffer and gives the connection an empty one. It returns false when the connection
// has ended or ends with this write.
func (w *delayedWriter) put(mode sendMode) bool {
	select {
	case w.writes <- pendingWrite{w.c.out, w.c.due, mode}:
	case <-w.done:
		return false
	}
	select {
	case w.c.out = <-w.spareBuffers:
	default:
		w.c.out = nil
	}
	return mode == sendKeepOpen || mode == sendSlowly
}

// drain waits until everything is written, or the connection ends.
func (w *delayedWriter) drain() {
	close(w.writes)
	<-w.done
}
