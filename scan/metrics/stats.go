// Package metrics counts what a scan does and measures how fast it does it.
//
//   - Outcomes: how many objects ended how.
//   - Collector: requests, retries and latencies of all workers. A worker counts in HeadCounts of its own and hands
//     them over once a batch.
//   - Progress: counters that others read while the run lasts.
//   - Bottleneck: what kept the run from being faster.
//   - Stats: all of these together, as --stats prints them. README.md describes its JSON members.
//
// The package knows nothing of the stages of a scan.
package metrics

import "time"

// Outcomes counts objects. Every listed object is counted in exactly one of Emitted, WithoutMetadata, Filtered,
// Gone and Failed. The zero value has counted nothing.
type Outcomes struct {
	Listed          int64 `json:"listed"`
	Emitted         int64 `json:"emitted"`
	WithoutMetadata int64 `json:"without_metadata"`
	Filtered        int64 `json:"filtered"`
	Gone            int64 `json:"gone"`
	Failed          int64 `json:"failed"`

	// Changed counts the objects among Emitted that were overwritten between LIST and HEAD.
	Changed int64 `json:"changed"`

	// OtherMetadata counts the objects, among Emitted and WithoutMetadata, that have metadata under another prefix than
	// those that were taken.
	OtherMetadata int64 `json:"other_metadata,omitempty"`
}

// Add adds the counts of other to o.
func (o *Outcomes) Add(other Outcomes) {
	o.Listed += other.Listed
	o.Emitted += other.Emitted
	o.WithoutMetadata += other.WithoutMetadata
	o.Filtered += other.Filtered
	o.Gone += other.Gone
	o.Failed += other.Failed
	o.Changed += other.Changed
	o.OtherMetadata += other.OtherMetadata
}

// Balanced reports whether every listed object has exactly one outcome.
func (o *Outcomes) Balanced() bool {
	return o.Listed == o.Emitted+o.WithoutMetadata+o.Filtered+o.Gone+o.Failed
}

// Stats summarizes a run together with the earlier runs that it resumed. Members that describe only the last run
// say so.
type Stats struct {
	Complete     bool   `json:"complete"` // every key of the Range has its outcome
	Error        string `json:"error,omitempty"`
	LimitReached bool   `json:"limit_reached,omitempty"` // the limit of objects was reached: the bucket may have more
	Outcomes

	// Inventory is where the objects come from; nil: from the listing, or another file.
	Inventory *Inventory `json:"inventory,omitempty"`

	// ListDenied is set where known keys were refused, and the bucket may not be listed: keys that do not exist are
	// refused too then.
	ListDenied bool `json:"list_denied,omitempty"`

	// ListingCheck is what another listing at the end of the run has found; nil: there was none.
	ListingCheck *ListingCheck `json:"listing_check,omitempty"`

	Runs            int     `json:"runs"`             // 1, plus one for each resumption
	DurationSeconds float64 `json:"duration_seconds"` // the sum over all runs
	Heads           int64   `json:"heads"`            // HEADs sent, with or without an answer
	HeadsPerSecond  float64 `json:"heads_per_second"`
	FromListing     int64   `json:"metadata_from_listing,omitempty"` // objects without a HEAD: the LIST gave it
	HeadLatency     Latency `json:"head_latency_ms"`

	CPUSeconds         float64 `json:"cpu_seconds"` // of the process, user and system
	CPUMicrosPerObject float64 `json:"cpu_us_per_object"`
	MaxRSSBytes        int64   `json:"max_rss_bytes,omitempty"`

	// Requests and Retries have the keys "list" and "head", and those of further requests ("tags"), and under each the
	// statuses of the attempts ("200"). An attempt without an answer counts under the class of its failure ("timeout",
	// "reset"). "lost" counts HEADs that an engine repeated by itself. Retries counts the repeated attempts by the status
	// or class that caused them.
	Requests map[string]map[string]int64 `json:"requests"`
	Retries  map[string]map[string]int64 `json:"retries"`

	// RateLimit is the number of requests per second that was allowed at the end, by the user and by the 429 and
	// 503 answers of the store. 0: no limit.
	RateLimit float64 `json:"rate_limit,omitempty"`

	// The last run: the HEADs in flight with the number of workers that was found or given, and the throughput with
	// that number. The Bottleneck prevented a higher throughput.
	InFlight             int     `json:"in_flight"`
	SteadyHeadsPerSecond float64 `json:"steady_heads_per_second"`
	LimitedBy            string  `json:"limited_by"`        // a Bottleneck
	LimitedByReason      string  `json:"limited_by_reason"` // the measurements behind LimitedBy
	WorkersHistory       []Step  `json:"workers_history,omitempty"`

	// Said has the fields that were read beside key and metadata, and the names of metadata that were asked for, as
	// metadata.owner. For each it has the number of Records that have a value: of all Records that were made, those
	// included that a filter left out.
	Said map[string]int64 `json:"said,omitempty"`

	// OtherPrefixes are the prefixes of Outcomes.OtherMetadata, sorted: for each object the first one, and at most 16.
	OtherPrefixes []string `json:"other_metadata_prefixes,omitempty"`

	// ListingDiffers names in what the HEADs of the last run always differed from the listing, although nothing was
	// overwritten. Objects were not compared by that.
	ListingDiffers []string `json:"listing_differs,omitempty"`

	// The last run.
	Engine       string         `json:"engine"`        // EngineNone: no HEAD was needed
	EngineReason string         `json:"engine_reason"` // why that engine was chosen
	Workers      int            `json:"workers"`       // at the end
	Listers      int            `json:"listers"`       // the most LISTs in flight at once; 0: the keys were given
	Region       string         `json:"region"`
	Addresses    []AddressStats `json:"addresses,omitempty"`
}

// EngineNone is the engine of a run that needs no HEADs: the LIST says all that was asked for.
const EngineNone = "none"

// Inventory is the S3 Inventory that a run has read.
type Inventory struct {
	Manifest   string    `json:"manifest"`
	Created    time.Time `json:"created"`     // the bucket was read from then on
	AgeSeconds float64   `json:"age_seconds"` // at the end of the run
}

// ListingCheck counts the objects in which two listings of the same keys differ.
type ListingCheck struct {
	Missed int64 `json:"missed"` // only the second listing has them, and they were there before: they are among Failed
	New    int64 `json:"new"`    // only the second listing has them: they were written since the run began
	Gone   int64 `json:"gone"`   // only the first listing has them: they were deleted, or the second has missed them
}

// Latency describes the distribution of the time from a request to its answer, in milliseconds.
type Latency struct {
	P50  float64 `json:"p50"`
	P90  float64 `json:"p90"`
	P99  float64 `json:"p99"`
	P999 float64 `json:"p99.9"`
	Max  float64 `json:"max"`
}

// AddressStats counts the HEADs of a run that were sent to one address of one endpoint.
type AddressStats struct {
	Endpoint string `json:"endpoint,omitempty"` // a URL; empty if only the SDK knows it
	Address  string `json:"address,omitempty"`  // IP:port; empty without a connection and after 256 addresses

	Answered     int64 `json:"answered"`      // HEADs with an answer
	ErrorAnswers int64 `json:"error_answers"` // HEADs among Answered with a status other than 200 and 404
	Unanswered   int64 `json:"unanswered"`    // HEADs without an answer

	Latency     AddressLatency `json:"latency_ms"`
	Connections int64          `json:"connections"` // opened for HEADs
}

// AddressLatency is the time from a HEAD to its answer, in milliseconds; 0 if no HEAD was answered.
type AddressLatency struct {
	Mean float64 `json:"mean"`
	P99  float64 `json:"p99"` // exact to a sixteenth
}
