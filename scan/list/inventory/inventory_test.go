package inventory_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	writer "headcount/bench/inventory"
	"headcount/scan/exit"
	"headcount/scan/list"
	"headcount/scan/list/inventory"
)

// open writes an Inventory of some objects, and opens it. change may change its files before.
func open(
	t *testing.T, wcfg writer.Config, cfg inventory.Config, objects []writer.Object, change func(manifest string),
) (*inventory.Inventory, error) {
	t.Helper()
	wcfg.Bucket = "demo"
	manifest, err := writer.Write(t.TempDir(), wcfg, objects)
	if err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(manifest)
	}
	cfg.Manifest, cfg.Fetch = manifest, inventory.FromFolder(manifest)
	cfg.Bucket = cmp.Or(cfg.Bucket, "demo")
	inv, err := inventory.Open(t.Context(), cfg)
	if err == nil {
		t.Cleanup(inv.Close)
	}
	return inv, err
}

// read returns the Pages of a Range, and checks that they adjoin.
func read(ctx context.Context, t *testing.T, inv *inventory.Inventory, rng list.Range) (pages []*list.Page, err error) {
	t.Helper()
	pager := inv.Pager(rng)
	for {
		rest, _ := pager.Rest()
		page, err := pager.Next(ctx)
		if err != nil || page == nil {
			return pages, err
		}
		if page.Range.After != rest.After || page.Range.Through <= page.Range.After || len(page.Entries) == 0 {
			t.Fatalf("the page %v of %d follows %v", page.Range, len(page.Entries), rest)
		}
		pages = append(pages, page)
	}
}

// lines returns Entries as texts, sorted.
func lines(pages []*list.Page) (lines []string) {
	for _, page := range pages {
		for _, e := range page.Entries {
			line := fmt.Sprintf("%q %d %s %s %s", e.Key, e.Size, e.ETag, e.LastModified, e.StorageClass)
			d := *e.Details
			d.Headers = slices.Clone(d.Headers)
			lines = append(lines, line+fmt.Sprintf(" %+v", d))
		}
	}
	slices.Sort(lines)
	return lines
}

// want returns the lines of objects, as the documentation of an Inventory and of HEAD have them.
func want(objects []writer.Object, versions bool, prefix string) (lines []string) {
	for _, o := range objects {
		if (o.Old || o.DeleteMarker) && !versions || !strings.HasPrefix(o.Key, prefix) {
			continue
		}
		e := list.Entry{Key: o.Key, Size: o.Size, ETag: o.ETag, StorageClass: o.StorageClass}
		e.LastModified = o.LastModified.UTC().Format("2006-01-02T15:04:05.000Z")
		d := &list.Details{
			DeleteMarker: o.DeleteMarker, Owner: o.Owner, ChecksumAlgorithm: o.Checksums, EncryptionStatus: o.Encryption,
		}
		if o.DeleteMarker {
			e.Size = -1
		}
		add := func(name, value string) {
			if value != "" {
				d.Headers = append(d.Headers, list.DetailHeader{Name: name, Value: value})
			}
		}
		add("x-amz-replication-status", o.Replication)
		add("x-amz-server-side-encryption", map[string]string{
			"SSE-S3": "AES256", "SSE-KMS": "aws:kms", "DSSE-KMS": "aws:kms:dsse",
		}[o.Encryption])
		add("x-amz-server-side-encryption-customer-algorithm", map[string]string{"SSE-C": "AES256"}[o.Encryption])
		add("x-amz-server-side-encryption-bucket-key-enabled",
			map[string]string{"ENABLED": "true", "DISABLED": "false"}[o.BucketKey])
		add("x-amz-object-lock-mode", o.LockMode)
		if !o.RetainUntil.IsZero() {
			add("x-amz-object-lock-retain-until-date", o.RetainUntil.UTC().Format("2006-01-02T15:04:05.000Z"))
		}
		add("x-amz-object-lock-legal-hold", strings.ToUpper(o.LegalHold))
		add("x-amz-archive-status", map[string]string{"ARCHIVE": "ARCHIVE_ACCESS"}[o.AccessTier])
		if !o.LifecycleExpires.IsZero() {
			add("x-amz-expiration", o.LifecycleExpires.UTC().Format(`expiry-date="Mon, 02 Jan 2006 15:04:05 GMT"`))
		}
		switch {
		case versions:
			d.VersionID, d.IsLatest = cmp.Or(o.VersionID, "null"), !o.Old
		case strings.HasPrefix(o.VersionID, "v"):
			add("x-amz-version-id", o.VersionID)
		}
		e.Details = d
		page := &list.Page{Entries: []list.Entry{e}}
		lines = append(lines, linesOf(page))
	}
	slices.Sort(lines)
	return lines
}

func linesOf(page *list.Page) string { return lines([]*list.Page{page})[0] }

// An Inventory in each format has the objects that were written, with what each column says.
func TestEntries(t *testing.T) {
	t.Parallel()
	objects := writer.Samples(1_500)
	for name, c := range map[string]struct {
		writer   writer.Config
		versions bool
		prefix   string
	}{
		"CSV":                 {},
		"CSV of versions":     {writer: writer.Config{Versions: true, Files: 3}, versions: true},
		"current of versions": {writer: writer.Config{Versions: true, Files: 2}},
		"Parquet":             {writer: writer.Config{Format: "Parquet", Files: 2}},
		"Parquet, old types": {
			writer: writer.Config{Format: "Parquet", Versions: true, OldTypes: true}, versions: true,
		},
		"Parquet, current, prefix": {writer: writer.Config{Format: "Parquet", Versions: true}, prefix: "logs/01"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg := inventory.Config{Versions: c.versions, Prefix: c.prefix}
			inv, err := open(t, c.writer, cfg, objects, nil)
			if err != nil {
				t.Fatal(err)
			}
			pages, err := read(t.Context(), t, inv, list.Range{})
			if err != nil {
				t.Fatal(err)
			}
			listed := objects
			if !c.writer.Versions { // without the columns
				listed = slices.Clone(objects)
				for i := range listed {
					listed[i].VersionID = ""
				}
			}
			got, want := lines(pages), want(listed, c.versions, c.prefix)
			for i := range min(len(got), len(want)) {
				if got[i] != want[i] {
					t.Fatalf("got  %s\nwant %s", got[i], want[i])
				}
			}
			if len(got) != len(want) || len(want) == 0 {
				t.Fatalf("%d objects of %d", len(got), len(want))
			}
			checkRanges(t, inv, pages)
		})
	}
}

// checkRanges reads each page again by its Range, and all that is behind it.
func checkRanges(t *testing.T, inv *inventory.Inventory, pages []*list.Page) {
	t.Helper()
	for i, page := range pages {
		again, err := read(t.Context(), t, inv, page.Range)
		if err != nil || !slices.Equal(lines(again), lines(pages[i:i+1])) {
			t.Errorf("%v: %d pages, %v", page.Range, len(again), err)
		}
		rest, err := read(t.Context(), t, inv, list.Range{After: page.Range.Through})
		if err != nil || !slices.Equal(lines(rest), lines(pages[i+1:])) {
			t.Errorf("behind %v: %d pages, %v", page.Range, len(rest), err)
		}
	}
}

// rewrite changes the text of a file.
func rewrite(t *testing.T, name string, change func(text string) string) {
	t.Helper()
	text, err := os.ReadFile(name)
	if err == nil {
		err = os.WriteFile(name, []byte(change(string(text))), 0o666)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func dataFile(manifest string) string {
	files, _ := filepath.Glob(filepath.Join(filepath.Dir(manifest), "../data/*"))
	return files[0]
}

// Whatever is wrong with an Inventory is an Error that names the file, with the exit code 2.
func TestErrors(t *testing.T) {
	t.Parallel()
	replace := func(old, text string) func(t *testing.T, manifest string) {
		return func(t *testing.T, manifest string) {
			rewrite(t, manifest, func(s string) string { return strings.ReplaceAll(s, old, text) })
			if err := writer.Seal(manifest); err != nil {
				t.Fatal(err)
			}
		}
	}
	for name, c := range map[string]struct {
		writer writer.Config
		cfg    inventory.Config
		change func(t *testing.T, manifest string)
		want   string
	}{
		"another bucket": {cfg: inventory.Config{Bucket: "other"}, want: "of the bucket demo, and not of other"},
		"ORC":            {writer: writer.Config{Format: "ORC"}, want: "the format ORC is not supported"},
		"no versions":    {cfg: inventory.Config{Versions: true}, want: "current versions alone"},
		"no latest": {
			writer: writer.Config{Versions: true, Without: []string{"IsLatest"}}, want: "no columns IsLatest",
		},
		"no key":         {writer: writer.Config{Without: []string{"Key"}}, want: "no column Key"},
		"another schema": {change: replace("Bucket, Key", "Key"), want: "part.csv.gz:1: 18 columns, and 17"},
		"no schema":      {change: replace("fileSchema", "schema"), want: "no fileSchema"},
		"no date":        {change: replace("creationTimestamp", "created"), want: "creationTimestamp"},
		"no list": {
			change: replace(`"files": [`, `"files": 7, "other": [`), want: "manifest.json:8:12: files cannot be a number",
		},
		"no files":       {change: replace(`"files"`, `"other"`), want: "or no files"},
		"a column twice": {change: replace("Bucket, Key", "Key, Key"), want: "the column Key twice"},
		"a file twice": {change: func(t *testing.T, manifest string) {
			rewrite(t, manifest, func(s string) string {
				before, files, _ := strings.Cut(s, `"files": [`)
				file, _, _ := strings.Cut(files, "}")
				return before + `"files": [` + file + "}," + files
			})
			if err := writer.Seal(manifest); err != nil {
				t.Fatal(err)
			}
		}, want: "file 2 of 2 comes twice"},
		"no JSON":      {change: replace(`{`, `[`), want: "manifest.json:2:"},
		"no checksums": {change: replace("MD5checksum", "checksum"), want: "file 1 of 1 has no key, size and MD5"},
		"missing columns": {
			writer: writer.Config{Format: "Parquet", Without: []string{"Size"}}, change: replace("bucket ", "size "),
			want: "no column for Size",
		},
		"gone": {change: func(t *testing.T, manifest string) {
			if err := os.Remove(dataFile(manifest)); err != nil {
				t.Fatal(err)
			}
		}, want: "no such file in"},
		"no checksum": {change: func(t *testing.T, manifest string) {
			if err := os.Remove(strings.TrimSuffix(manifest, "json") + "checksum"); err != nil {
				t.Fatal(err)
			}
		}, want: "manifest.checksum: no such file"},
		"wrong manifest": {change: func(t *testing.T, manifest string) {
			rewrite(t, manifest, func(s string) string { return s + " " })
		}, want: "manifest.json: the MD5 is"},
		"wrong file": {change: func(t *testing.T, manifest string) {
			rewrite(t, dataFile(manifest), func(s string) string { return s[:100] + "x" + s[101:] })
		}, want: "part.csv.gz: its MD5 is"},
		"short file": {change: func(t *testing.T, manifest string) {
			rewrite(t, dataFile(manifest), func(s string) string { return s[:100] })
		}, want: "part.csv.gz: it has 100 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inv, err := open(t, c.writer, c.cfg, writer.Samples(50), func(manifest string) {
				if c.change != nil {
					c.change(t, manifest)
				}
			})
			if err == nil {
				_, err = read(t.Context(), t, inv, list.Range{})
			}
			var wrong *inventory.Error
			if !errors.As(err, &wrong) || wrong.ExitCode() != 2 || !strings.Contains(wrong.Error(), c.want) {
				t.Errorf("%v, want %q", err, c.want)
			}
			if strings.Contains(c.want, "no such file") && exit.Hint(err) == "" {
				t.Errorf("%v has no hint", err)
			}
		})
	}
}

// A value that its column cannot have is an Error with the line.
func TestWrongValues(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		object writer.Object
		want   string
	}{
		"key":  {writer.Object{}, ":1: Key is \"\""},
		"size": {writer.Object{Key: "k", Size: -5}, ":1: Size is \"-5\", and not a number of bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inv, err := open(t, writer.Config{}, inventory.Config{}, []writer.Object{c.object}, nil)
			if err == nil {
				_, err = read(t.Context(), t, inv, list.Range{})
			}
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
}

// The data files are found wherever people copy them.
func TestFromFolder(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	manifest, err := writer.Write(dir, writer.Config{Bucket: "demo", Prefix: "deep/er"}, writer.Samples(5))
	if err != nil {
		t.Fatal(err)
	}
	place := func(name string) (text []byte) {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	manifestText, data := place(manifest), place(dataFile(manifest))
	checksum := place(strings.TrimSuffix(manifest, "json") + "checksum")
	for _, c := range [][2]string{
		{"2026/manifest.json", "data/00000000-part.csv.gz"},                     // the folder of the Inventory
		{"manifest.json", "00000000-part.csv.gz"},                               // all in one
		{"manifest.json", "deep/er/demo/daily/data/00000000-part.csv.gz"},       // the bucket, and the manifest beside it
		{"daily/2026/manifest.json", "daily/data/00000000-part.csv.gz"},         // the folder of the bucket
		{"a/manifest.json", "demo/daily/data/00000000-part.csv.gz"},             // part of the key
		{"a/b/manifest.json", "a/deep/er/demo/daily/data/00000000-part.csv.gz"}, // the bucket
	} {
		dir := t.TempDir()
		for name, text := range map[string][]byte{
			c[0]: manifestText, strings.TrimSuffix(c[0], "json") + "checksum": checksum, c[1]: data,
		} {
			name = filepath.Join(dir, name)
			if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o777), os.WriteFile(name, text, 0o666)); err != nil {
				t.Fatal(err)
			}
		}
		name := filepath.Join(dir, c[0])
		inv, err := inventory.Open(t.Context(), inventory.Config{
			Manifest: name, Bucket: "demo", Fetch: inventory.FromFolder(name),
		})
		var pages []*list.Page
		if err == nil {
			pages, err = read(t.Context(), t, inv, list.Range{})
			inv.Close()
		}
		if err != nil || len(pages) != 1 {
			t.Errorf("%v: %d pages, %v", c, len(pages), err)
		}
	}
}

// Close closes the file of a Range that was not read to its end, and that of the next one.
func TestClose(t *testing.T) {
	t.Parallel()
	opened, closed := 0, 0
	manifest, err := writer.Write(t.TempDir(), writer.Config{Bucket: "demo", Files: 3}, writer.Samples(5_000))
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	count := func(n *int) {
		mu.Lock()
		defer mu.Unlock()
		*n++
	}
	cfg := inventory.Config{Manifest: manifest, Bucket: "demo"}
	fetch := inventory.FromFolder(cfg.Manifest)
	cfg.Fetch = func(ctx context.Context, key string) (inventory.File, error) {
		f, err := fetch(ctx, key)
		count(&opened)
		return closingFile{f, func() { count(&closed) }}, err
	}
	inv, err := inventory.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := inv.Pager(list.Range{}).Next(t.Context()); err != nil {
		t.Fatal(err)
	}
	if inv.Close(); opened != 4 || closed != opened { // the manifest, its checksum, and two data files
		t.Errorf("%d files opened, %d closed", opened, closed)
	}
}

type closingFile struct {
	inventory.File
	onClose func()
}

func (f closingFile) Close() error {
	f.onClose()
	return f.File.Close()
}

// A place that no checkpoint has is an error.
func TestWrongPlaces(t *testing.T) {
	t.Parallel()
	inv, err := open(t, writer.Config{}, inventory.Config{}, writer.Samples(5), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, place := range []string{"key", "-0000001-000000000000", "00000000--00000000001"} {
		if pages, err := read(t.Context(), t, inv, list.Range{After: place}); err == nil {
			t.Errorf("%q: %d pages", place, len(pages))
		}
	}
}

// The end of the context ends a read at once, and leaves no file open.
func TestCanceled(t *testing.T) {
	t.Parallel()
	inv, err := open(t, writer.Config{Files: 4}, inventory.Config{}, writer.Samples(200), nil)
	if err != nil {
		t.Fatal(err)
	}
	stop := errors.New("stop")
	ctx, cancel := context.WithCancelCause(t.Context())
	pager := inv.Pager(list.Range{})
	if _, err := pager.Next(ctx); err != nil {
		t.Fatal(err)
	}
	cancel(stop)
	for range 3 { // the file ahead may be there already
		if _, err = pager.Next(ctx); err != nil {
			break
		}
	}
	if !errors.Is(err, stop) {
		t.Errorf("%v", err)
	}
}
