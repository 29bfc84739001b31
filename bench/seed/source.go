package seed

import (
	"io"
	"strings"

	"headcount/bench/s3sim"
)

// source is what a Seed puts. It may be used concurrently.
type source interface {
	count() int64
	name(i int64) string // of an object, below the Folder
	index(name string) (i int64, known bool)
	open(i int64, key string) (*content, error) // the caller closes the body
}

// content is an object to put.
type content struct {
	body        io.ReadSeekCloser
	contentType string            // "": the store chooses it
	metadata    map[string]string // with the Marker
}

// synthetic is the source of Objects. Its server does not serve: it knows the keys, and the usual metadata.
type synthetic struct {
	objects Objects
	sim     *s3sim.Server
}

func (s *synthetic) count() int64                    { return s.objects.Count }
func (s *synthetic) name(i int64) string             { return string(s.sim.Keyspace().Key(i)) }
func (s *synthetic) index(name string) (int64, bool) { return s.sim.Keyspace().Index([]byte(name)) }

func (s *synthetic) open(_ int64, key string) (*content, error) {
	return &content{
		body: nopCloser{strings.NewReader(body(key, s.objects.Size))}, metadata: s.objects.Metadata.of(s.sim, key),
	}, nil
}

type nopCloser struct{ io.ReadSeeker }

func (nopCloser) Close() error { return nil }
