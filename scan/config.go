package scan

import (
	"log/slog"
	"slices"
	"time"

	"headcount/scan/checkpoint"
	"headcount/scan/fault"
	"headcount/scan/head"
	"headcount/scan/list"
	"headcount/scan/lookup"
	"headcount/scan/store"
)

// Config says what to scan and what to do with it. Store must be set; the zero value of every other field is usable.
type Config struct {
	Store *store.Store

	// Sink gets the Records, Failures every object that failed, and Missing every object that is gone, before their page
	// counts. Run closes all of them, however it ends. nil: they are only counted.
	Sink     Sink
	Failures FailureSink
	Missing  FailureSink

	// Begin is called once, before one of them gets anything, and before Run returns nil: from now on the results of
	// this run replace those of an earlier one. A run that ends before has changed nothing. Its error ends the run. nil:
	// there is nothing to replace.
	Begin func() error

	// OnCheckpoint saves a Checkpoint: every CheckpointEvery (0: 1 s) while pages are committed, and at the end of a run
	// that has begun. It is called from one goroutine at a time. All that was given to the sinks before is in the
	// Checkpoint and on disk (Sync), and nothing else is. Its error ends the run. nil: no checkpoints.
	OnCheckpoint    func(*checkpoint.Checkpoint) error
	CheckpointEvery time.Duration

	// Resume is the Checkpoint of an earlier run; nil: this is the first run. The caller has checked its Parameters and
	// Positions.
	Resume *checkpoint.Checkpoint

	// ListOnly makes a run that sends no HEADs. It gets every Page that has Entries, in the order of commit and from one
	// goroutine. All objects count as filtered. nil: HEADs are sent.
	ListOnly func(*list.Page)

	Prefix string

	// Prefixes choose the keys that begin with one of them, from list.MergePrefixes; each begins with Prefix. Range is
	// zero then. nil: Prefix chooses alone.
	Prefixes []string

	Range  list.Range // of the first run; a later run scans what Resume has left of it
	Keys   KeySource  // the objects to scan; nil: those that the bucket lists
	ListV1 bool       // list by ListObjects instead of ListObjectsV2

	// ListDetails asks for owners, checksums and restores in the listing (Record.Details).
	ListDetails bool

	// Versions scans every version and delete marker, and not only the newest version of each key. A version is an object
	// of its own. Delete markers get a Record without a HEAD. ListV1, Delimiter and ListOrder must not be set.
	Versions bool

	// Delimiter lists one level of the bucket: the objects without a Delimiter behind the Prefix, and one Record for each
	// common prefix of the others (Record.CommonPrefix). There is one lister, and NoHeads is set. Empty: all objects.
	Delimiter string

	// ListOrder is the order in which the store lists; list.OrderAny for directory buckets, whatever it is. With OrderAny,
	// Range is zero, there is one lister, and Records are in the order of the listing.
	ListOrder list.Order

	Limit int64 // objects, the first ones in the listing, those of earlier runs included; 0: all

	// VerifyListing lists everything again at the end. Objects that were there and that the first listing did not have
	// fail, as fault.MissedByListing. It needs memory for all keys (list.KeySet), the listing of one run, and no Limit.
	VerifyListing bool

	// Filter chooses the objects that get a Record, with metadata or without; nil: those with metadata do.
	Filter *Filter

	// Counted are the values of Records whose presence Stats.Said counts, before the Filter decides.
	Counted []Presence

	// Lookups are the further requests for each object that may get a Record (Record.Tags, Record.Annotations). Requests
	// for tags leave out the objects whose HEADs say the tags, or that there are none.
	Lookups []lookup.Kind

	// NoHeads makes Records of what the LIST says, and sends no HEADs.
	NoHeads bool

	Ordered bool // Records in the order of keys
	All     bool // Records for objects without metadata too

	// MetadataPrefix begins the names of headers that are custom metadata too, beside head.MetadataPrefix. It is from
	// head.ParseMetadataPrefix; empty: there are none.
	MetadataPrefix string

	// Headers are further headers of every HEAD (head.Config.Headers).
	Headers []head.RequestHeader

	Engine   string  // engine.Auto (also ""), engine.Direct, engine.SDK; engine.List: metadata from the listing
	Pipeline int     // HEADs in flight on each connection of the direct engine; 0: 1
	Workers  int     // connections with HEADs in flight; WorkersAuto (0): the number with which the store answers most
	Listers  int     // Ranges that are listed at once, at most; 0: 1; ListersAuto: as many as keep the workers busy
	Rate     float64 // requests per second at most, LISTs included; 0: as many as the store answers

	Timeout     time.Duration // of each request, answer included; 0: 30 s
	RetryFor    time.Duration // the run ends when no HEAD, or LIST, has succeeded for so long; 0: 15 min
	MaxAttempts int           // an object fails with so many failed HEADs while others succeed; 0: 10
	MaxFailures int64         // the run ends when so many objects have failed in it; 0: never for that
	Log         *slog.Logger  // nil: silent
}

const (
	timeoutDefault  = 30 * time.Second
	retryForDefault = 15 * time.Minute

	// checkpointEveryDefault bounds the work that a killed run leaves to be done again. A checkpoint costs some
	// milliseconds, in which nothing is written.
	checkpointEveryDefault = time.Second

	// ListersAuto lists as many Ranges at once as keep the workers busy.
	ListersAuto = -1

	// listedPerSecondMax is more keys per second than two cores decode and filter. ListersAuto lists no faster.
	listedPerSecondMax = 4_000_000

	// ListersAutoMax bounds ListersAuto: 64 pages at once are 640,000 keys a second at 100 ms a page, more than one
	// machine can send HEADs for, and about as many as two cores can decode.
	ListersAutoMax = 64
)

func (c Config) withDefaults() Config {
	if c.Store.Unordered() {
		c.ListOrder = list.OrderAny
	}
	// Several listers would not find the first objects first, need the order of bytes, and have no keys to split at
	// where common prefixes stand for them. A KeySource is read once, from its beginning to its end.
	if c.Listers == 0 || c.Limit > 0 || c.ListOrder == list.OrderAny || c.Delimiter != "" || c.Keys != nil {
		c.Listers = 1
	}
	if c.Workers = max(WorkersAuto, c.Workers); c.NoHeads {
		c.Workers = 1 // it has nothing to do
	}
	c.All = c.All || c.Filter != nil || c.NoHeads
	if c.Timeout <= 0 {
		c.Timeout = timeoutDefault
	}
	if c.RetryFor <= 0 {
		c.RetryFor = retryForDefault
	}
	if c.CheckpointEvery <= 0 {
		c.CheckpointEvery = checkpointEveryDefault
	}
	if c.MaxAttempts <= 0 {
		c.MaxAttempts = fault.MaxAttemptsDefault
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Sink == nil {
		c.Sink = discard{}
	}
	if c.Failures == nil {
		c.Failures = discard{}
	}
	if c.Missing == nil {
		c.Missing = discard{}
	}
	return c
}

// ranges returns the Ranges that this run scans.
func (c *Config) ranges() []list.Range {
	if c.Resume != nil {
		return slices.Clone(c.Resume.Rest)
	}
	return c.FirstRanges()
}

// FirstRanges returns the Ranges that the first run scans.
func (c *Config) FirstRanges() []list.Range {
	if len(c.Prefixes) > 0 && c.Keys == nil {
		return list.PrefixRanges(c.Prefixes)
	}
	return []list.Range{c.Range}
}

// inOrder reports whether pages are committed in the order in which they are listed. With list.OrderAny a Checkpoint
// is one continuation token, at which the rest of the listing begins.
func (c *Config) inOrder() bool { return c.Ordered || c.listsInAnyOrder() }

// listsInAnyOrder reports whether there are no Ranges of keys, but one listing by continuation tokens.
func (c *Config) listsInAnyOrder() bool { return c.Keys == nil && c.ListOrder == list.OrderAny }

// mayChangeOrder reports whether a listing may go on in any order where the keys turn out to be unsorted. A Checkpoint
// says by Ranges of keys what is left, and ordered output needs their order.
func (c *Config) mayChangeOrder() bool { return c.OnCheckpoint == nil && c.Resume == nil && !c.Ordered }
