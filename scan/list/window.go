package list

import (
	"fmt"
	"io"
)

const (
	// windowBytes is what is read at once: a page of 1,000 keys, some 250 KB, takes four system calls, and what is
	// looked at still lies in the processor's second cache.
	windowBytes = 64 << 10

	// drainBytesMax is how much is read of a body that is of no more use. Error pages are far shorter; for more than a page
	// of keys, a new connection is cheaper.
	drainBytesMax = 256 << 10

	// emptyReadsMax is how often a body may return nothing and no error, as in bufio.
	emptyReadsMax = 100
)

// cutError is a body that could not be read to its end: the connection's fault and not the document's.
type cutError struct{ error }

func (e cutError) Unwrap() error { return e.error }

// window is the part of a body that was read and is not yet taken. It reads on as far as it is asked to look, and grows
// only for what is longer than itself.
type window struct {
	body     io.Reader
	bytesMax int64 // of the whole body
	bytes    int64 // read so far
	ended    error // why there is no more: io.EOF, a cutError, or a body that is too long; nil: there may be

	buf  []byte // up to its capacity there is room to read into
	next int    // buf[next:] is not yet taken
}

// look is the window. It is valid until more is read.
func (w *window) look() []byte { return w.buf[w.next:] }

// take moves the window on by n bytes that are in it.
func (w *window) take(n int) { w.next += n }

// taken is how many bytes of the body were taken.
func (w *window) taken() int64 { return w.bytes - int64(len(w.look())) }

// has says whether the body goes on for n bytes, which are then in the window.
func (w *window) has(n int) bool {
	for len(w.look()) < n {
		if !w.more() {
			return false
		}
	}
	return true
}

// more reads on, and says whether that brought anything.
func (w *window) more() bool {
	if w.ended != nil {
		return false
	}
	w.buf = w.buf[:copy(w.buf, w.look())]
	w.next = 0
	if len(w.buf) == cap(w.buf) {
		grown := make([]byte, len(w.buf), max(windowBytes, 2*cap(w.buf)))
		copy(grown, w.buf)
		w.buf = grown
	}
	for range emptyReadsMax {
		n, err := w.body.Read(w.buf[len(w.buf):cap(w.buf)])
		w.buf = w.buf[:len(w.buf)+n]
		w.bytes += int64(n)
		switch {
		case w.bytes > w.bytesMax:
			w.ended = fmt.Errorf("the answer is longer than %d bytes", w.bytesMax)
			return false
		case err == io.EOF:
			w.ended = err
		case err != nil:
			w.ended = cutError{err}
		}
		if n > 0 || err != nil {
			return n > 0
		}
	}
	w.ended = cutError{io.ErrNoProgress}
	return false
}

// drain reads a body that is of no more use to its end, if that is near, so that its connection can be used again.
func (w *window) drain() {
	for most := w.bytes + drainBytesMax; w.bytes < most && w.more(); {
		w.take(len(w.look()))
	}
}
