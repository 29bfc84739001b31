package report

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"headcount/output/console"
	"headcount/scan"
	"headcount/scan/field"
	"headcount/scan/forecast"
	"headcount/scan/metrics"
)

// PrintFailures prints the first failed objects, and how many more there are.
func (r *Reporter) PrintFailures(first []*scan.ObjectError, more int64) {
	for _, e := range first {
		if r.JSON {
			r.Log.Error("failed", "target", e.Target, "status", e.Status, "class", e.Class, "attempts", e.Attempts,
				"request_id", e.RequestID, "error", e.Error())
			continue
		}
		how := string(e.Class)
		if e.Attempts > 0 { // a filter is not tried again
			how += ", " + console.Count(int64(e.Attempts), "try", "tries")
		}
		console.PrintLine(r.Status, "headcount: failed: %v (%s)", e, how)
	}
	switch {
	case more == 0:
	case r.JSON:
		r.Log.Error("more failed", "objects", more)
	default:
		console.PrintLine(r.Status, "headcount: failed: and %s more", console.Number(more))
	}
}

// PrintSummary prints the outcomes of the objects and the speed of the run. The outcomes are of whole pages, so they
// add up to the listed objects however the run ended. It prints nothing about a run that failed before it had any
// object: the error says more than a line of zeros.
func (r *Reporter) PrintSummary(s *metrics.Stats) {
	if nothingScanned := !s.Complete && s.Listed == 0 && s.Heads == 0 && s.FromListing == 0; r.Quiet || nothingScanned {
		return
	}
	if r.JSON {
		r.LogResult(state(s), "stats", s)
		return
	}
	number := console.Number
	console.PrintLine(r.Status, "%s: %s listed = %s emitted + %s without metadata + %s filtered + %s gone + %s failed",
		state(s), console.Count(s.Listed, "object", "objects"),
		number(s.Emitted), number(s.WithoutMetadata), number(s.Filtered), number(s.Gone), number(s.Failed))
	r.printSpeed(s)
	if i := s.Inventory; i != nil {
		console.PrintLine(r.Status, "from an inventory of %s, %s old: it lacks what was written since",
			i.Created.Format(time.RFC3339), Age(time.Duration(i.AgeSeconds*float64(time.Second))))
	}
	if s.FromListing > 0 {
		console.PrintLine(r.Status, "metadata from the listing, without a HEAD: %s",
			console.Count(s.FromListing, "object", "objects"))
	}
	r.printLookups(s)
	if s.Changed > 0 {
		console.PrintLine(r.Status, "overwritten between LIST and HEAD (\"changed\":true): %s",
			console.Count(s.Changed, "object", "objects"))
	}
	if s.OtherMetadata > 0 {
		flag := "--metadata-prefix PREFIX"
		if len(s.OtherPrefixes) == 1 {
			flag = "--metadata-prefix " + s.OtherPrefixes[0]
		}
		console.PrintLine(r.Status, "metadata under another prefix (%s), not printed: %s; %s prints them",
			strings.Join(s.OtherPrefixes, ", "), console.Count(s.OtherMetadata, "object", "objects"), flag)
	}
	r.printUnsaid(s)
	if s.ListDenied && s.Failed > 0 {
		console.PrintLine(r.Status, "the bucket may not be listed (s3:ListBucket): keys that do not exist are refused too, "+
			"with status 403")
	}
	if c := s.ListingCheck; c != nil {
		console.PrintLine(r.Status, "listed again: %s missed by the first listing, %s new, %s gone",
			console.Count(c.Missed, "object was", "objects were"), number(c.New), number(c.Gone))
	}
	r.printLimit(s)
}

// printUnsaid prints the fields, and the names of metadata and tags, that were read and that the store said for no
// object. The caller may lack a right, or have misspelt a name.
func (r *Reporter) printUnsaid(s *metrics.Stats) {
	unsaid := map[string][]string{} // names of fields, by the right that they need
	for _, f := range field.Every() {
		if n, counted := s.Said[f.Name]; counted && n == 0 {
			unsaid[f.Permission] = append(unsaid[f.Permission], f.Name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(s.Said)) {
		if s.Said[name] == 0 && strings.Contains(name, ".") {
			unsaid[""] = append(unsaid[""], name)
		}
	}
	answered := min(s.Requests["head"]["200"]+s.FromListing, s.Listed) // HEADs of failed objects are sent again
	if s.Engine == metrics.EngineNone {
		answered = s.Listed
	}
	if answered == 0 {
		return
	}
	for _, permission := range slices.Sorted(maps.Keys(unsaid)) {
		question := ""
		if permission != "" {
			question = ": does the caller have " + permission + "?"
		}
		console.PrintLine(r.Status, "%s: said for none of %s%s", strings.Join(unsaid[permission], ", "),
			console.Count(answered, "object", "objects"), question)
	}
}

// printSpeed prints how fast the run was, unless it ended before it had any metadata.
func (r *Reporter) printSpeed(s *metrics.Stats) {
	if s.Engine == metrics.EngineNone {
		console.PrintLine(r.Status, "no HEAD was needed: %s in %.1f s, %s/s; CPU %.1f µs per object; %s",
			console.Count(s.Listed, "object", "objects"), s.DurationSeconds,
			console.Number(int64(float64(s.Listed)/max(s.DurationSeconds, 1e-3))), s.CPUMicrosPerObject,
			console.Count(int64(s.Listers), "lister", "listers"))
		return
	}
	if s.Heads == 0 && s.FromListing == 0 {
		console.PrintLine(r.Status, "no HEAD sent in %.1f s", s.DurationSeconds)
		return
	}
	number := console.Number
	console.PrintLine(r.Status,
		"%s in %.1f s, %s/s; latency p50 %.1f ms, p99 %.1f ms; CPU %.0f µs per object; engine %s, %s",
		console.Count(s.Heads, "HEAD", "HEADs"), s.DurationSeconds, number(int64(s.HeadsPerSecond)),
		s.HeadLatency.P50, s.HeadLatency.P99, s.CPUMicrosPerObject, s.Engine,
		console.Count(int64(s.Workers), "worker", "workers"))
	console.PrintLine(r.Status, "%s in flight, %s HEAD/s, limited by: %s",
		number(int64(s.InFlight)), number(int64(s.SteadyHeadsPerSecond)), limiterName(s.LimitedBy))
}

// Age returns a duration for people, in days where there are some.
func Age(d time.Duration) string {
	const day = 24 * time.Hour
	if d >= 2*day {
		return console.Count(int64(d/day), "day", "days")
	}
	return d.Round(time.Minute).String()
}

// printLookups prints how many further requests were sent, and which statuses those had that failed.
func (r *Reporter) printLookups(s *metrics.Stats) {
	var texts []string
	for _, kind := range slices.Sorted(maps.Keys(s.Requests)) {
		if kind == "list" || kind == "head" {
			continue
		}
		sent, failed := int64(0), []string(nil)
		for _, status := range slices.Sorted(maps.Keys(s.Requests[kind])) {
			n := s.Requests[kind][status]
			if sent += n; status != "200" {
				failed = append(failed, console.Number(n)+" by "+status)
			}
		}
		text := console.Number(sent) + " for " + kind
		if len(failed) > 0 {
			text += " (failed: " + strings.Join(failed, ", ") + ")"
		}
		texts = append(texts, text)
	}
	if len(texts) > 0 {
		console.PrintLine(r.Status, "further requests: %s", strings.Join(texts, ", "))
	}
}

// PrintNoKeys prints that no key begins with a prefix, and a hint.
func (r *Reporter) PrintNoKeys(prefix, hint string) {
	switch {
	case r.Quiet:
	case r.JSON:
		r.LogResult("no key begins with the prefix", "prefix", prefix, "hint", hint)
	default:
		console.PrintLine(r.Status, "no key begins with %q", prefix)
		console.PrintLine(r.Status, "headcount: hint: %s", hint)
	}
}

// emptyPrefixesPrinted is how many prefixes are printed: enough to see a pattern.
const emptyPrefixesPrinted = 3

// PrintEmptyPrefixes prints that no key begins with some of the prefixes that were asked for, and a hint about the
// first one.
func (r *Reporter) PrintEmptyPrefixes(prefixes []string, hint string) {
	first := prefixes[:min(len(prefixes), emptyPrefixesPrinted)]
	switch {
	case r.Quiet:
	case r.JSON:
		r.LogResult("no key begins with some prefixes", "count", len(prefixes), "first", first, "hint", hint)
	default:
		var names []string
		for _, prefix := range first {
			names = append(names, strconv.Quote(prefix))
		}
		if more := len(prefixes) - len(first); more > 0 {
			names = append(names, "or "+console.Count(int64(more), "other prefix", "other prefixes"))
		}
		console.PrintLine(r.Status, "no key begins with %s", strings.Join(names, ", "))
		console.PrintLine(r.Status, "headcount: hint: %s", hint)
	}
}

// PrintForecastSummary prints how much of the bucket a dry run has listed. The forecast itself goes to standard output.
func (r *Reporter) PrintForecastSummary(s *forecast.Stats) {
	switch {
	case r.Quiet:
	case !s.Complete && s.DryRun.Objects == 0: // as in PrintSummary
	case r.JSON:
		r.LogResult(state(s.Stats), "stats", s)
	default:
		console.PrintLine(r.Status, "%s: %s listed in %.1f s, and no record made: a dry run",
			state(s.Stats), console.Count(s.DryRun.Objects, "object", "objects"), s.DurationSeconds)
		r.printLimit(s.Stats)
	}
}

func state(s *metrics.Stats) string {
	if s.Complete {
		return "complete"
	}
	return "not complete"
}

func (r *Reporter) printLimit(s *metrics.Stats) {
	if s.LimitReached {
		console.PrintLine(r.Status, "--limit reached: there may be more objects")
	}
}

// limiterName returns the text for people of what limited a run.
func limiterName(by string) string {
	switch by {
	case "cpu":
		return "this machine's CPU"
	case "rate":
		return "--rate"
	case "output":
		return "writing the output"
	}
	return by
}

// LogResume logs that a run continues an earlier one, which has listed so many objects in so many runs.
func (r *Reporter) LogResume(checkpoint string, objects int64, runs int) {
	r.Log.Info("resuming", "checkpoint", checkpoint, "objects", objects, "runs", runs)
}

// LogRepeats logs that a resumed run may repeat records on standard output.
func (r *Reporter) LogRepeats() {
	r.Log.Info("standard output cannot be rewound: after --resume some records may come twice; " +
		"--output FILE has each once")
}

// PrintResumeHint prints how to continue a run that is not complete.
func (r *Reporter) PrintResumeHint(checkpoint string) {
	switch {
	case r.Quiet:
	case r.JSON:
		r.LogResult("resumable", "checkpoint", checkpoint)
	default:
		console.PrintLine(r.Status, "resumable: the same command with --resume continues from %s", checkpoint)
	}
}
