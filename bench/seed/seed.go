package seed

import (
	"context"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"golang.org/x/sync/errgroup"

	"headcount/scan"
	"headcount/scan/list"
	"headcount/scan/metrics"
)

// Stats are the statistics of a Seed.
type Stats struct {
	Complete bool   `json:"complete"` // every object is present or has failed
	Error    string `json:"error,omitempty"`
	Folder   string `json:"folder"` // s3://bucket/prefix/headcount-seed/

	Objects int64 `json:"objects"` // objects that the bucket should have
	Present int64 `json:"present"` // objects that were there before
	Put     int64 `json:"put"`
	Failed  int64 `json:"failed"`
	Other   int64 `json:"other"` // further objects in the Folder

	Skipped int64 `json:"skipped,omitempty"` // files that are not regular

	Requests
}

// Seed puts the missing objects in a Folder. Make it with New.
type Seed struct {
	*run
	source  source
	skipped int64

	mu      sync.Mutex
	present []uint64 // one bit for each object

	next    atomic.Int64 // index of the next object
	putting atomic.Bool  // true from the first PUT on

	alreadyPresent, other, putCount, failed atomic.Int64
}

// New returns a Seed of synthetic objects, and sends nothing. Its error says why the Objects cannot be put.
func New(cfg Config, objects Objects) (*Seed, error) {
	objects = objects.withDefaults()
	sim, err := objects.check(Folder(cfg.Prefix))
	if err != nil {
		return nil, err
	}
	return newSeed(cfg, &synthetic{objects, sim}), nil
}

// NewFrom returns a Seed of files, and sends nothing. OpenFiles must have had the Prefix of cfg.
func NewFrom(cfg Config, files *Files) *Seed {
	s := newSeed(cfg, files)
	s.skipped = files.skipped
	return s
}

func newSeed(cfg Config, from source) *Seed {
	return &Seed{run: newRun(cfg), source: from, present: make([]uint64, (from.count()+63)/64)}
}

// Run lists the Folder, and puts the missing objects. It returns nil when every object is present or has failed. Its
// errors are the cause of ctx's end, the error of the listing, a fault.UnavailableError, and a list.StoreError if the
// store refuses everything. Call it once. The Stats are valid even if it fails.
func (s *Seed) Run(ctx context.Context) (Stats, error) {
	began := time.Now()
	err := s.forEachPage(ctx, listers, s.markPresent)
	var from time.Time
	if err == nil {
		from = time.Now()
		s.putting.Store(true)
		g, ctx := errgroup.WithContext(ctx)
		for endpoint := range s.cfg.Workers {
			g.Go(func() error { return s.work(ctx, endpoint) })
		}
		err = g.Wait()
	}
	stats := Stats{
		Complete: err == nil, Folder: s.Folder(), Objects: s.source.count(), Present: s.alreadyPresent.Load(),
		Put:    s.putCount.Load(),
		Failed: s.failed.Load(), Other: s.other.Load(), Skipped: s.skipped,
	}
	if err != nil {
		stats.Error = err.Error()
	}
	s.fill(&stats.Requests, began, stats.Put, from)
	return stats, err
}

// markPresent marks the listed objects as present. An object whose key the store lists in another spelling is put
// again.
func (s *Seed) markPresent(_ context.Context, page *list.Page) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range page.Entries {
		at, known := s.source.index(strings.TrimPrefix(page.Entries[i].Key, s.folder))
		switch bit := uint64(1) << (at % 64); {
		case !known:
			s.other.Add(1)
		case s.present[at/64]&bit == 0:
			s.present[at/64] |= bit
			s.alreadyPresent.Add(1)
		}
	}
	return nil
}

// isPresent must not be called before the listing has ended.
func (s *Seed) isPresent(at int64) bool { return s.present[at/64]&(1<<(at%64)) != 0 }

// work puts the missing objects, one after the other.
func (s *Seed) work(ctx context.Context, endpoint int) error {
	w := &writer{run: s.run, endpoint: endpoint}
	for at := s.next.Add(1) - 1; at < s.source.count(); at = s.next.Add(1) - 1 {
		if s.isPresent(at) {
			continue
		}
		if err := s.putObject(ctx, w, at); err != nil {
			return err
		}
	}
	return nil
}

// putObject puts one object, and counts it. Its error ends the run. A file that cannot be read does not.
func (s *Seed) putObject(ctx context.Context, w *writer, at int64) error {
	key := s.folder + s.source.name(at)
	object, err := s.source.open(at, key)
	if err != nil {
		s.addFailed(&s.failed,
			&scan.ObjectError{Op: opPut, Target: s.target(key), Entry: list.Entry{Key: key}, Err: err})
		return nil
	}
	defer object.body.Close()
	a, err := s.sendUntilFinal(ctx, opPut, key,
		func(ctx context.Context, _ int) (reply, error) { return s.put(ctx, w, key, object) })
	switch {
	case err != nil:
		return err
	case a.ok():
		s.putCount.Add(1)
	default:
		s.addFailed(&s.failed, a.objectError(opPut, s.target(key), key))
	}
	return nil
}

// put sends one PUT, when the limiter allows it.
func (s *Seed) put(ctx context.Context, w *writer, key string, object *content) (reply, error) {
	if _, err := s.limiter.Wait(ctx, 1); err != nil {
		return reply{}, err
	}
	if _, err := object.body.Seek(0, io.SeekStart); err != nil {
		return reply{}, err
	}
	input := &s3.PutObjectInput{
		Bucket: aws.String(s.cfg.Store.Bucket()), Key: aws.String(key),
		Body: object.body, Metadata: object.metadata, RequestPayer: s.cfg.Store.RequestPayer(),
	}
	if object.contentType != "" {
		input.ContentType = aws.String(object.contentType)
	}
	return w.send(ctx, &s3.PutObjectOutput{},
		func(ctx context.Context, client *s3.Client, options ...func(*s3.Options)) error {
			_, err := client.PutObject(ctx, input, options...)
			return err
		}), nil
}

// Progress may be called at any time, from any goroutine. Until the Folder is listed, its total is the number of
// objects found, and none is settled. From then on the total is that of all Objects.
func (s *Seed) Progress() metrics.Progress {
	if !s.putting.Load() {
		return metrics.Progress{Listed: s.alreadyPresent.Load() + s.other.Load()}
	}
	put, failed := s.putCount.Load(), s.failed.Load()
	return metrics.Progress{
		Listed: s.source.count(), ListedAll: true, Settled: s.alreadyPresent.Load() + put + failed, Failed: failed,
		Heads: put,
	}
}
