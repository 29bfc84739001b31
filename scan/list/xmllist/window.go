package xmllist

import (
	"fmt"
	"io"
)

const (
	// windowBytes is the size of the window: a page of 1,000 keys, some 250 KB, takes a few system calls, and the
	// window stays in the processor's second-level cache. A Contents element has a few kilobytes at most.
	windowBytes = 64 << 10

	// padBytes follow the bytes that were read, and are zero. No XML has a zero byte, so a search ends there without
	// comparing with the length. They are as many as the longest literal, or the longest word, that is read at once.
	padBytes = 64

	// emptyReadsMax is how often a body may return no bytes and no error, as in bufio.
	emptyReadsMax = 100
)

// window is the part of a body that was read and not yet taken. It has a fixed size.
type window struct {
	body     io.Reader
	bytesMax int64 // of the whole body
	read     int64 // bytes read so far
	err      error // why there is no more to read: io.EOF, a *ReadError, or a body that is too long

	buf  []byte // its last padBytes are never read into; a test may set a shorter one
	next int    // buf[next:end] is not yet taken
	end  int
}

func (w *window) open(body io.Reader, bytesMax int64) {
	if w.buf == nil {
		w.buf = make([]byte, windowBytes+padBytes)
	}
	*w = window{body: body, bytesMax: bytesMax, buf: w.buf}
}

func (w *window) close() { *w = window{buf: w.buf} }

// unread returns the bytes that are not yet taken, and padBytes zeros.
func (w *window) unread() []byte { return w.buf[w.next : w.end+padBytes] }

// take removes n bytes from the window.
func (w *window) take(n int) { w.next += n }

// offset is the number of bytes of the body that were taken.
func (w *window) offset() int64 { return w.read - int64(w.end-w.next) }

// fill moves the window on, reads until it is full or the body has ended, and reports whether it has grown.
func (w *window) fill() (more bool) {
	w.end = copy(w.buf, w.buf[w.next:w.end])
	w.next = 0
	start, size := w.end, len(w.buf)-padBytes
	for empty := 0; w.end < size && w.err == nil; {
		n, err := w.body.Read(w.buf[w.end:size])
		w.end += n
		w.read += int64(n)
		switch empty++; {
		case w.read > w.bytesMax:
			w.err = fmt.Errorf("%w: it is longer than %d bytes", ErrTooLarge, w.bytesMax)
		case err == io.EOF:
			w.err = err
		case err != nil:
			w.err = &ReadError{err}
		case n > 0:
			empty = 0
		case empty == emptyReadsMax:
			w.err = &ReadError{io.ErrNoProgress}
		}
	}
	clear(w.buf[w.end : w.end+padBytes])
	return w.end > start
}

// windowReader reads the bytes that are not yet taken, and then the rest of the body.
type windowReader struct{ *window }

func (w windowReader) Read(p []byte) (int, error) {
	if w.next == w.end && !w.fill() && w.err != nil {
		return 0, w.err
	}
	n := copy(p, w.buf[w.next:w.end])
	w.take(n)
	return n, nil
}

// drain reads a body that is of no more use to its end, if that is near.
func (w *window) drain() {
	for most := w.read + drainBytesMax; w.read < most && w.err == nil; w.next = w.end {
		w.fill()
	}
}
