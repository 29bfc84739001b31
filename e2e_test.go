package main

import (
	"bytes"
	"context"
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"
	"golang.org/x/sync/errgroup"
)

// TestE2E puts a corpus of thousands of objects on real servers, scans them with the built binary, and compares every
// record with what was put.
func TestE2E(t *testing.T) {
	headcount := headcountBinary(filepath.Join(t.TempDir(), "headcount"+exeSuffix()))
	goBuild(t, ".", string(headcount), ".")
	for _, kind := range serverKinds() {
		t.Run(kind.name, func(t *testing.T) {
			server := kind.start(t)
			t.Run("deviations", func(t *testing.T) { testDeviations(t, server, kind) })
			t.Run("corpus", func(t *testing.T) { testCorpus(t, server, kind, headcount) })
			t.Run("refusals", func(t *testing.T) { testRefusals(t, server, kind, headcount) })
			if kind.onlyWhole {
				return
			}
			t.Run("lossy keys", func(t *testing.T) { testLossyKeys(t, server, kind, headcount) })
			t.Run("lossy places", func(t *testing.T) { testLossyPlaces(t, server, headcount) })
			t.Run("lossy twin", func(t *testing.T) { testLossyTwin(t, server, headcount) })
		})
	}
}

// serverKind is a server, and what it does not do as S3 does.
type serverKind struct {
	name  string
	start func(*testing.T) *s3Server

	// deviations are the objects of the corpus that the server cannot store as they are, by key.
	deviations map[string]deviation

	checksSignatures bool

	// onlyWhole is set where nothing is new but the connections: scans of parts and of lossy keys would only take time.
	onlyWhole bool
}

func serverKinds() []serverKind {
	versitygw := versitygwDeviations()
	return []serverKind{
		{name: "gofakes3", start: startGofakes3, deviations: gofakes3Deviations()},
		{name: "versitygw", start: startVersitygw("--keep-alive"), deviations: versitygw, checksSignatures: true},
		// It closes every connection after one answer.
		{name: "versitygw without keep-alive", start: startVersitygw(), deviations: versitygw, checksSignatures: true, onlyWhole: true},
	}
}

// deviation is what a server makes of an object, in the words of observe, and why.
type deviation struct{ observed, why string }

// lossy is the deviation of a server whose XML writes U+FFFD for what XML cannot carry: a listing that names another
// key than the object has.
func lossy(listed string) deviation {
	return deviation{listedAs(listed), "its LIST ignores encoding-type=url, and XML cannot carry the character"}
}

// lossyDeviations are those of everything written in Go with encoding/xml.
func lossyDeviations() map[string]deviation {
	return map[string]deviation{
		"control/\x01soh":       lossy("control/\ufffdsoh"),
		"control/bel\a":         lossy("control/bel\ufffd"),
		"control/esc\x1b[0m":    lossy("control/esc\ufffd[0m"),
		"control/us\x1f":        lossy("control/us\ufffd"),
		"noncharacter/\ufffe":   lossy("noncharacter/\ufffd"),
		"not-utf8/\xff":         lossy("not-utf8/\ufffd"),
		"not-utf8/Latin\xe9":    lossy("not-utf8/Latin\ufffd"),
		"not-utf8/half\xe6\x97": lossy("not-utf8/half\ufffd\ufffd"),
		"not-utf8/\xed\xa0\x80": lossy("not-utf8/\ufffd\ufffd\ufffd"),
	}
}

func gofakes3Deviations() map[string]deviation {
	deviations := map[string]deviation{
		strings.Repeat("k", 1025):  {"refused: KeyTooLongError", "1,024 bytes are the most that S3 takes"},
		"metadata/2 KB and a half": {"refused: MetadataTooLarge", "2 KB are the most that S3 takes"},
		"control/nul\x00":          lossy("control/nul\ufffd"),
	}
	maps.Copy(deviations, lossyDeviations())
	return deviations
}

func versitygwDeviations() map[string]deviation {
	const (
		nameMax  = "a segment of a key is the name of a file, which has 255 bytes at most"
		cleaned  = "a key is a path, which it cleans"
		isFolder = "a key that ends with / is a folder, which has no content"
	)
	deviations := map[string]deviation{
		strings.Repeat("k", 256):   {"refused: KeyTooLongError", nameMax},
		strings.Repeat("k", 1000):  {"refused: KeyTooLongError", nameMax},
		strings.Repeat("k", 1024):  {"refused: KeyTooLongError", nameMax},
		strings.Repeat("k", 1025):  {"refused: KeyTooLongError", nameMax},
		strings.Repeat("%", 300):   {"refused: KeyTooLongError", nameMax},
		"control/nul\x00":          {"refused: InternalError", "a path ends at a NUL"},
		"/leading":                 {listedAs("leading"), cleaned},
		"//leading-twice":          {listedAs("leading-twice"), cleaned},
		"double//slash":            {listedAs("double/slash"), cleaned},
		"s3://other/key":           {listedAs("s3:/other/key"), cleaned},
		"dots/./one":               {listedAs("dots/one"), cleaned},
		"./dot":                    {listedAs("dot"), cleaned},
		"dots/../two":              {listedAs("two"), cleaned},
		"dots/end/.":               {listedAs("dots/end"), cleaned},
		"../dots":                  {"refused: 400", "it would be a file outside the bucket"},
		"dots/end/..":              {listedAs("dots"), cleaned},
		"..":                       {"refused: 400", "it would be a file outside the bucket"},
		".":                        {"refused: 400", "it would be the bucket's own folder"},
		"/":                        {"refused: 400", "it would be the bucket's own folder"},
		"trailing/content/":        {"refused: DirectoryObjectContainsData", isFolder},
		"trailing/twice//":         {listedAs("trailing/twice/"), cleaned},
		"file/below":               {"refused: ObjectParentIsFile", "file is a file and cannot be a folder too"},
		"metadata/latin-1":         {`metadata map["city":"Z` + "\ufffd" + `rich"]`, "it keeps metadata as UTF-8"},
		"metadata/2 KB and a half": {"refused: MetadataTooLarge", "2 KB are the most that S3 takes"},
	}
	maps.Copy(deviations, lossyDeviations())
	return deviations
}

// object is what is put.
type object struct {
	key         string
	metadata    map[string]string
	body        string
	contentType string
}

// etag is what S3 gives an object that was put in one piece and not encrypted.
func (o object) etag() string {
	sum := md5.Sum([]byte(o.body))
	return hex.EncodeToString(sum[:])
}

// bulkObjects is how many objects have nothing special but their keys: more than three pages, or with -short one.
func bulkObjects() int {
	if testing.Short() {
		return 1400
	}
	return 3000
}

// corpus is everything that is put, in no order.
func corpus() []object {
	var objects []object
	sets := metadataSets()
	add := func(key string, metadata map[string]string) {
		n := len(objects)
		o := object{key: key, metadata: metadata, body: fmt.Sprint("the body of ", n), contentType: "text/plain; charset=utf-8"}
		if strings.HasSuffix(key, "/") && key != "trailing/content/" {
			o.body, o.contentType = "", "application/x-directory"
		}
		objects = append(objects, o)
	}
	for i, key := range nastyKeys() {
		add(key, sets[i%len(sets)])
	}
	for name, metadata := range hardMetadata() {
		add("metadata/"+name, metadata)
	}
	// Numbers of fragments, folders and metadata that have no common divisor: every one meets every other.
	fragments, folders := keyFragments(), []string{"bulk/", "bulk/2026/11/22/", "flat-", "bulk/日本/", "bulk/a b/"}
	for i := range bulkObjects() {
		key := fmt.Sprintf("%s%s%04d", folders[i%len(folders)], fragments[i%len(fragments)], i)
		add(key, sets[i%len(sets)])
	}
	return objects
}

// keyFragments are what stores and clients take for syntax.
func keyFragments() []string {
	return []string{
		"plain-", " ", "  ", "+", "%", "%41", "%2F", "%zz", "%25", "#", "?", "?versionId=", "&", "=", ";", ":", "@", ",", "$",
		"!", "*", "'", `"`, "<", ">", "&lt;", "]]>", "[0]", "{}", "|", "~", "^", "`", `\`, "(", "é", "e\u0301", "日", "😀",
		"🏳️‍🌈", "\u00a0", "\u2028", "\ufeff", "\ufffd", "\u202e", "\t", "\n", "\r", "\r\n", "\x7f", "\u0085", "-", "_", ".",
	}
}

func nastyKeys() []string {
	return []string{
		"plain", " leading space", "trailing space ", "+", "%", "%41", "%%%", "100%", "a+b", "a b+c%20d", "#", "?", "?list-type=2", "&amp;",
		"s3://other/key", "arn:aws:s3:::bucket", "-", "--help", "CON", "null", "end.", ".hidden", "...", "ü/é/日本語/😀",
		"/", "/leading", "//leading-twice", "double//slash", "trailing/", "trailing/content/", "trailing/twice//",
		".", "..", "./dot", "../dots", "dots/./one", "dots/../two", "dots/end/.", "dots/end/..", "dots/.../three",
		"file", "file/below", "file-beside", "file.beside", "file0", // S3 orders them as bytes: - . / 0
		strings.Repeat("k", 255), strings.Repeat("k", 256), strings.Repeat("k", 1000), strings.Repeat("k", 1024), strings.Repeat("k", 1025),
		strings.Repeat("%", 300),
		long("é/", 1000), long("日本/", 1000), long("😀😀😀😀😀😀😀😀😀😀/", 1000), long(strings.Repeat("w", 249)+"/", 1000), long("d/", 1023),
		"control/\x01soh", "control/bel\a", "control/esc\x1b[0m", "control/us\x1f", "control/nul\x00", "control/del\x7f",
		"noncharacter/\ufffe", "not-utf8/\xff", "not-utf8/Latin\xe9", "not-utf8/half\xe6\x97", "not-utf8/\xed\xa0\x80",
	}
}

// long repeats a segment and ends with as many more bytes as make length.
func long(segment string, length int) string {
	key := strings.Repeat(segment, length/len(segment)-1)
	return key + strings.Repeat("z", length-len(key))
}

// metadataSets are what every server keeps.
func metadataSets() []map[string]string {
	return []map[string]string{
		{"owner": "alice"},
		nil,
		{"owner": "bob", "project": "apollo", "cost-center": "4711", "retention.days": "30", "under_score": "x", "0": "zero"},
		{"empty": ""},
		{"city": "Zürich", "place": "日本 😀"},
		{"text": "two  inner   blanks", "quoted": `say "hi"`, "path": `C:\new\table`, "list": "a,b, c;d=e", "tab": "a\tb"},
		{"json": `{"a":[1,2],"b":"<&>"}`, "url": "https://example.com/?a=b&c=%41+d#e"},
	}
}

// hardMetadata are put under metadata/ and the name.
func hardMetadata() map[string]map[string]string {
	many := map[string]string{}
	for i := range 60 {
		many[fmt.Sprintf("name-%02d", i)] = fmt.Sprint("value ", i)
	}
	return map[string]map[string]string{
		"many":             many,
		"1.5 KB":           {"long": strings.Repeat("long ", 300) + "."},
		"2 KB and a half":  {"long": strings.Repeat("v", 2560)},
		"outer blanks":     {"before": "  x", "after": "x  ", "only": "   "},
		"upper case":       {"OWNER": "Alice", "camelCase": "Value"},
		"mime encoded":     {"q": "=?UTF-8?Q?Z=C3=BCrich?=", "b": "=?UTF-8?B?WsO8cmljaA==?="},
		"percent and plus": {"p": "100%25+%zz"},
		"latin-1":          {"city": "Z\xfcrich"},
		"all empty":        {"a": "", "b": ""},
		"token characters": {"a!#$&'*+-.^_`|~z": "x"},
	}
}

// asKept is what S3 makes of metadata: the names are in lower case, and outer blanks do not survive HTTP.
func asKept(metadata map[string]string) map[string]string {
	kept := map[string]string{}
	for name, value := range metadata {
		kept[strings.ToLower(name)] = strings.Trim(value, " \t")
	}
	return kept
}

// put stores objects, many at once. The first that is refused fails the test.
func (s *s3Server) put(t *testing.T, bucket string, objects []object) {
	var g errgroup.Group
	g.SetLimit(32)
	for _, o := range objects {
		g.Go(func() error {
			if err := s.putOne(t.Context(), bucket, o); err != nil {
				return fmt.Errorf("%q: %w (should it be in the server's table of deviations?)", o.key, err)
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
}

func (s *s3Server) putOne(ctx context.Context, bucket string, o object) error {
	_, err := s.client.PutObject(ctx, &s3.PutObjectInput{
		Bucket: aws.String(bucket), Key: aws.String(o.key), Metadata: o.metadata,
		Body: strings.NewReader(o.body), ContentType: aws.String(o.contentType),
	}, func(options *s3.Options) { options.RetryMaxAttempts = 1 })
	return err
}

func (s *s3Server) createBucket(t *testing.T, bucket string) {
	if _, err := s.client.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: aws.String(bucket)}); err != nil {
		t.Fatal(err)
	}
}

// testDeviations asserts what the server cannot store, each alone in a bucket, so that the table stays true.
func testDeviations(t *testing.T, server *s3Server, kind serverKind) {
	all := map[string]object{}
	for _, o := range corpus() {
		all[o.key] = o
	}
	number := 0
	for key, deviation := range kind.deviations {
		number++
		bucket := fmt.Sprintf("deviation-%02d", number)
		o, known := all[key]
		if !known {
			t.Errorf("%q is not in the corpus: what is it about?", key)
			continue
		}
		server.createBucket(t, bucket)
		if key == "file/below" {
			server.put(t, bucket, []object{all["file"]})
		}
		switch observed := server.observe(t, bucket, o); observed {
		case deviation.observed:
		case "":
			t.Errorf("%q is now stored as it was put: take it out of the table (%s)", key, deviation.why)
		default:
			t.Errorf("%q: %s; the table has %s (%s)", key, observed, deviation.observed, deviation.why)
		}
	}
}

// observe puts an object alone into a bucket and says what the server made of it: nothing, if it kept it as it was.
func (s *s3Server) observe(t *testing.T, bucket string, o object) string {
	if err := s.putOne(t.Context(), bucket, o); err != nil {
		var refused smithy.APIError
		if !errors.As(err, &refused) {
			t.Fatal(err)
		}
		return "refused: " + refused.ErrorCode()
	}
	listing, err := s.client.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: aws.String(bucket)})
	if err != nil {
		t.Fatal(err)
	}
	var keys []string
	for _, entry := range listing.Contents {
		keys = append(keys, *entry.Key)
	}
	if !slices.Equal(keys, []string{o.key}) {
		return listedAs(keys...)
	}
	head, err := s.client.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: aws.String(bucket), Key: aws.String(o.key)})
	if err != nil {
		return err.Error()
	}
	if !maps.Equal(head.Metadata, asKept(o.metadata)) {
		return fmt.Sprintf("metadata %q", head.Metadata)
	}
	return ""
}

func listedAs(keys ...string) string { return fmt.Sprintf("listed as %q", keys) }

// testCorpus scans what the server can store in every way that must find the same.
func testCorpus(t *testing.T, server *s3Server, kind serverKind, headcount headcountBinary) {
	const bucket = "corpus"
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
	if !kind.onlyWhole {
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
				if strings.HasPrefix(o.key, scan.prefix) && o.key > scan.after && (scan.through == "" || o.key <= scan.through) {
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

// partScans are scans of some keys. Their bounds are keys of the corpus that are easily taken for syntax, since what
// is in doubt is whether the bound itself belongs to the part.
func partScans() []corpusScan {
	scans := []corpusScan{
		{name: "after a key", after: "flat-%zz0007", all: true},
		{name: "up to a key", through: "bulk/%410005", all: true},
		{name: "between two", after: "%41", through: "file"},
		{name: "between two by ListObjects", after: "a+b", through: "metadata/many", args: []string{"--list-objects-v1"}, all: true},
		{name: "between two under a prefix", prefix: "bulk/a b/", after: "bulk/a b/#0009", through: "bulk/a b/;0014"},
		{name: "after the last", after: "\U0010ffff"},
	}
	for _, prefix := range []string{
		"bulk/2026/", "bulk/a b/+", "bulk/日", "%41", "flat-%", "flat-#", "flat-?", `flat-"`, "metadata/", "trailing/", "no such",
	} {
		scans = append(scans, corpusScan{name: "prefix " + prefix, prefix: prefix, all: true})
	}
	return scans
}

// lossyBucketObjects is how many whole objects lie among the lossy ones: more than a page.
const lossyBucketObjects = 1200

// testLossyKeys scans objects whose listing names keys that no object has: each is a failure, and every other object
// has its record.
func testLossyKeys(t *testing.T, server *s3Server, kind serverKind, headcount headcountBinary) {
	const bucket = "lossy"
	server.createBucket(t, bucket)
	var (
		puts, whole []object
		lost        []string
	)
	for _, o := range corpus() {
		deviation, deviates := kind.deviations[o.key]
		if listed := lossyName(o.key); deviates && deviation == lossy(listed) {
			puts, lost = append(puts, o), append(lost, listed)
		} else if !deviates && strings.HasPrefix(o.key, "bulk/") && len(whole) < lossyBucketObjects {
			puts, whole = append(puts, o), append(whole, o)
		}
	}
	slices.Sort(lost)
	server.put(t, bucket, puts)
	for name, args := range listVersions() {
		t.Run(name, func(t *testing.T) {
			got := headcount.scan(t, server, bucket, "", append(args, "--all")...)
			got.wantRecords(t, whole, true, false, time.Time{})
			got.wantLost(t, len(puts), lost)
		})
	}
}

// listVersions are the flags for both; with -short there is one.
func listVersions() map[string][]string {
	if testing.Short() {
		return map[string][]string{"ListObjectsV2": nil}
	}
	return map[string][]string{"ListObjectsV2": nil, "ListObjects": {"--list-objects-v1"}}
}

// testLossyPlaces has lossy keys where the listing goes on from a key, and where two keys become one: no other object
// may be lost over that.
func testLossyPlaces(t *testing.T, server *s3Server, headcount headcountBinary) {
	tests := []struct {
		name  string
		ahead int      // objects before these: 999 make the first of these the last of a page
		keys  []string // in the order of their bytes
		lost  []string // as they are listed
	}{
		{name: "last of the bucket", ahead: 10, keys: []string{"b\x01"}, lost: []string{"b\ufffd"}},
		{name: "ordered otherwise", ahead: 10, keys: []string{"b\x01", "bz", "c"}, lost: []string{"b\ufffd"}},
		{name: "last of a page", ahead: 999, keys: []string{"b\x01", "bz", "c"}, lost: []string{"b\ufffd"}},
		{name: "last two of a page", ahead: 998, keys: []string{"b\x01", "b\x02x", "bz", "c"}, lost: []string{"b\ufffd", "b\ufffdx"}},
		{name: "first of a page", ahead: 1000, keys: []string{"b\x01", "bz", "c"}, lost: []string{"b\ufffd"}},
		{name: "twins", ahead: 10, keys: []string{"b\x01", "b\x02", "c"}, lost: []string{"b\ufffd", "b\ufffd"}},
		{name: "twins on two pages", ahead: 999, keys: []string{"b\x01", "b\x02", "c"}, lost: []string{"b\ufffd", "b\ufffd"}},
	}
	for i, test := range tests {
		var whole, puts []object
		for n := range test.ahead {
			whole = append(whole, object{key: fmt.Sprintf("a%04d", n), metadata: map[string]string{"n": fmt.Sprint(n)}})
		}
		for n, key := range test.keys {
			o := object{key: key, metadata: map[string]string{"n": key[:1]}, body: fmt.Sprint("body ", n)}
			if puts = append(puts, o); lossyName(key) == key {
				whole = append(whole, o)
			}
		}
		puts = append(puts, whole...)
		bucket := fmt.Sprintf("lossy-place-%d", i)
		server.createBucket(t, bucket)
		server.put(t, bucket, puts)
		for name, args := range listVersions() {
			t.Run(test.name+" by "+name, func(t *testing.T) {
				got := headcount.scan(t, server, bucket, "", args...)
				got.wantRecords(t, whole, true, false, time.Time{})
				got.wantLost(t, len(whole)+len(test.lost), test.lost)
			})
		}
	}
}

// testLossyTwin has one key that is listed as it is, and another that is listed as the same. Which of them the listing
// means cannot be told, but that there are two can.
func testLossyTwin(t *testing.T, server *s3Server, headcount headcountBinary) {
	const bucket = "lossy-twin"
	server.createBucket(t, bucket)
	whole := object{key: "b\ufffd", metadata: map[string]string{"true": "yes"}, body: "one"}
	beside := object{key: "c", metadata: map[string]string{"true": "yes"}}
	server.put(t, bucket, []object{whole, {key: "b\x01", metadata: map[string]string{"true": "no"}, body: "another"}, beside})
	got := headcount.scan(t, server, bucket, "")
	if got.code != exitFailures || got.stats.Listed != 3 || got.stats.Failed == 0 || !got.stats.balanced() {
		t.Errorf("exit %d, %+v\n%s", got.code, got.stats, got.stderr)
	}
	for _, record := range got.records {
		if record.Metadata["true"] != "yes" {
			t.Errorf("%q has the metadata %q of another object", record.key(), record.Metadata)
		}
	}
}

// lossyName is key as encoding/xml writes it.
func lossyName(key string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == '\ufffe' || r == '\uffff' {
			return utf8.RuneError
		}
		return r
	}, key)
}

// testRefusals scans with what the server does not accept.
func testRefusals(t *testing.T, server *s3Server, kind serverKind, headcount headcountBinary) {
	const bucket = "refusals"
	server.createBucket(t, bucket)
	server.put(t, bucket, corpus()[:1])
	refusals := []struct {
		name, bucket, accessKey, secret string
		signature                       bool // only a server that checks signatures refuses it
		says                            []string
	}{
		{name: "no such bucket", bucket: "no-such-bucket", accessKey: server.accessKey, secret: server.secret,
			says: []string{"error: LIST s3://no-such-bucket/: 404 Not Found: NoSuchBucket", "hint: ", "--endpoint-url"}},
		{name: "wrong secret", bucket: bucket, accessKey: server.accessKey, secret: "wrong", signature: true,
			says: []string{"error: LIST s3://refusals/: 403 Forbidden: SignatureDoesNotMatch", "hint: ", "AWS_SECRET_ACCESS_KEY"}},
		{name: "unknown access key", bucket: bucket, accessKey: "unknown", secret: server.secret, signature: true,
			says: []string{"error: LIST s3://refusals/: 404 Not Found: XAdminUserNotFound", "hint: ", "AWS_ACCESS_KEY_ID"}},
		{name: "no credentials", bucket: bucket,
			says: []string{"error: LIST s3://refusals/: ", "hint: ", "AWS_ACCESS_KEY_ID"}},
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
			for _, says := range refusal.says {
				if !strings.Contains(got.stderr, says) {
					t.Errorf("it does not say %q but\n%s", says, got.stderr)
				}
			}
		})
	}
}

// headcountBinary is the path of the built program.
type headcountBinary string

// scanned is all that a scan leaves behind.
type scanned struct {
	records  []record
	failures []failure
	stats    account
	code     int
	stderr   string
}

// record is a line of output with every member that these servers can fill.
type record struct {
	Key          *string           `json:"key"`
	KeyB64       []byte            `json:"key_b64"`
	Metadata     map[string]string `json:"metadata"`
	MetadataB64  map[string][]byte `json:"metadata_b64"`
	Size         *int              `json:"size"`
	ETag         *string           `json:"etag"`
	ContentType  *string           `json:"content_type"`
	LastModified *time.Time        `json:"last_modified"`
	StorageClass *string           `json:"storage_class"`
	VersionID    *string           `json:"version_id"`
}

// failure is a line of --errors.
type failure struct {
	Key       string `json:"key"`
	Status    int    `json:"status"`
	Class     string `json:"class"`
	Attempts  int    `json:"attempts"`
	RequestID string `json:"request_id"`
	Error     string `json:"error"`
}

// account is what these tests read of --stats.
type account struct {
	Complete                                                bool
	Listed, Emitted, Filtered, Gone, Failed, Heads, Changed int
	WithoutMetadata                                         int                       `json:"without_metadata"`
	Requests, Retries                                       map[string]map[string]int // by operation and status
}

func (a account) balanced() bool {
	return a.Listed == a.Emitted+a.WithoutMetadata+a.Filtered+a.Gone+a.Failed
}

// scanWait is for a scan that does not end; the slowest takes three seconds.
const scanWait = time.Minute

// scan runs the program as a user would, with nothing in its environment but credentials.
func (h headcountBinary) scan(t *testing.T, server *s3Server, bucket, prefix string, args ...string) scanned {
	folder := t.TempDir()
	stats, failures := filepath.Join(folder, "stats.json"), filepath.Join(folder, "errors.jsonl")
	args = append([]string{"scan", "--endpoint-url", server.url, "--stats", stats, "--errors", failures, "--no-progress"}, args...)
	ctx, cancel := context.WithTimeout(untilDeadline(t), scanWait)
	defer cancel()
	command := exec.CommandContext(ctx, string(h), append(args, "s3://"+bucket+"/"+prefix)...)
	command.Env = []string{
		"HOME=" + folder, "USERPROFILE=" + folder, "SYSTEMROOT=" + os.Getenv("SYSTEMROOT"), // Windows has no sockets without it
		"AWS_EC2_METADATA_DISABLED=true", // credentials come from nowhere else
	}
	if server.accessKey != "" {
		command.Env = append(command.Env, "AWS_ACCESS_KEY_ID="+server.accessKey, "AWS_SECRET_ACCESS_KEY="+server.secret)
	}
	var stdout, stderr bytes.Buffer
	command.Stdout, command.Stderr = &stdout, &stderr
	if err := command.Run(); err != nil && (ctx.Err() != nil || !errors.As(err, new(*exec.ExitError))) {
		t.Fatalf("%v (%v)\n%s", err, context.Cause(ctx), stderr.Bytes())
	}
	got := scanned{code: command.ProcessState.ExitCode(), stderr: stderr.String()}
	got.records = readLines[record](t, stdout.Bytes())
	got.failures = readLines[failure](t, readFile(t, failures))
	if err := json.Unmarshal(readFile(t, stats), &got.stats); err != nil {
		t.Fatalf("stats: %v", err)
	}
	return got
}

func readFile(t *testing.T, name string) []byte {
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// readLines reads lines of JSON that have no other members than T.
func readLines[T any](t *testing.T, text []byte) []T {
	var values []T
	if !utf8.Valid(text) {
		t.Error("the lines are not UTF-8") // the decoder would make it so in silence
	}
	if len(text) > 0 && !bytes.HasSuffix(text, []byte("\n")) {
		t.Error("the last line has no end")
	}
	for line := range bytes.Lines(text) {
		decoder := json.NewDecoder(bytes.NewReader(line))
		decoder.DisallowUnknownFields()
		var value T
		if err := decoder.Decode(&value); err != nil {
			t.Fatalf("%v in the line %q", err, line)
		}
		if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
			t.Fatalf("something follows in the line %q", line)
		}
		values = append(values, value)
	}
	return values
}

// key is the key's bytes.
func (r *record) key() string {
	if r.Key != nil {
		return *r.Key
	}
	return string(r.KeyB64)
}

// metadata is the values' bytes.
func (r *record) metadata() map[string]string {
	all := maps.Clone(r.Metadata)
	for name, value := range r.MetadataB64 {
		all[name] = string(value)
	}
	return all
}

const complaintsMax = 20 // enough to see a pattern

// wantRecords compares every record with what was put. allFields: the records are of --fields all, put after began.
func (got scanned) wantRecords(t *testing.T, want []object, all, allFields bool, began time.Time) {
	complaints := 0
	complain := func(format string, args ...any) {
		if complaints++; complaints <= complaintsMax {
			t.Errorf(format, args...)
		}
	}
	missing := map[string]object{}
	for _, o := range want {
		if all || len(o.metadata) > 0 {
			missing[o.key] = o
		}
	}
	for i := range got.records {
		r := &got.records[i]
		o, wanted := missing[r.key()]
		if !wanted {
			complain("the record of %q is one too many", r.key())
			continue
		}
		delete(missing, r.key())
		for _, wrong := range r.against(o, allFields, began) {
			complain("%q: %s", r.key(), wrong)
		}
	}
	for key := range missing {
		complain("the record of %q is missing", key)
	}
	if complaints > complaintsMax {
		t.Errorf("and %d more of the kind", complaints-complaintsMax)
	}
}

// against says what is wrong with the record of o.
func (r *record) against(o object, allFields bool, began time.Time) []string {
	var wrong []string
	check := func(right bool, format string, args ...any) {
		if !right {
			wrong = append(wrong, fmt.Sprintf(format, args...))
		}
	}
	isText := utf8.ValidString(o.key)
	check((r.Key != nil) == isText && (r.KeyB64 != nil) != isText, "a key of the wrong form")
	check(r.Metadata != nil, "no metadata at all")
	check(maps.Equal(r.metadata(), asKept(o.metadata)), "metadata %q, want %q", r.metadata(), asKept(o.metadata))
	for name, value := range r.MetadataB64 {
		check(!utf8.Valid(value), "%s is base64 without need", name)
	}
	if !allFields {
		check(r.Size == nil && r.ETag == nil && r.ContentType == nil && r.LastModified == nil && r.StorageClass == nil && r.VersionID == nil,
			"fields that nobody asked for")
		return wrong
	}
	check(r.Size != nil && *r.Size == len(o.body), "size %s, want %d", shown(r.Size), len(o.body))
	check(r.ETag != nil && *r.ETag == o.etag(), "etag %s, want %s", shown(r.ETag), o.etag())
	check(r.ContentType != nil && *r.ContentType == o.contentType, "content_type %s, want %s", shown(r.ContentType), o.contentType)
	// A store may round to seconds.
	check(r.LastModified != nil && !r.LastModified.Before(began.Truncate(time.Second)) && !r.LastModified.After(time.Now().Add(time.Second)),
		"last_modified %s, put after %s", shown(r.LastModified), began)
	return wrong
}

// shown is what p points to, or that it is absent.
func shown[T any](p *T) string {
	if p == nil {
		return "absent"
	}
	return fmt.Sprint(*p)
}

// wantLost checks the account and the exit code of a scan in which these listed names were found to be no object's.
func (got scanned) wantLost(t *testing.T, listed int, lost []string) {
	var failed []string
	for _, failure := range got.failures {
		if failure.Class != "lossy_key" {
			t.Errorf("%+v: want the class lossy_key", failure)
		}
		failed = append(failed, failure.Key)
	}
	slices.Sort(failed)
	if !slices.Equal(failed, lost) {
		t.Errorf("failed are %q, want %q", failed, lost)
	}
	if s := got.stats; got.code != exitFailures || !s.Complete || !s.balanced() || s.Listed != listed || s.Failed != len(lost) {
		t.Errorf("exit %d, %+v\n%s", got.code, s, got.stderr)
	}
}

// wantComplete checks the account and the exit code of a scan in which nothing fails, and that it cost one HEAD for an
// object.
func (got scanned) wantComplete(t *testing.T, want []object, all bool) {
	account := account{Complete: true, Listed: len(want), Emitted: len(want), Heads: len(want)}
	for _, o := range want {
		if !all && len(o.metadata) == 0 {
			account.Emitted--
			account.WithoutMetadata++
		}
	}
	requests, retries := got.stats.Requests, got.stats.Retries
	got.stats.Requests, got.stats.Retries = nil, nil
	if fmt.Sprint(got.stats) != fmt.Sprint(account) || !got.stats.balanced() {
		t.Errorf("the account is %+v, want %+v", got.stats, account)
	}
	if requests["head"]["200"] != len(want) || len(retries["head"])+len(retries["list"]) > 0 {
		t.Errorf("requests %v, retries %v; want %d HEADs with 200 and no retry", requests, retries, len(want))
	}
	if len(got.failures) > 0 || got.code != exitComplete {
		t.Errorf("exit %d, failures %v\n%s", got.code, got.failures, got.stderr)
	}
}
