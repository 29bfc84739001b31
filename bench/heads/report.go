package heads

import (
	"encoding/json"
	"io"
	"time"

	"headcount/bench/figures"
)

// The values of Report.Loop.
const (
	Closed = "closed"
	Open   = "open"
)

// Report is the result of a measurement of one store. Its JSON has all figures; its methods write them in other forms.
type Report struct {
	Complete  bool            `json:"complete"` // every Step ran to its end
	Date      time.Time       `json:"date"`     // when the measurement began
	Headcount string          `json:"headcount"`
	Command   []string        `json:"command"` // as typed, without the folder of the program
	Machine   figures.Machine `json:"machine"`

	Embedded  bool     `json:"embedded,omitempty"` // the embedded store
	Endpoints []string `json:"endpoints"`
	Bucket    string   `json:"bucket"`
	Prefix    string   `json:"prefix,omitempty"`
	Region    string   `json:"region"`
	Server    string   `json:"server,omitempty"` // the Server header of an answer

	Engine    string `json:"engine"`
	EngineWhy string `json:"engine_why"`
	Loop      string `json:"loop"` // Closed or Open
	Keys      int    `json:"keys"` // of the Sample
	Pipeline  int    `json:"pipeline"`

	Steps []Step `json:"steps"` // in the order in which they ran
	Knee  *Knee  `json:"knee,omitempty"`
}

// Step is the result of one number of workers, or of one rate. A HEAD belongs to the Step if its start, planned or else
// actual, is after the warm-up.
type Step struct {
	Workers int     `json:"workers"`        // the most connections
	Rate    float64 `json:"rate,omitempty"` // HEADs per second that were planned; 0: a closed loop
	// from the beginning of the first Step to the end of this Step's warm-up
	BeganSeconds    float64 `json:"began_seconds"`
	DurationSeconds float64 `json:"duration_seconds"` // without the warm-up
	Heads           int64   `json:"heads"`            // that succeeded
	HeadsPerSecond  float64 `json:"heads_per_second"` // of those that succeeded
	Errors          int64   `json:"errors"`           // HEADs with another answer than 200, or none
	Unsent          int64   `json:"unsent,omitempty"` // planned HEADs that were not sent before the end
	// HEADs whose connection the store closed instead of answering; they count from the first send
	Resent           int64   `json:"resent,omitempty"`
	CPUMicrosPerHead float64 `json:"cpu_us_per_head"` // of this process, user and system
	// workers that were ever answered, each with one connection at a time
	Connections int     `json:"connections"`
	InFlight    float64 `json:"in_flight"` // HEADs in flight, on average
	// store, cpu, rate, workers, or machine (other processes)
	LimitedBy  string `json:"limited_by"`
	LimitedWhy string `json:"limited_why"` // for people
	// from the planned start in an open loop, else from the send
	Latency Latency  `json:"latency"`
	Service *Latency `json:"service_latency,omitempty"` // open loop: from the send

	// answers by status, and failures by class, as in scan --stats
	Statuses  map[string]int64  `json:"statuses"`
	Failures  map[string]string `json:"failures,omitempty"` // the text of the first failure of each class
	Histogram []Bucket          `json:"histogram"`          // of Latency, in ascending order, without empty Buckets
	Series    []Moment          `json:"series"`             // the Step over time

	cpuShare, machineShare float64 // shares of the processors' time: used by this process, and by all (0: unknown)
}

// Latency has percentiles in milliseconds: of HEADs that succeeded, and of HEADs that waited in vain, until a timeout
// or beyond the end of the Step, with the time that they waited.
type Latency struct {
	P50  float64 `json:"p50"`
	P90  float64 `json:"p90"`
	P99  float64 `json:"p99"`
	P999 float64 `json:"p99.9"`
	Max  float64 `json:"max"`
	Mean float64 `json:"mean"`
}

// Bucket has the number of latencies above the last Bucket's limit and up to its own.
type Bucket struct {
	Millis float64 `json:"ms"`
	Count  int64   `json:"count"`
}

// Moment is a part of a Step: a second or less, or a 600th of a Step of more than ten minutes. The last Moment also has
// the errors and the latencies of HEADs that ended after the Step.
type Moment struct {
	AtSeconds float64 `json:"at_seconds"` // its end, from the beginning of the first Step
	Heads     int64   `json:"heads"`      // that succeeded
	Seconds   float64 `json:"seconds"`    // its length
	Errors    int64   `json:"errors"`
	P50       float64 `json:"p50"` // milliseconds
	P99       float64 `json:"p99"`
	Max       float64 `json:"max"`
}

// Knee is the number of workers beyond which more workers are not worth their latency.
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
