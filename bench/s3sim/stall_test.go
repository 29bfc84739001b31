package s3sim

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestStallAfter(t *testing.T) {
	began := time.Now()
	s := stall{duration: 500 * time.Millisecond, period: 10 * time.Second, start: began}
	for at, want := range map[time.Duration]time.Duration{
		-time.Second: -time.Second, 0: 500, 499 * time.Millisecond: 500, 500 * time.Millisecond: 500, 3 * time.Second: 3000,
		9999 * time.Millisecond: 9999, 10 * time.Second: 10_500, 20_100 * time.Millisecond: 20_500, 20_500 * time.Millisecond: 20_500,
	} {
		if want > 0 {
			want *= time.Millisecond
		}
		if got := s.resumeAt(began.Add(at)).Sub(began); got != want {
			t.Errorf("what comes at %v goes on at %v, want %v", at, got, want)
		}
	}
	if at := time.Now(); new(stall).resumeAt(at) != at {
		t.Error("a stall that is none stalls")
	}
}

// What comes in a stall is answered when it ends, and what would be answered in one waits for its end, each request and its latency apart.
func TestStallHoldsAnswers(t *testing.T) {
	for _, latency := range []time.Duration{0, 5 * time.Millisecond} {
		synctest.Test(t, func(t *testing.T) {
			s, err := New(Options{Objects: 20, Latency: latency, Stall: 500 * time.Millisecond, StallEvery: 10 * time.Second})
			if err != nil {
				t.Fatal(err)
			}
			began := time.Now()
			client, served := net.Pipe()
			done := make(chan struct{})
			go func() {
				defer close(done)
				newConn(s, served, 1).serve()
			}()
			answers := bufio.NewReader(client)
			for _, c := range []struct{ sent, answered time.Duration }{
				{0, 500*time.Millisecond + latency},
				{3 * time.Second, 3*time.Second + latency},
				{9998 * time.Millisecond, max(9998*time.Millisecond, min(latency*10_000, 10_500*time.Millisecond))},
				{10_600 * time.Millisecond, 10_600*time.Millisecond + latency},
				{20_499 * time.Millisecond, 20_500*time.Millisecond + latency},
			} {
				time.Sleep(time.Until(began.Add(c.sent)))
				if _, err := io.WriteString(client, headRequest); err != nil {
					t.Fatal(err)
				}
				response, err := http.ReadResponse(answers, &http.Request{Method: "HEAD"})
				if err != nil || response.StatusCode != http.StatusOK {
					t.Fatal(response, err)
				}
				if at := time.Since(began); at != c.answered {
					t.Errorf("latency %v: what was sent at %v was answered at %v, want %v", latency, c.sent, at, c.answered)
				}
			}
			client.Close()
			<-done
		})
	}
}

func TestStallOptions(t *testing.T) {
	for _, o := range []Options{
		{Stall: time.Second}, {StallEvery: time.Second}, {Stall: time.Second, StallEvery: time.Second}, {Stall: -1, StallEvery: time.Second},
	} {
		if _, err := New(o); err == nil || !strings.Contains(err.Error(), "must be above 0") {
			t.Errorf("%v every %v: %v", o.Stall, o.StallEvery, err)
		}
	}
}
