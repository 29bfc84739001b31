package e2e

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"headcount/bench/pinned"
)

// root is the path of the module's root folder.
const root = "../.."

// Exit codes, as in the README.
const (
	exitComplete = 0
	exitFatal    = 1
	exitFailures = 3
)

// TestE2E scans thousands of objects on each server with the built binary and compares every record with its object.
func TestE2E(t *testing.T) {
	headcount := headcountBinary(filepath.Join(t.TempDir(), "headcount"+pinned.ExeSuffix()))
	goBuild(t, root, string(headcount), ".")
	for _, kind := range serverKinds() {
		t.Run(kind.name, func(t *testing.T) {
			server := kind.start(t)
			t.Run("deviations", func(t *testing.T) { testDeviations(t, server, kind) })
			t.Run("corpus", func(t *testing.T) { testCorpus(t, server, kind, headcount) })
			t.Run("engines", func(t *testing.T) { testEngines(t, server, headcount) })
			t.Run("refusals", func(t *testing.T) { testRefusals(t, server, kind, headcount) })
			if kind.wholeScansOnly {
				return
			}
			t.Run("list", func(t *testing.T) { testList(t, server, kind, headcount) })
			t.Run("filters", func(t *testing.T) { testFilters(t, server, kind, headcount) })
			t.Run("tags", func(t *testing.T) { testTags(t, server, kind, headcount) })
			t.Run("formats", func(t *testing.T) { testFormats(t, server, headcount) })
			t.Run("seed", func(t *testing.T) { testSeed(t, server, headcount) })
			t.Run("seed from files", func(t *testing.T) { testSeedFrom(t, server, headcount) })
			t.Run("lossy keys", func(t *testing.T) { testLossyKeys(t, server, kind, headcount) })
			t.Run("lossy places", func(t *testing.T) { testLossyPlaces(t, server, headcount) })
			t.Run("lossy twin", func(t *testing.T) { testLossyTwin(t, server, headcount) })
		})
	}
}

// serverKind is a server and its differences from S3.
type serverKind struct {
	name  string
	start func(*testing.T) *s3Server

	// deviations are the objects of the corpus that the server cannot store unchanged, by key.
	deviations map[string]deviation

	checksSignatures bool

	// tagsInHead is set for a server that gives the tags with each HEAD, and knows no request for them.
	tagsInHead bool

	// trimsKeys is set for a server that lists /a as a, if there is a delimiter.
	trimsKeys bool

	// wholeScansOnly omits the scans of parts and of lossy keys, where a server differs from another in its connections
	// only.
	wholeScansOnly bool
}

func serverKinds() []serverKind {
	versitygw := versitygwDeviations()
	return []serverKind{
		{name: "gofakes3", start: startGofakes3, deviations: gofakes3Deviations(), tagsInHead: true, trimsKeys: true},
		{name: "versitygw", start: startVersitygw("--keep-alive"), deviations: versitygw, checksSignatures: true},
		// It closes every connection after one answer.
		{
			name: "versitygw without keep-alive", start: startVersitygw(),
			deviations: versitygw, checksSignatures: true, wholeScansOnly: true,
		},
	}
}

const corpusBucket = "corpus"

// testCorpus puts the objects that the server can store, and scans them in all ways that must find the same objects.
func testCorpus(t *testing.T, server *s3Server, kind serverKind, headcount headcountBinary) {
	const bucket = corpusBucket
	began := time.Now()
	var objects []object
	for _, o := range corpus() {
		if _, deviates := kind.deviations[o.key]; !deviates {
			objects = append(objects, o)
		}
	}
	if len(objects) < bulkObjects() {
		t.Fatalf("only %d objects", len(objects))
	}
	server.createBucket(t, bucket)
	server.put(t, bucket, objects)
	t.Logf("%d objects put in %v", len(objects), time.Since(began))

	scans := wholeScans()
	if !kind.wholeScansOnly {
		scans = append(scans, partScans()...)
	}
	for _, scan := range scans {
		t.Run(scan.name, func(t *testing.T) {
			isThrough := func(o object) bool { return o.key == scan.through }
			if scan.through != "" && !slices.ContainsFunc(objects, isThrough) {
				t.Fatalf("there is no object %q", scan.through)
			}
			var want []object
			for _, o := range objects {
				inRange := o.key > scan.after && (scan.through == "" || o.key <= scan.through)
				if inRange && strings.HasPrefix(o.key, scan.prefix) {
					want = append(want, o)
				}
			}
			got := headcount.scan(t, server, bucket, scan.prefix, scan.commandLine()...)
			got.wantRecords(t, want, scan.all, scan.allFields, began)
			got.wantComplete(t, want, scan.all)
		})
	}
}

// corpusScan is a way to scan the corpus.
type corpusScan struct {
	name           string
	args           []string
	prefix         string
	after, through string // empty: no bound
	all, allFields bool
}

func (c corpusScan) commandLine() []string {
	args := slices.Clone(c.args)
	if c.after != "" {
		args = append(args, "--start-after", c.after)
	}
	if c.through != "" {
		args = append(args, "--end-at", c.through)
	}
	if c.all {
		args = append(args, "--all")
	}
	if c.allFields {
		args = append(args, "--fields", "all")
	}
	return args
}

func wholeScans() []corpusScan {
	return []corpusScan{
		{name: "64 workers", args: []string{"--workers", "64"}},
		{name: "one worker", args: []string{"--workers", "1"}},
		{name: "more workers than a page has keys", args: []string{"--workers", "1500"}},
		{name: "ListObjects", args: []string{"--list-objects-v1"}},
		{name: "all fields", all: true, allFields: true},
		{name: "all fields by ListObjects", args: []string{"--list-objects-v1"}, all: true, allFields: true},
	}
}

// partScans are scans of some keys. Their bounds are keys of the corpus that are easily mistaken for syntax. The bound
// itself decides whether start-after is exclusive and end-at inclusive.
func partScans() []corpusScan {
	scans := []corpusScan{
		{name: "after a key", after: "flat-%zz0007", all: true},
		{name: "up to a key", through: "bulk/%410005", all: true},
		{name: "between two", after: "%41", through: "file"},
		{
			name: "between two by ListObjects", after: "a+b", through: "metadata/many",
			args: []string{"--list-objects-v1"}, all: true,
		},
		{name: "between two under a prefix", prefix: "bulk/a b/", after: "bulk/a b/#0009", through: "bulk/a b/;0014"},
		{name: "after the last", after: "\U0010ffff"},
	}
	for _, prefix := range []string{
		"bulk/2026/", "bulk/a b/+", "bulk/日", "%41", "flat-%", "flat-#", "flat-?", `flat-"`,
		"metadata/", "trailing/", "no such",
	} {
		scans = append(scans, corpusScan{name: "prefix " + prefix, prefix: prefix, all: true})
	}
	return scans
}

// testRefusals scans with a bucket or with credentials that the server refuses.
func testRefusals(t *testing.T, server *s3Server, kind serverKind, headcount headcountBinary) {
	const bucket = "refusals"
	server.createBucket(t, bucket)
	server.put(t, bucket, corpus()[:1])
	refusals := []struct {
		name, bucket, accessKey, secret string
		signature                       bool // a server that checks no signatures does not refuse it
		stderr                          []string
	}{
		{name: "no such bucket", bucket: "no-such-bucket", accessKey: server.accessKey, secret: server.secret,
			stderr: []string{
				"error: LIST s3://no-such-bucket/: 404 Not Found: NoSuchBucket", "hint: ", "--endpoint-url",
			}},
		{name: "wrong secret", bucket: bucket, accessKey: server.accessKey, secret: "wrong", signature: true,
			stderr: []string{
				"error: LIST s3://refusals/: 403 Forbidden: SignatureDoesNotMatch", "hint: ", "AWS_SECRET_ACCESS_KEY",
			}},
		{name: "unknown access key", bucket: bucket, accessKey: "unknown", secret: server.secret, signature: true,
			stderr: []string{
				"error: LIST s3://refusals/: 404 Not Found: XAdminUserNotFound", "hint: ", "AWS_ACCESS_KEY_ID",
			}},
		{name: "no credentials", bucket: bucket,
			stderr: []string{"error: get credentials: ", "hint: ", "AWS_ACCESS_KEY_ID"}},
	}
	for _, refusal := range refusals {
		if refusal.signature && !kind.checksSignatures {
			continue
		}
		t.Run(refusal.name, func(t *testing.T) {
			other := *server
			other.accessKey, other.secret = refusal.accessKey, refusal.secret
			got := headcount.scan(t, &other, refusal.bucket, "")
			if got.code != exitFatal || got.stats.Complete || len(got.records) > 0 {
				t.Errorf("exit %d, %d records, %+v", got.code, len(got.records), got.stats)
			}
			for _, want := range refusal.stderr {
				if !strings.Contains(got.stderr, want) {
					t.Errorf("stderr has no %q:\n%s", want, got.stderr)
				}
			}
		})
	}
}
