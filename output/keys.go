package output

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"headcount/scan"
	"headcount/scan/exit"
	"headcount/scan/field"
)

func keysFormat() Format {
	return Format{
		Name: "keys", About: "one key a line", Resumable: true, Flags: []string{"null"},
		Fields: fixedFields("key"), Read: readKeys,
		New: func(to Destination, o *Options) (Sink, error) { return newLines(to, keysEncoder{o.Null}), nil },
	}
}

// fixedFields returns Format.Fields of a Format that writes one of some lists of Fields. The first is used by default.
func fixedFields(choices ...string) func(o *Options) ([]field.Field, error) {
	return func(o *Options) ([]field.Field, error) {
		if o.Fields == nil {
			return field.Parse(choices[0])
		}
		names := strings.Join(field.Names(o.Fields), ",")
		for _, choice := range choices {
			if names == choice {
				return o.Fields, nil
			}
		}
		return nil, fmt.Errorf("it has the fields %s", strings.Join(choices, " or "))
	}
}

// keysEncoder writes the bytes of keys. A key that has the byte that ends a key would be two keys, or another one, to
// their reader. So would one with a carriage return at the end of a line.
type keysEncoder struct{ null bool }

func (keysEncoder) header() []byte { return nil }

func (e keysEncoder) appendLine(keys []byte, r *scan.Record) ([]byte, error) {
	key := r.Key()
	switch {
	case e.null && strings.IndexByte(key, 0) >= 0:
		err := fmt.Errorf("the key %q has a NUL", key)
		return keys, exit.WithHint(err, "print them with --format jsonl")
	case e.null:
		return append(append(keys, key...), 0), nil
	case strings.ContainsAny(key, "\r\n"):
		err := fmt.Errorf("the key %q has a line break", key)
		return keys, exit.WithHint(err, "print NULs between keys with --null, for xargs -0")
	}
	return append(append(keys, key...), '\n'), nil
}

// readKeys is Format.Read.
func readKeys(r io.Reader, o *Options, add func(*scan.Record) error) error {
	end := byte('\n')
	if o.Null {
		end = 0
	}
	return readLines(r, end, func(b *recordBuilder, key string) error {
		b.entry.Key = key
		return nil
	}, add)
}

// readLines makes a Record of each line, and hands it to add, whose error ends the reading. end ends a line.
func readLines(
	r io.Reader, end byte, set func(b *recordBuilder, line string) error, add func(*scan.Record) error,
) error {
	bounded := &boundedReader{r: r, max: recordBytesMax}
	lines := bufio.NewReader(bounded)
	var b recordBuilder
	for n := 1; ; n++ {
		bounded.left = bounded.max
		line, err := lines.ReadBytes(end)
		switch {
		case err == io.EOF && len(line) == 0:
			return nil
		case err == io.EOF:
			err = errors.New("the last line was cut")
		case err == nil:
			b.reset()
			err = set(&b, string(bytes.TrimSuffix(line, []byte{end})))
		}
		if err != nil {
			return &ReadError{Object: n, Err: err}
		}
		record, err := b.record()
		if err != nil {
			return &ReadError{Object: n, Err: err}
		}
		if err := add(&record); err != nil {
			return err
		}
	}
}
