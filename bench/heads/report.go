package heads

import (
	"encoding/json"
	"io"
	"time"

	"headcount/bench/figures"
)

// The ways in which HEADs are sent.
const (
	Closed = "closed"
	Open   = "open"
)

// Report is what was measured of one store. All figures of it are kept as JSON, and told in other forms by its methods.
type Report struct {
	Complete  bool            `json:"complete"` // every Step ran to its end
	Date      time.Time       `json:"date"`     // when it began
	Headcount string          `json:"headcount"`
	Command   []string        `json:"command"` // as it was typed, without the program's folder
	Machine   figures.Machine `json:"machine"`

	Embedded  bool     `json:"embedded,omitempty"` // the store was started for this
	Endpoints []string `json:"endpoints"`
	Bucket    string   `json:"bucket"`
	Prefix    string   `json:"prefix,omitempty"`
	Region    string   `json:"region"`
	Server    string   `json:"server,omitempty"` // as the store's answers name it

	Engine    string `json:"engine"`
	EngineWhy string `json:"engine_why"`
	Loop      string `json:"loop"` // Closed or Open
	Keys      int    `json:"keys"` // of the Sample
	Pipeline  int    `json:"pipeline"`

	Steps []Step `json:"steps"` // in the order in which they ran
	Knee  *Knee  `json:"knee,omitempty"`
}

// Step is what came of one number of workers, or of one rate. A HEAD is part of it if its start, planned or else
// actual, is in what counts of it.
type Step struct {
	Workers          int      `json:"workers"`                   // connections, at most
	Rate             float64  `json:"rate,omitempty"`            // HEADs per second that were planned; 0: a closed loop
	BeganSeconds     float64  `json:"began_seconds"`             // since the first Step began
	DurationSeconds  float64  `json:"duration_seconds"`          // that counted, without the warm-up
	Heads            int64    `json:"heads"`                     // that succeeded
	HeadsPerSecond   float64  `json:"heads_per_second"`          // of those that succeeded
	Errors           int64    `json:"errors"`                    // HEADs that were answered otherwise than by 200, or not at all
	Unsent           int64    `json:"unsent,omitempty"`          // HEADs that were planned and not sent before the end: the store, or this machine, did not keep up
	Resent           int64    `json:"resent,omitempty"`          // HEADs that brought nothing, on a connection that the store then closed; they count from when they were sent first
	CPUMicrosPerHead float64  `json:"cpu_us_per_head"`           // of this process, user and system
	Connections      int      `json:"connections"`               // workers that were ever answered, each by one connection at a time: not how many were open at once
	InFlight         float64  `json:"in_flight"`                 // HEADs, on average
	LimitedBy        string   `json:"limited_by"`                // store, cpu, rate, workers, or machine: what else ran on it
	LimitedWhy       string   `json:"limited_why"`               // for people
	Latency          Latency  `json:"latency"`                   // from the planned start in an Open loop, else from when it was sent
	Service          *Latency `json:"service_latency,omitempty"` // Open: from when it was sent, which is less where it had to wait for a connection

	Statuses  map[string]int64  `json:"statuses"`           // answers by status, and failures by class, as in scan --stats
	Failures  map[string]string `json:"failures,omitempty"` // for each class of failure, the text of the first one
	Histogram []Bucket          `json:"histogram"`          // of Latency, those with a Count only, in ascending order
	Series    []Moment          `json:"series"`             // the Step over time, in ascending order

	cpuShare, machineShare float64 // of the processors: what this process used, and what was used of the machine's (0: not known)
}

// Latency is in milliseconds: of HEADs that succeeded, and of those that waited in vain, for a timeout, or beyond the
// end of the Step, which count for as long as they waited.
type Latency struct {
	P50  float64 `json:"p50"`
	P90  float64 `json:"p90"`
	P99  float64 `json:"p99"`
	P999 float64 `json:"p99.9"`
	Max  float64 `json:"max"`
	Mean float64 `json:"mean"`
}

// Bucket is how many latencies were over the last Bucket's and up to this one.
type Bucket struct {
	Millis float64 `json:"ms"`
	Count  int64   `json:"count"`
}

// Moment is a part of a Step, of a second or less, or of a 600th of a Step of over ten minutes: what was answered in
// it. The last has the errors and the latencies of what came after its end, too.
type Moment struct {
	AtSeconds float64 `json:"at_seconds"` // its end, since the first Step began
	Heads     int64   `json:"heads"`      // that succeeded
	Seconds   float64 `json:"seconds"`    // how long it is
	Errors    int64   `json:"errors"`
	P50       float64 `json:"p50"` // milliseconds
	P99       float64 `json:"p99"`
	Max       float64 `json:"max"`
}

// Knee is where more workers are no longer worth their latency.
type Knee struct {
	Workers        int     `json:"workers"`
	HeadsPerSecond float64 `json:"heads_per_second"`
	Why            string  `json:"why"` // for people
}

// WriteJSON writes the Report as indented JSON.
func (r *Report) WriteJSON(w io.Writer) error {
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	return encoder.Encode(r)
}
