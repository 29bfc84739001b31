package peers

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"slices"
)

// record is an object that has metadata.
type record struct {
	Key      string            `json:"key"`
	Metadata map[string]string `json:"metadata"`
}

// digest identifies a record. The digests of 200,000 records take 3 MB, the records would take 50, and the kernel
// reports at least this process's memory for every child.
type digest [16]byte

func digestOf(r record) (digest, error) {
	text, err := json.Marshal(r) // which sorts the metadata by name
	sum := sha256.Sum256(text)
	return digest(sum[:]), err
}

// digestsOf returns the digests of all records in the output of a client, sorted.
func digestsOf(stdout io.Reader, read reader) ([]digest, error) {
	var all []digest
	err := read(stdout, func(r record) error {
		d, err := digestOf(r)
		all = append(all, d)
		return err
	})
	slices.SortFunc(all, func(a, b digest) int { return bytes.Compare(a[:], b[:]) })
	return all, err
}

// compare returns an error if the output of a client does not have the records of want, which is sorted.
func compare(want []digest, stdout io.ReadSeeker, read reader) error {
	got, err := digestsOf(stdout, read)
	if err != nil {
		return err
	}
	if slices.Equal(got, want) {
		return nil
	}
	if _, err := stdout.Seek(0, io.SeekStart); err != nil {
		return err
	}
	example := ""
	err = read(stdout, func(r record) error {
		d, err := digestOf(r)
		if _, known := slices.BinarySearchFunc(want, d,
			func(a, b digest) int { return bytes.Compare(a[:], b[:]) }); !known && example == "" {
			example = fmt.Sprintf("; for example %q %q", r.Key, r.Metadata)
		}
		return err
	})
	if err != nil {
		return err
	}
	return fmt.Errorf("its %d records are not the %d of direct%s", len(got), len(want), example)
}

// jsonLines reads lines as headcount prints them.
func jsonLines(stdout io.Reader, each func(record) error) error {
	lines := json.NewDecoder(stdout)
	lines.DisallowUnknownFields()
	for {
		var r record
		switch err := lines.Decode(&r); {
		case err == io.EOF:
			return nil
		case err != nil:
			return fmt.Errorf("the output is no JSON line of a record: %w", err)
		}
		if err := each(r); err != nil {
			return err
		}
	}
}

// rcloneSystem returns the names under which rclone prints metadata that is not custom. https://rclone.org/s3/#metadata
func rcloneSystem() []string {
	return []string{"btime", "cache-control", "content-disposition", "content-encoding", "content-language",
		"content-type", "mtime", "tier"}
}

// rcloneJSON reads the output of rclone lsjson -M: one array of all objects.
func rcloneJSON(stdout io.Reader, each func(record) error) error {
	objects := json.NewDecoder(stdout)
	if _, err := objects.Token(); err != nil { // the bracket
		return fmt.Errorf("the output is no JSON array: %w", err)
	}
	for objects.More() {
		var o struct {
			Path     string
			Metadata map[string]string
		}
		if err := objects.Decode(&o); err != nil {
			return err
		}
		for _, name := range rcloneSystem() {
			delete(o.Metadata, name)
		}
		if len(o.Metadata) == 0 {
			continue
		}
		if err := each(record{o.Path, o.Metadata}); err != nil {
			return err
		}
	}
	_, err := objects.Token() // without a closing bracket, the array is truncated
	return err
}
