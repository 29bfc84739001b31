package list

import (
	"fmt"
	"runtime"
	"testing"
	"unsafe"
	"weak"
)

// A Pager keeps no memory of a Page that it has handed out: its next LIST may come much later, and there are many
// Pagers.
func TestPagerForgetsItsPages(t *testing.T) {
	store := &naive{pageKeys: 100}
	for i := range 250 {
		store.keys = append(store.keys, fmt.Sprintf("key-%03d", i))
	}
	pager := serve(t, store, Config{}).Pager(Range{})
	for range 3 {
		page, err := pager.Next(t.Context())
		if err != nil || page == nil {
			t.Fatal(page, err)
		}
		entries, text := weak.Make(&page.Entries[0]), weak.Make(unsafe.StringData(page.Entries[0].Key))
		runtime.GC()
		if entries.Value() != nil {
			t.Error("the Pager keeps the entries")
		}
		if text.Value() != nil {
			t.Error("the Pager keeps the texts of the entries")
		}
	}
	runtime.KeepAlive(pager)
}
