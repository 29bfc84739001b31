package output

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/parquet-go/parquet-go"

	"headcount/scan"
	"headcount/scan/checkpoint"
	"headcount/scan/field"
	"headcount/scan/list"
)

// readParquet reads what parquetSink has written, by the reader of parquet-go, which the program does not have.
func readParquet(r io.Reader, _ *Options, add func(*scan.Record) error) error {
	text, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	file, err := parquet.OpenFile(bytes.NewReader(text), int64(len(text)))
	if err != nil {
		return err
	}
	table := csvTable{columns: map[string]*field.Field{}}
	for _, f := range field.Every() {
		table.columns[f.Name] = &f
	}
	rows := parquet.NewReader(file)
	defer rows.Close()
	for {
		row := map[string]any{}
		if err := rows.Read(&row); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		record, err := readParquetRow(&table, row)
		if err != nil {
			return err
		}
		if err := add(&record); err != nil {
			return err
		}
	}
}

func readParquetRow(table *csvTable, row map[string]any) (scan.Record, error) {
	inBase64 := strings.Fields(parquetText(row[base64Title]))
	table.builder.reset()
	for title, value := range row {
		if title == base64Title || value == nil {
			continue
		}
		if texts, ok := value.(map[string]any); ok {
			f := table.columns[title]
			table.builder.setMap(f)
			for name, text := range texts {
				text, err := decodeIf(slices.Contains(inBase64, base64Name(title, name)), []byte(parquetText(text)))
				if err != nil {
					return scan.Record{}, err
				}
				table.builder.addText(f, name, text)
			}
			continue
		}
		if f := table.columns[title]; f != nil && f.Type == field.Time {
			value = time.UnixMicro(value.(int64)).UTC().Format(time.RFC3339Nano)
		}
		if err := table.set(title, []byte(parquetText(value)), inBase64); err != nil {
			return scan.Record{}, err
		}
	}
	return table.builder.record()
}

// parquetText returns a value of parquet-go as Field.AppendText has it; empty for nil.
func parquetText(value any) string {
	switch v := value.(type) {
	case nil:
		return ""
	case []byte:
		return string(v)
	}
	return fmt.Sprint(value)
}

// newParquetFile returns a sink to a file that continues at a Position.
func newParquetFile(t *testing.T, name string, at checkpoint.Position) *parquetSink {
	t.Helper()
	fields, err := field.Parse("key,metadata")
	if err != nil {
		t.Fatal(err)
	}
	sink, err := newParquetSink(openAt(t, name, at), &Options{Fields: fields})
	if err == nil {
		err = sink.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	return sink.(*parquetSink)
}

// addPage commits a page of objects with these numbers.
func addPage(t *testing.T, sink Sink, first, count int) {
	t.Helper()
	c := sink.NewChunk()
	for n := range count {
		c.Add(record(fmt.Sprintf("key-%06d", first+n), "meta-n: "+strings.Repeat("n", n%50)))
	}
	if err := sink.Commit(&list.Page{}, []scan.Chunk{c}); err != nil {
		t.Fatal(err)
	}
}

// parquetKeys returns the keys in a file.
func parquetKeys(t *testing.T, name string) (keys []string, err error) {
	t.Helper()
	err = readParquet(bytes.NewReader(readFile(t, name)), nil, func(r *scan.Record) error {
		keys = append(keys, strings.Clone(r.Key()))
		return nil
	})
	return keys, err
}

// Runs that are killed anywhere, or stopped, write the file of one run: each record once. No reader takes the file of a
// killed run for a whole one; that of a stopped run has what is committed.
func TestParquetResumes(t *testing.T) {
	for seed := range uint64(8) {
		rng := rand.New(rand.NewPCG(seed, 0))
		name := filepath.Join(t.TempDir(), "x.parquet")
		var at checkpoint.Position
		saved, committed := 0, 0
		for runs := range 6 {
			sink := newParquetFile(t, name, at)
			for range rng.IntN(5) {
				count := rng.IntN(300)
				addPage(t, sink, committed, count)
				committed += count
				if rng.IntN(2) > 0 {
					continue
				}
				var err error
				if at, err = sink.Sync(); err != nil {
					t.Fatal(err)
				}
				saved = committed
			}
			if runs%2 == 1 { // stopped, or complete
				if err := sink.Close(); err != nil {
					t.Fatal(err)
				}
				keys, err := parquetKeys(t, name)
				if err != nil || len(keys) != committed {
					t.Fatalf("seed %d: %d keys of %d, %v", seed, len(keys), committed, err)
				}
				for i, key := range keys {
					if key != fmt.Sprintf("key-%06d", i) {
						t.Fatalf("seed %d: key %d is %s", seed, i, key)
					}
				}
			} else { // killed, while it wrote
				if _, err := parquetKeys(t, name); err == nil {
					t.Fatalf("seed %d: the file of a killed run is read", seed)
				}
				file := sink.to.(*File)
				if err := sink.w.Flush(); err != nil {
					t.Fatal(err)
				}
				if err := os.Truncate(name, at.Bytes+rng.Int64N(file.size-at.Bytes+1)); err != nil {
					t.Fatal(err)
				}
				file.f.Close()
			}
			committed = saved
		}
	}
}

// A run that is complete and is resumed writes the same file.
func TestParquetResumesComplete(t *testing.T) {
	name := filepath.Join(t.TempDir(), "x.parquet")
	sink := newParquetFile(t, name, checkpoint.Position{})
	addPage(t, sink, 0, 100)
	at, err := sink.Sync()
	if err != nil {
		t.Fatal(err)
	}
	if err := sink.Close(); err != nil {
		t.Fatal(err)
	}
	before := readFile(t, name)
	if err := newParquetFile(t, name, at).Close(); err != nil || !bytes.Equal(readFile(t, name), before) {
		t.Errorf("the file differs, %v", err)
	}
}

// A file without records is a valid one.
func TestParquetOfNoRecords(t *testing.T) {
	name := filepath.Join(t.TempDir(), "x.parquet")
	if err := newParquetFile(t, name, checkpoint.Position{}).Close(); err != nil {
		t.Fatal(err)
	}
	if keys, err := parquetKeys(t, name); err != nil || len(keys) > 0 {
		t.Errorf("%q, %v", keys, err)
	}
}

// A file to which a write failed is not finished: rows that count are missing.
func TestParquetWriteFails(t *testing.T) {
	w := &countingWriter{failFrom: 3} // the magic and a column of the first row group are written
	sink, err := newParquetSink(Stream(t.Context(), w), &Options{})
	if err == nil {
		err = sink.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	addPage(t, sink, 0, 10)
	if _, err := sink.Sync(); err == nil {
		t.Error("Sync returned nil after a failed Write")
	}
	if _, err := sink.Sync(); err == nil {
		t.Error("a second Sync returned nil")
	}
	w.failFrom = 0
	if err := sink.Close(); err != nil || strings.HasSuffix(w.text.String(), "PAR1") {
		t.Errorf("the file is finished, or %v", err)
	}
}

// A time that is no time is null, and base64 does not name it, although its text is not UTF-8.
func TestParquetTimeIsNoText(t *testing.T) {
	fields, err := field.Parse("key,metadata,object_lock_retain_until")
	if err != nil {
		t.Fatal(err)
	}
	var file bytes.Buffer
	sink, err := newParquetSink(Stream(t.Context(), &file), &Options{Fields: fields})
	if err == nil {
		err = sink.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	c := sink.NewChunk()
	c.Add(record("k", "x-amz-object-lock-retain-until-date: \xff", "meta-owner: \xff"))
	if err := errors.Join(sink.Commit(&list.Page{}, []scan.Chunk{c}), sink.Close()); err != nil {
		t.Fatal(err)
	}
	row := map[string]any{}
	if err := parquet.NewReader(bytes.NewReader(file.Bytes())).Read(&row); err != nil {
		t.Fatal(err)
	}
	if got := parquetText(row[base64Title]); got != "metadata.owner" || row["object_lock_retain_until"] != nil {
		t.Errorf("the row is %v, and base64 %q", row, got)
	}
}

// However often a checkpoint is asked for, the row groups of a file get larger as their number grows.
func TestParquetBoundsRowGroups(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sink, err := newParquetSink(Stream(t.Context(), io.Discard), &Options{SyncEvery: time.Second})
		if err == nil {
			err = sink.Start()
		}
		if err != nil {
			t.Fatal(err)
		}
		s := sink.(*parquetSink)
		const pages, pageRows = 500, 10
		for page := range pages {
			addPage(t, sink, page*pageRows, pageRows)
			if time.Sleep(time.Second); s.SyncDue() {
				if _, err := sink.Sync(); err != nil {
					t.Fatal(err)
				}
			}
		}
		if got := s.w.Groups(); got < 50 || got*got/2 > pages*pageRows {
			t.Errorf("%d row groups of %d rows", got, pages*pageRows)
		}
	})
}

// A Sync is due when half a row group is there, when the last one was 30 s ago, and when it costs nothing.
func TestParquetSyncDue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sink, err := newParquetSink(Stream(t.Context(), io.Discard), &Options{})
		if err == nil {
			err = sink.Start()
		}
		if err != nil {
			t.Fatal(err)
		}
		s := sink.(*parquetSink)
		expect := func(when string, want bool) {
			t.Helper()
			if got := s.SyncDue(); got != want {
				t.Errorf("%s: due is %v", when, got)
			}
		}
		expect("without rows", true)
		addPage(t, sink, 0, 1000)
		expect("after 1000 rows", false)
		time.Sleep(parquetSyncEvery)
		expect("30 s later", true)
		if _, err := sink.Sync(); err != nil {
			t.Fatal(err)
		}
		expect("after Sync", true)
		addPage(t, sink, 0, 1000)
		expect("after another 1000 rows", false)
		addPage(t, sink, 0, parquetSyncRows-1000)
		expect("with half a row group", true)
		addPage(t, sink, 0, parquetSyncRows)
		expect("when the row group was written", true)
	})
}
