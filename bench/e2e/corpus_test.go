package e2e

import (
	"context"
	"crypto/md5"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"golang.org/x/sync/errgroup"
)

// object is an object to put.
type object struct {
	key         string
	metadata    map[string]string
	body        string
	contentType string
}

// etag returns the ETag that S3 gives an object that was put in one part and without encryption.
func (o object) etag() string {
	sum := md5.Sum([]byte(o.body))
	return hex.EncodeToString(sum[:])
}

// bulkObjects returns the number of objects with ordinary metadata: more than three pages with those of nastyKeys, or
// with -short more than one.
func bulkObjects() int {
	if testing.Short() {
		return 1400
	}
	return 3000
}

// corpus returns all objects, in no order.
func corpus() []object {
	var objects []object
	sets := metadataSets()
	add := func(key string, metadata map[string]string) {
		n := len(objects)
		o := object{
			key: key, metadata: metadata, body: fmt.Sprint("the body of ", n), contentType: "text/plain; charset=utf-8",
		}
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
	// The numbers of fragments, folders and metadata sets have no common divisor, so that all combinations occur.
	fragments, folders := keyFragments(), []string{"bulk/", "bulk/2026/11/22/", "flat-", "bulk/日本/", "bulk/a b/"}
	for i := range bulkObjects() {
		key := fmt.Sprintf("%s%s%04d", folders[i%len(folders)], fragments[i%len(fragments)], i)
		add(key, sets[i%len(sets)])
	}
	return objects
}

// keyFragments returns text that stores and clients mistake for syntax.
func keyFragments() []string {
	return []string{
		"plain-", " ", "  ", "+", "%", "%41", "%2F", "%zz", "%25", "#", "?", "?versionId=", "&", "=", ";", ":", "@",
		",", "$", "!", "*", "'", `"`, "<", ">", "&lt;", "]]>", "[0]", "{}", "|", "~", "^", "`", `\`, "(",
		"é", "e\u0301", "日", "😀",
		"🏳️‍🌈", "\u00a0", "\u2028", "\ufeff", "\ufffd", "\u202e", "\t", "\n", "\r", "\r\n", "\x7f", "\u0085", "-", "_", ".",
	}
}

func nastyKeys() []string {
	return []string{
		"plain", " leading space", "trailing space ", "+", "%", "%41", "%%%", "100%", "a+b", "a b+c%20d", "#", "?",
		"?list-type=2", "&amp;", "s3://other/key", "arn:aws:s3:::bucket", "-", "--help", "CON", "null",
		"end.", ".hidden", "...", "ü/é/日本語/😀",
		"/", "/leading", "//leading-twice", "double//slash", "trailing/", "trailing/content/", "trailing/twice//",
		".", "..", "./dot", "../dots", "dots/./one", "dots/../two", "dots/end/.", "dots/end/..", "dots/.../three",
		"file", "file/below", "file-beside", "file.beside", "file0", // in S3's order of bytes: - . / 0
		strings.Repeat("k", 255), strings.Repeat("k", 256), strings.Repeat("k", 1000),
		strings.Repeat("k", 1024), strings.Repeat("k", 1025), strings.Repeat("%", 300),
		long("é/", 1000), long("日本/", 1000), long("😀😀😀😀😀😀😀😀😀😀/", 1000),
		long(strings.Repeat("w", 249)+"/", 1000), long("d/", 1023),
		"control/\x01soh", "control/bel\a", "control/esc\x1b[0m", "control/us\x1f", "control/nul\x00",
		"control/del\x7f",
		"noncharacter/\ufffe", "not-utf8/\xff", "not-utf8/Latin\xe9", "not-utf8/half\xe6\x97", "not-utf8/\xed\xa0\x80",
	}
}

// long repeats a segment and appends bytes up to length.
func long(segment string, length int) string {
	key := strings.Repeat(segment, length/len(segment)-1)
	return key + strings.Repeat("z", length-len(key))
}

// metadataSets returns metadata that every server stores unchanged.
func metadataSets() []map[string]string {
	return []map[string]string{
		{"owner": "alice"},
		nil,
		{
			"owner": "bob", "project": "apollo", "cost-center": "4711", "retention.days": "30",
			"under_score": "x", "0": "zero",
		},
		{"empty": ""},
		{"city": "Zürich", "place": "日本 😀"},
		{
			"text": "two  inner   blanks", "quoted": `say "hi"`, "path": `C:\new\table`,
			"list": "a,b, c;d=e", "tab": "a\tb",
		},
		{"json": `{"a":[1,2],"b":"<&>"}`, "url": "https://example.com/?a=b&c=%41+d#e"},
	}
}

// hardMetadata returns metadata that not every server stores, by the name after "metadata/" in the key.
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

// normalized returns metadata as S3 returns it: names in lower case, and values without outer blanks, which HTTP drops.
func normalized(metadata map[string]string) map[string]string {
	kept := map[string]string{}
	for name, value := range metadata {
		kept[strings.ToLower(name)] = strings.Trim(value, " \t")
	}
	return kept
}

// put puts objects concurrently. The first refusal fails the test.
func (s *s3Server) put(t *testing.T, bucket string, objects []object) {
	var g errgroup.Group
	g.SetLimit(32)
	for _, o := range objects {
		g.Go(func() error {
			if err := s.putOne(t.Context(), bucket, o); err != nil {
				return fmt.Errorf("%q: %w (does it belong in the server's table of deviations?)", o.key, err)
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
