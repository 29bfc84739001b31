package seed

import (
	"fmt"
	"slices"
	"strings"

	"headcount/bench/s3sim"
)

// Objects describes the objects that are put.
type Objects struct {
	Count    int64       // objects, from 1 to ObjectsMax
	Shape    s3sim.Shape // of their keys; "" is s3sim.Flat
	Metadata Metadata    // "" is Usual
	Size     int         // bytes of each body, from 0 to SizeMax
}

const (
	// ObjectsMax is more than any test needs. A Seed uses one bit of memory for each object.
	ObjectsMax = 1_000_000_000

	// SizeDefault is the least size at which all bodies differ, and so all ETags, by which a pipelined scan
	// distinguishes answers.
	SizeDefault = 16

	// SizeMax bounds the memory of the bodies in flight. Nobody reads them: they only set the length that a HEAD
	// returns.
	SizeMax = 1 << 20

	// keyBytesMax is S3's limit. https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html
	keyBytesMax = 1024
)

// Shapes returns the possible shapes of keys: all of s3sim's but Nasty. Nasty has keys with ../ and the like. A store
// that uses keys as paths would put such objects outside the Folder.
func Shapes() []s3sim.Shape {
	return slices.DeleteFunc(s3sim.Shapes(), func(s s3sim.Shape) bool { return s == s3sim.Nasty })
}

func (o Objects) withDefaults() Objects {
	if o.Shape == "" {
		o.Shape = s3sim.Flat
	}
	if o.Metadata == "" {
		o.Metadata = Usual
	}
	return o
}

// Check returns why the objects cannot be put below this prefix; nil: they can.
func (o Objects) Check(prefix string) error {
	_, err := o.withDefaults().check(Folder(prefix))
	return err
}

// check returns why the objects cannot be put in this Folder, or a server that knows their keys.
func (o Objects) check(folder string) (*s3sim.Server, error) {
	switch {
	case o.Count < 1 || o.Count > ObjectsMax:
		return nil, fmt.Errorf("%d objects: out of range from 1 to %d", o.Count, ObjectsMax)
	case o.Size < 0 || o.Size > SizeMax:
		return nil, fmt.Errorf("%d bytes: out of range from 0 to %d", o.Size, SizeMax)
	case !slices.Contains(Shapes(), o.Shape):
		return nil, fmt.Errorf("no shape %q to put; the shapes are %s", o.Shape, joinNames(Shapes()))
	case !slices.Contains(Metadatas(), o.Metadata):
		return nil, fmt.Errorf("no metadata %q; the kinds are %s", o.Metadata, joinNames(Metadatas()))
	}
	sim, err := s3sim.New(s3sim.Options{Objects: o.Count, Shape: o.Shape})
	if err != nil {
		return nil, err
	}
	if n := len(folder) + len(sim.Keyspace().Key(0)); n > keyBytesMax {
		return nil, fmt.Errorf("keys of shape %s have %d bytes with the prefix, and S3 allows %d", o.Shape, n,
			keyBytesMax)
	}
	return sim, nil
}

func joinNames[T ~string](names []T) string {
	texts := make([]string, len(names))
	for i, name := range names {
		texts[i] = string(name)
	}
	return strings.Join(texts, ", ")
}

// body repeats the hash of the key, so that objects of SizeDefault and more have different ETags.
func body(key string, size int) string {
	if size == 0 {
		return ""
	}
	id := s3sim.ID([]byte(key))
	return strings.Repeat(id, size/len(id)+1)[:size]
}
