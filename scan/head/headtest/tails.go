package headtest

import (
	"strings"
	"testing"
)

// testTails: an error answer that ends the connection vouches for no answer before it. The last one that has an object
// is asked for again. It is in doubt if the store answers otherwise, and final if not.
func testTails(t *testing.T, open opener) {
	for name, c := range map[string]struct {
		status string // of the error; empty: an answer that no engine takes
		forged bool
	}{
		"403":              {"403 Forbidden", false},
		"503":              {"503 Slow Down", false},
		"rejected":         {"", false},
		"403 after forged": {"403 Forbidden", true},
		"404 after forged": {"404 Not Found", true},
		"503 after forged": {"503 Slow Down", true},
	} {
		t.Run(name, func(t *testing.T) {
			s := NewRawStore(t, func(conn *Conn) {
				for n := 0; ; n++ {
					r := conn.ReadRequest()
					switch {
					case r == nil:
						return
					case n == 1 && conn.Index == 0 && c.forged:
						conn.Send(strings.Replace(Answer(r.RequestURI), "x-amz-meta-key: ", "x-amz-meta-key: forged", 1))
					case !strings.HasSuffix(r.RequestURI, "/key-2"):
						conn.Send(Answer(r.RequestURI))
					case c.status == "":
						conn.Send(Answer(r.RequestURI, "x-amz-meta-q: "+strings.Repeat("q", 1_000)+"\x00"))
					default:
						conn.Send("HTTP/1.1 " + c.status + "\r\nConnection: close\r\n\r\n")
						return
					}
				}
			})
			session := open(t, s)
			for _, key := range Keys(3) {
				Head(t, session, Entries(key))
			}
			if err := session.Settle(t.Context()); err != nil {
				t.Fatal(err)
			}
			trust := session.Trust()
			if trust.Answered != 3 || trust.Sure != 3 || (trust.Doubted > 0) != c.forged {
				t.Errorf("got %+v, forged %v", trust, c.forged)
			}
			if n := len(s.Paths()); n > 5 {
				t.Errorf("%d HEADs for 3 objects", n)
			}
		})
	}
}
