package heads

import (
	"fmt"
	"io"
	"math"
	"runtime"
	"strconv"
	"strings"
)

// WriteBenchmarks writes the Steps in the format of Go's benchmarks, which benchstat reads:
// https://golang.org/design/14313-benchmark-format Files can be concatenated: each begins with its configuration. If no
// HEAD succeeded, WriteBenchmarks writes nothing.
func (r *Report) WriteBenchmarks(w io.Writer) error {
	if len(successfulByWorkers(r.Steps)) == 0 {
		return nil
	}
	var text strings.Builder
	endpoint := strings.Join(r.Endpoints, " ")
	if r.Embedded {
		endpoint = "embedded" // its port differs between runs, and benchstat would not compare them
	}
	for _, line := range [][2]string{
		{"goos", runtime.GOOS}, {"goarch", runtime.GOARCH}, {"pkg", "headcount/bench/heads"}, {"cpu", r.Machine.CPU},
		{"headcount", r.Headcount}, {"endpoint", endpoint}, {"bucket", r.Bucket}, {"prefix", r.Prefix},
		{"server", r.Server}, {"engine", r.Engine}, {"loop", r.Loop}, {"pipeline", fmt.Sprint(r.Pipeline)},
		{"keys", fmt.Sprint(r.Keys)},
	} {
		// an empty value removes that of a file before this one
		fmt.Fprintf(&text, "%s: %s\n", line[0], oneLine(line[1]))
	}
	text.WriteString("Unit HEADs/s better=higher\n\n")
	for i := range r.Steps {
		r.Steps[i].writeBenchmark(&text)
	}
	_, err := io.WriteString(w, text.String())
	return err
}

// writeBenchmark writes the line of a Step. benchstat scales units such as ns, so latencies are in nanoseconds.
func (s *Step) writeBenchmark(text *strings.Builder) {
	if s.Heads == 0 {
		return // the format has no benchmark that ran 0 times
	}
	name := fmt.Sprintf("workers=%d", s.Workers)
	if s.Rate > 0 {
		name = "rate=" + formatExact(s.Rate)
	}
	fmt.Fprintf(text, "BenchmarkHead/%s\t%d", name, s.Heads)
	value := func(figure float64, unit string) {
		fmt.Fprintf(text, "\t%s %s", strconv.FormatFloat(math.Round(1000*figure)/1000, 'f', -1, 64), unit)
	}
	value(s.HeadsPerSecond, "HEADs/s")
	latencies := func(kind string, l *Latency) {
		const nanos = 1e6 // in a millisecond
		value(l.P50*nanos, "p50-"+kind+"-ns")
		value(l.P90*nanos, "p90-"+kind+"-ns")
		value(l.P99*nanos, "p99-"+kind+"-ns")
		value(l.P999*nanos, "p99.9-"+kind+"-ns")
		value(l.Max*nanos, "max-"+kind+"-ns")
	}
	latencies("latency", &s.Latency)
	if s.Service != nil {
		latencies("service", s.Service)
	}
	value(s.CPUMicrosPerHead*1e3, "cpu-ns/HEAD")
	value(float64(s.Errors), "errors")
	value(float64(s.Unsent), "unsent")
	value(float64(s.Connections), "connections")
	value(s.InFlight, "in-flight")
	text.WriteString("\n")
}

func oneLine(value string) string { return strings.Join(strings.Fields(value), " ") }
