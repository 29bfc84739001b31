//go:build unix

package xmllist

import (
	"strings"
	"syscall"
	"testing"
)

// BenchmarkDecode measures the CPU time a key of decoding the forms of stores. None may take more than 500 ns. The last
// form is the basic one with a comment before it, which makes encoding/xml read the page.
func BenchmarkDecode(b *testing.B) {
	const keys = 1000
	odd := *basicForm()
	odd.name, odd.before = "encoding-xml", "<!-- -->"+strings.TrimPrefix(odd.before, xmlDeclaration)
	for _, f := range append(listForms(), odd) {
		b.Run(f.name, func(b *testing.B) {
			body := f.page(keys)
			d := new(Decoder)
			b.ReportAllocs()
			b.SetBytes(int64(len(body)))
			before := cpuTime(b)
			for b.Loop() {
				l, err := d.Decode(strings.NewReader(body), Asked{Metadata: f.withMetadata})
				if err != nil || len(l.Entries) != keys {
					b.Fatal(l, err)
				}
			}
			b.ReportMetric(float64(cpuTime(b)-before)/float64(b.N)/keys, "ns-CPU/key")
		})
	}
}

// cpuTime is the CPU time of this process so far, in nanoseconds.
func cpuTime(b *testing.B) int64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return u.Utime.Nano() + u.Stime.Nano()
}
