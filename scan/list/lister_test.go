package list

import (
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
)

// A web page is refused at its first odd tag, and read to its end nevertheless: the next request goes over the same
// connection, which matters where a store in trouble refuses many.
func TestListerGoesOnWithTheConnectionOfAWebPage(t *testing.T) {
	page := "<!DOCTYPE html><html><body><p>502<br>" + strings.Repeat("<p>Sorry.", 10_000)
	s := &script{answers: []func(http.ResponseWriter, *http.Request){say(page), say(page), final, end}}
	var mu sync.Mutex
	connections := map[string]int{}
	lister := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		connections[r.RemoteAddr]++
		mu.Unlock()
		s.ServeHTTP(w, r)
	}), Config{})
	keys, err := walk(t.Context(), lister.Walk(Range{}))
	if err != nil || !slices.Equal(keys, []string{"a", "b"}) {
		t.Fatal(keys, err)
	}
	if len(connections) != 1 {
		t.Errorf("the requests of each connection: %v", connections)
	}
}
