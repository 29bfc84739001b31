package list

import (
	"net/http"
	"time"
)

// FirstAnswered returns when the store sent the first listing, by its own clock. It is zero where the store did not say
// that. It may be called concurrently.
func (l *Lister) FirstAnswered() time.Time {
	if second := l.firstAnswered.Load(); second != 0 {
		return time.Unix(second, 0)
	}
	return time.Time{}
}

// noteDate remembers the Date of the first listing. An answer with an Age is a cache's, whose Date is old.
func (l *Lister) noteDate(header http.Header) {
	if l.firstAnswered.Load() != 0 || header.Get("Age") != "" {
		return
	}
	if date, err := http.ParseTime(header.Get("Date")); err == nil {
		l.firstAnswered.CompareAndSwap(0, date.Unix())
	}
}
