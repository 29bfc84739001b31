package seed

import (
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
	"go.uber.org/goleak"

	"headcount/bench/s3sim"
	"headcount/scan"
	"headcount/scan/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const bucket = "seeded"

// fake is a gofakes3 with one bucket, behind programmable faults.
type fake struct {
	url    string
	client *s3.Client // bypasses the faults

	mu sync.Mutex
	// reports whether it has answered; nth counts the requests of this method and path, from 1
	fault func(w http.ResponseWriter, r *http.Request, nth int) bool
	seen  map[string]int // requests by method and path
}

// newFake starts a fake. Its tests wait more than they work, so they run in parallel.
func newFake(t *testing.T) *fake {
	t.Helper()
	t.Parallel()
	behind := gofakes3.New(s3mem.New()).Server()
	plain := httptest.NewServer(behind)
	t.Cleanup(plain.Close)
	f := &fake{seen: map[string]int{}}
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f.mu.Lock()
		name := r.Method + " " + r.URL.Path
		f.seen[name]++
		nth, fault := f.seen[name], f.fault
		f.mu.Unlock()
		if fault == nil || !fault(w, r, nth) {
			behind.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(front.Close)
	f.url = front.URL
	transport := new(http.Transport)
	t.Cleanup(transport.CloseIdleConnections)
	f.client = s3.New(s3.Options{
		BaseEndpoint: aws.String(plain.URL), Region: "us-east-1", UsePathStyle: true,
		Credentials: credentials.NewStaticCredentialsProvider("a", "b", ""),
		HTTPClient:  &http.Client{Transport: transport},
	})
	if _, err := f.client.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: aws.String(bucket)}); err != nil {
		t.Fatal(err)
	}
	return f
}

// config returns the Config of a run below p/ with 8 workers.
func (f *fake) config(t *testing.T) Config {
	t.Helper()
	opened, err := store.Open(t.Context(),
		store.Config{Bucket: bucket, Endpoints: []string{f.url}, Isolated: true, Connections: 8})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(opened.Close)
	return Config{Store: opened, Prefix: "p", Workers: 8, Timeout: 5 * time.Second}
}

// faults sets the faults from now on, and forgets the requests so far.
func (f *fake) faults(fault func(w http.ResponseWriter, r *http.Request, nth int) bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fault, f.seen = fault, map[string]int{}
}

// sent returns the number of requests of a method.
func (f *fake) sent(method string) (n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for name, times := range f.seen {
		if name[:len(method)+1] == method+" " {
			n += times
		}
	}
	return n
}

// put puts an object, without faults. gofakes3 merges the metadata with those of an existing object, so put deletes
// that one first.
func (f *fake) put(t *testing.T, key string, metadata map[string]string) {
	t.Helper()
	f.remove(t, key)
	if _, err := f.client.PutObject(t.Context(),
		&s3.PutObjectInput{Bucket: aws.String(bucket), Key: aws.String(key), Metadata: metadata}); err != nil {
		t.Fatal(err)
	}
}

// remove deletes an object, without faults.
func (f *fake) remove(t *testing.T, key string) {
	t.Helper()
	if _, err := f.client.DeleteObject(t.Context(),
		&s3.DeleteObjectInput{Bucket: aws.String(bucket), Key: aws.String(key)}); err != nil {
		t.Fatal(err)
	}
}

// keys returns the keys of all objects of the bucket.
func (f *fake) keys(t *testing.T) (keys []string) {
	t.Helper()
	pages := s3.NewListObjectsV2Paginator(f.client, &s3.ListObjectsV2Input{Bucket: aws.String(bucket)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range page.Contents {
			keys = append(keys, *o.Key)
		}
	}
	return keys
}

// head sends a HEAD, without faults.
func (f *fake) head(t *testing.T, key string) *s3.HeadObjectOutput {
	t.Helper()
	o, err := f.client.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: aws.String(bucket), Key: aws.String(key)})
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// seeds runs a Seed that must succeed.
func (f *fake) seeds(t *testing.T, objects Objects) Stats {
	t.Helper()
	s, err := New(f.config(t), objects)
	if err != nil {
		t.Fatal(err)
	}
	stats, err := s.Run(t.Context())
	if err != nil || !stats.Complete || stats.Present+stats.Put+stats.Failed != objects.Count {
		t.Fatalf("%+v, %v", stats, err)
	}
	return stats
}

// cleans runs a Clean that must succeed, and returns the foreign objects.
func (f *fake) cleans(t *testing.T, cfg Config) (stats CleanStats, foreign []string) {
	t.Helper()
	c, err := NewClean(cfg, func(target string) { foreign = append(foreign, target) })
	if err != nil {
		t.Fatal(err)
	}
	c.setDelay(time.Millisecond)
	stats, err = c.Run(t.Context())
	if err != nil || !stats.Complete || stats.Listed != stats.Removed+stats.Foreign+stats.Gone+stats.Failed {
		t.Fatalf("%+v, %v", stats, err)
	}
	return stats, foreign
}

// keysOf returns the keys that a Seed puts below p/.
func keysOf(t *testing.T, o Objects) (keys []string) {
	t.Helper()
	sim, err := s3sim.New(s3sim.Options{Objects: o.Count, Shape: o.Shape})
	if err != nil {
		t.Fatal(err)
	}
	for i := range o.Count {
		keys = append(keys, "p/headcount-seed/"+string(sim.Keyspace().Key(i)))
	}
	return keys
}

// failed collects the failed objects of a run.
func failed(cfg *Config) *[]*scan.ObjectError {
	all := new([]*scan.ObjectError)
	cfg.OnFailed = func(e *scan.ObjectError) { *all = append(*all, e) }
	return all
}

// maxRefusals is how often a request is refused before the refusal is its result.
const maxRefusals = 2

// setDelay sets the delay before every retry.
func (r *run) setDelay(d time.Duration) {
	r.policy.Backoff, r.policy.RefusalDelay = func(int) time.Duration { return d }, d
}
