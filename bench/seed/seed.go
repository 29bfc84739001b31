package seed

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"golang.org/x/sync/errgroup"

	"headcount/bench/s3sim"
	"headcount/scan/list"
	"headcount/scan/metrics"
)

// Stats is the account of a Seed.
type Stats struct {
	Complete bool   `json:"complete"` // every object is there, or has failed
	Error    string `json:"error,omitempty"`
	Folder   string `json:"folder"` // s3://bucket/prefix/headcount-seed/

	Objects int64 `json:"objects"` // that there are to be
	Present int64 `json:"present"` // that were there already
	Put     int64 `json:"put"`
	Failed  int64 `json:"failed"`
	Other   int64 `json:"other"` // in the Folder that are none of them

	Requests
}

// Seed puts what is missing in a Folder. Make it with New.
type Seed struct {
	*run
	objects Objects
	sim     *s3sim.Server // serves nothing: it knows the keys, and what is usual

	mu      sync.Mutex
	present []uint64 // a bit for each object

	next    atomic.Int64 // the object that is looked at next
	putting atomic.Bool  // the PUTs have

	alreadyPresent, other, putCount, failed atomic.Int64
}

// New prepares a run. It sends nothing. Its error says what is wrong with the Objects.
func New(cfg Config, objects Objects) (*Seed, error) {
	objects = objects.withDefaults()
	sim, err := objects.check(Folder(cfg.Prefix))
	if err != nil {
		return nil, err
	}
	return &Seed{run: newRun(cfg), objects: objects, sim: sim, present: make([]uint64, (objects.Count+63)/64)}, nil
}

// Run lists the Folder, and puts what is missing in it. It returns nil when every object is there or has failed. Any other end is an
// error: the cause of ctx's end, what the listing ended with, a fault.UnavailableError, or a list.StoreError by which the store refuses
// everything. It is called once; the Stats are right after every end.
func (s *Seed) Run(ctx context.Context) (Stats, error) {
	began := time.Now()
	err := s.forEachPage(ctx, listers, s.markPresent)
	var from time.Time
	if err == nil {
		from = time.Now()
		s.putting.Store(true)
		g, ctx := errgroup.WithContext(ctx)
		for turn := range s.cfg.Workers {
			g.Go(func() error { return s.work(ctx, turn) })
		}
		err = g.Wait()
	}
	stats := Stats{
		Complete: err == nil, Folder: s.Folder(), Objects: s.objects.Count, Present: s.alreadyPresent.Load(), Put: s.putCount.Load(),
		Failed: s.failed.Load(), Other: s.other.Load(),
	}
	if err != nil {
		stats.Error = err.Error()
	}
	s.fill(&stats.Requests, began, stats.Put, from)
	return stats, err
}

// markPresent notes which objects are there. A key that the store lists otherwise than it is, is none of them, and is put again.
func (s *Seed) markPresent(_ context.Context, page *list.Page) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range page.Entries {
		at, isOurs := s.sim.Keyspace().Index([]byte(strings.TrimPrefix(page.Entries[i].Key, s.folder)))
		switch bit := uint64(1) << (at % 64); {
		case !isOurs:
			s.other.Add(1)
		case s.present[at/64]&bit == 0:
			s.present[at/64] |= bit
			s.alreadyPresent.Add(1)
		}
	}
	return nil
}

// isPresent is asked when nobody looks any more.
func (s *Seed) isPresent(at int64) bool { return s.present[at/64]&(1<<(at%64)) != 0 }

// work puts one object after the other, until all are looked at.
func (s *Seed) work(ctx context.Context, turn int) error {
	w := &writer{run: s.run, endpoint: turn}
	for at := s.next.Add(1) - 1; at < s.objects.Count; at = s.next.Add(1) - 1 {
		if s.isPresent(at) {
			continue
		}
		key := s.folder + string(s.sim.Keyspace().Key(at))
		a, err := s.sendUntilFinal(ctx, opPut, key, func(ctx context.Context, _ int) (reply, error) { return s.put(ctx, w, key) })
		switch {
		case err != nil:
			return err
		case a.ok():
			s.putCount.Add(1)
		default:
			s.addFailed(&s.failed, a.objectError(opPut, s.target(key), key))
		}
	}
	return nil
}

// put puts one object once, when the gate lets it.
func (s *Seed) put(ctx context.Context, w *writer, key string) (reply, error) {
	if _, err := s.limiter.Wait(ctx, 1); err != nil {
		return reply{}, err
	}
	input := &s3.PutObjectInput{
		Bucket: aws.String(s.cfg.Store.Bucket()), Key: aws.String(key), Body: strings.NewReader(body(key, s.objects.Size)),
		Metadata: s.objects.Metadata.of(s.sim, key), RequestPayer: s.cfg.Store.RequestPayer(),
	}
	return w.send(ctx, &s3.PutObjectOutput{}, func(ctx context.Context, client *s3.Client, options ...func(*s3.Options)) error {
		_, err := client.PutObject(ctx, input, options...)
		return err
	}), nil
}

// Progress may be called at any time, from any goroutine. Until the Folder is listed, the objects are those that are there, and none
// is settled; from then on they are all that there are to be.
func (s *Seed) Progress() metrics.Progress {
	if !s.putting.Load() {
		return metrics.Progress{Listed: s.alreadyPresent.Load() + s.other.Load()}
	}
	put, failed := s.putCount.Load(), s.failed.Load()
	return metrics.Progress{
		Listed: s.objects.Count, ListedAll: true, Settled: s.alreadyPresent.Load() + put + failed, Failed: failed, Heads: put,
	}
}
