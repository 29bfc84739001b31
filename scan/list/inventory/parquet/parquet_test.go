package parquet_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"headcount/bench/inventory"
	"headcount/scan/list/inventory/parquet"
)

// written returns the only data file of an Inventory of some objects.
func written(t testing.TB, cfg inventory.Config, objects []inventory.Object) []byte {
	t.Helper()
	dir := t.TempDir()
	cfg.Bucket, cfg.Format = "demo", "Parquet"
	if _, err := inventory.Write(dir, cfg, objects); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "demo/daily/data/*"))
	if err != nil || len(files) != 1 {
		t.Fatal(files, err)
	}
	data, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// rowsMax is more rows than a test writes.
const rowsMax = 5_000

// readAll returns the rows from one on, each as the values of all columns by name.
func readAll(data []byte, from int64) (all []map[string]any, err error) {
	f, err := parquet.Open(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return nil, err
	}
	columns := f.Columns()
	rows, err := f.Rows(columns, from)
	if err != nil {
		return nil, err
	}
	for {
		switch err := rows.Next(); {
		case errors.Is(err, io.EOF), len(all) == rowsMax: // a damaged file may say that it has many
			return all, nil
		case err != nil:
			return nil, err
		}
		row := map[string]any{}
		for n, c := range columns {
			switch {
			case rows.Null(n):
			case c.Type == parquet.Text:
				row[c.Name] = string(rows.Text(n))
			case c.Type == parquet.Int:
				row[c.Name] = rows.Int(n)
			case c.Type == parquet.Bool:
				row[c.Name] = rows.Bool(n)
			case c.Type == parquet.Time:
				row[c.Name] = rows.Time(n)
			}
		}
		all = append(all, row)
	}
}

func TestRows(t *testing.T) {
	t.Parallel()
	objects := inventory.Samples(1_200)
	for _, cfg := range []inventory.Config{
		{}, {OldTypes: true}, {PageV2: true}, {Codec: "zstd"}, {Codec: "gzip", PageV2: true}, {Codec: "none"},
		{Without: []string{"ETag", "LastModifiedDate"}},
	} {
		t.Run(fmt.Sprint(cfg), func(t *testing.T) {
			t.Parallel()
			cfg.Versions = true
			data := written(t, cfg, objects)
			for _, from := range []int64{0, 1_000, 1_017, int64(len(objects)) - 1} {
				rows, err := readAll(data, from)
				if err != nil || len(rows) != len(objects)-int(from) {
					t.Fatalf("from %d: %d rows of %d, %v", from, len(rows), len(objects), err)
				}
				for i, row := range rows {
					checkRow(t, cfg, &objects[int(from)+i], row)
				}
			}
		})
	}
}

func checkRow(t *testing.T, cfg inventory.Config, o *inventory.Object, row map[string]any) {
	t.Helper()
	want := map[string]any{"key": o.Key, "is_latest": !o.Old, "is_delete_marker": o.DeleteMarker, "bucket": "demo"}
	if o.VersionID != "" {
		want["version_id"] = o.VersionID
	}
	if !o.DeleteMarker {
		want["size"], want["encryption_status"] = o.Size, o.Encryption
		if !slices.Contains(cfg.Without, "ETag") {
			want["e_tag"] = o.ETag
		}
	}
	if !o.RetainUntil.IsZero() {
		want["object_lock_retain_until_date"] = o.RetainUntil
	}
	if !slices.Contains(cfg.Without, "LastModifiedDate") {
		want["last_modified_date"] = o.LastModified
	}
	for _, name := range []string{
		"key", "bucket", "is_latest", "is_delete_marker", "version_id", "size", "e_tag", "encryption_status",
		"object_lock_retain_until_date", "last_modified_date",
	} {
		if at, isTime := want[name].(time.Time); isTime {
			want[name] = at.UTC()
		}
		if row[name] != want[name] {
			t.Fatalf("%q: %s is %v, want %v", o.Key, name, row[name], want[name])
		}
	}
}

// A damaged file is an error: no panic, and no endless loop.
func TestDamagedFiles(t *testing.T) {
	t.Parallel()
	data := written(t, inventory.Config{Versions: true}, inventory.Samples(40))
	for name, damaged := range map[string][]byte{
		"empty": nil, "short": data[:8], "cut off": data[:len(data)-9],
		"no footer":     append(data[:4:4], data[len(data)-8:]...),
		"another magic": append(slices.Clone(data[:len(data)-4]), "PARE"...),
	} {
		if _, err := readAll(damaged, 0); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	for i := 0; i < len(data); i += 1 + i/31 { // it may still be right
		damaged := slices.Clone(data)
		damaged[i] ^= byte(1 << (i % 8))
		_, _ = readAll(damaged, 0)
	}
}

func FuzzRows(f *testing.F) {
	for _, cfg := range []inventory.Config{{}, {PageV2: true, Codec: "none"}} {
		f.Add(written(f, cfg, inventory.Samples(12)))
	}
	f.Fuzz(func(_ *testing.T, data []byte) { _, _ = readAll(data, 0) })
}

func BenchmarkRow(b *testing.B) {
	data := written(b, inventory.Config{Versions: true}, inventory.Samples(20_000))
	f, err := parquet.Open(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		b.Fatal(err)
	}
	rows, err := f.Rows(f.Columns(), 0)
	if err != nil {
		b.Fatal(err)
	}
	next := func() error {
		err := rows.Next()
		if errors.Is(err, io.EOF) {
			rows, err = f.Rows(f.Columns(), 0)
		}
		return err
	}
	b.ReportAllocs()
	for b.Loop() { // a row
		if err := next(); err != nil {
			b.Fatal(err)
		}
	}
}
