package cli

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"headcount/bench/inventory"
	"headcount/bench/s3sim"
	"headcount/bench/s3sim/simtest"
	"headcount/scan/metrics"
)

// hasCustomerKey reports whether inventoryOf says of a key that a client has the key of its encryption.
func hasCustomerKey(key string) bool { return strings.Contains(key, "/07/") }

// inventoryOf returns what an Inventory says of the objects of a server.
func inventoryOf(server *s3sim.Server) (objects []inventory.Object) {
	ks := server.Keyspace()
	for i := range ks.Len() {
		o := server.Object(ks.Key(i))
		x := inventory.Object{
			Key: string(ks.Key(i)), Size: o.Size(), LastModified: o.LastModified(), ETag: strings.Trim(o.ETag(), `"`),
			StorageClass: o.StorageClass(), Encryption: "SSE-S3",
		}
		if hasCustomerKey(x.Key) {
			x.Encryption, x.Replication = "SSE-C", "FAILED"
		}
		objects = append(objects, x)
	}
	return objects
}

// writeInventory writes an Inventory of a bucket, and returns its folder and its manifest.
func writeInventory(t *testing.T, cfg inventory.Config, objects []inventory.Object) (dir, manifest string) {
	t.Helper()
	dir, cfg.Bucket = t.TempDir(), "demo"
	manifest, err := inventory.Write(dir, cfg, objects)
	if err != nil {
		t.Fatal(err)
	}
	return dir, manifest
}

func sortedLines(text string) []string { return slices.Sorted(strings.Lines(text)) }

// serveBuckets serves the files of a folder as the bucket inventories, beside the bucket of another store.
func serveBuckets(t *testing.T, dir, store string) (endpoint string) {
	t.Helper()
	target, err := url.Parse(store)
	if err != nil {
		t.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(target)
	proxy.Transport = &http.Transport{MaxIdleConnsPerHost: 64}
	files := http.StripPrefix("/inventories/", http.FileServer(http.Dir(dir)))
	var asked atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name, isFile := strings.CutPrefix(r.URL.Path, "/inventories/")
		_, err := os.Stat(filepath.Join(dir, name))
		switch {
		case !isFile:
			proxy.ServeHTTP(w, r)
		case asked.Add(1) == 2: // passing trouble
			w.WriteHeader(http.StatusServiceUnavailable)
		case err != nil:
			w.WriteHeader(http.StatusNotFound)
			_, _ = w.Write([]byte("<Error><Code>NoSuchKey</Code></Error>"))
		default:
			files.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// The scan from an Inventory has the records of the scan of the bucket, and sends no LIST.
func TestInventory(t *testing.T) {
	server, store := simtest.Start(t, s3sim.Options{Objects: 1_500, Shape: s3sim.Nasty})
	objects := inventoryOf(server)
	flags := []string{"--no-sign-request", "--quiet", "--all", "--fields", "all", "s3://demo"}
	_, bucket, _ := runs(t, append([]string{"scan", "--endpoint-url", store}, flags...)...)
	want := sortedLines(bucket)
	for name, cfg := range map[string]inventory.Config{
		"CSV": {Files: 3}, "Parquet": {Format: "Parquet", Versions: true, Files: 2},
		"S3, CSV": {Prefix: "of a b+c/"}, "S3, Parquet": {Format: "Parquet", OldTypes: true, Files: 3},
	} {
		t.Run(name, func(t *testing.T) {
			dir, manifest := writeInventory(t, cfg, objects)
			endpoint := store
			if strings.HasPrefix(name, "S3") {
				endpoint = serveBuckets(t, dir, store)
				manifest = "s3://inventories" + strings.TrimPrefix(filepath.ToSlash(manifest), filepath.ToSlash(dir))
			}
			stats := filepath.Join(t.TempDir(), "stats.json")
			code, out, stderr := runs(t, append([]string{
				"scan", "--endpoint-url", endpoint, "--inventory", manifest, "--stats", stats,
			}, flags...)...)
			if got := sortedLines(out); code != 0 || !slices.Equal(got, want) {
				t.Fatalf("exit %d, %d lines, want %d; %s", code, len(got), len(want), stderr)
			}
			s := readStats(t, stats)
			i := s.Inventory
			if len(s.Requests["list"]) > 0 || i == nil || i.AgeSeconds < 1e5 || i.Manifest != manifest {
				t.Errorf("%v, %+v", s.Requests, i)
			}
		})
	}
}

func readStats(t *testing.T, name string) (s metrics.Stats) {
	t.Helper()
	text, err := os.ReadFile(name)
	if err == nil {
		err = json.Unmarshal(text, &s)
	}
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// A filter on the columns of an Inventory costs no HEAD, and neither does what they print. What another part of the
// filter needs is asked for the objects that pass.
func TestInventoryFilter(t *testing.T) {
	server, store := simtest.Start(t, s3sim.Options{Objects: 1_000, Shape: s3sim.Dated})
	objects := inventoryOf(server)
	_, manifest := writeInventory(t, inventory.Config{Format: "Parquet", Without: []string{"ETag"}}, objects)
	count := func(is func(o inventory.Object) bool) (n int64) {
		for _, o := range objects {
			if is(o) {
				n++
			}
		}
		return n
	}
	failed := count(func(o inventory.Object) bool { return o.Replication == "FAILED" })
	large := count(func(o inventory.Object) bool { return o.Size > 500_000 })
	all := int64(len(objects))
	if failed == 0 || large == 0 || failed == all || large == all {
		t.Fatalf("%d failed, %d large", failed, large)
	}
	for _, c := range []struct {
		args           string
		emitted, heads int64
	}{
		{`list`, all, 0},
		{`list --filter 'replication_status == "FAILED"' --fields key,replication_status`, failed, 0},
		{`list --filter 'encryption_status == "SSE-C" and size > 0' --format csv`, failed, 0},
		{`list --limit 10 --fields all`, 10, 0},
		{`scan --filter 'replication_status == ""' --fields key,size`, all - failed, 0},
		{`scan --filter 'size > 500000 and metadata.owner == "nobody"'`, 0, large},
		{`scan --filter 'replication_status == "FAILED" and metadata.owner == "nobody"'`, 0, failed},
		{`scan --all --fields key,etag`, all, all}, // the column is missing
		{`scan --all --fields key,size`, all, 0},
	} {
		before := server.Counts()
		stats := filepath.Join(t.TempDir(), "stats.json")
		args := append(words(c.args), "--endpoint-url", store, "--no-sign-request", "--quiet", "--stats", stats,
			"--inventory", manifest, "s3://demo")
		code, _, stderr := runs(t, args...)
		s, after := readStats(t, stats), server.Counts()
		if heads := after.Heads - before.Heads; code != 0 || s.Emitted != c.emitted || heads != c.heads ||
			after.Lists != before.Lists {
			t.Errorf("%s: exit %d, %d records, want %d; %d HEADs, want %d; %s",
				c.args, code, s.Emitted, c.emitted, heads, c.heads, stderr)
		}
	}
}

// words splits a command line at spaces outside of single quotes.
func words(line string) (words []string) {
	for i, part := range strings.Split(line, "'") {
		if i%2 == 1 {
			words = append(words, part)
			continue
		}
		words = append(words, strings.Fields(part)...)
	}
	return words
}

// All fields of an Inventory are those that an object can have. What a filter costs, its columns decide.
func TestInventoryFieldsInWords(t *testing.T) {
	_, manifest := writeInventory(t, inventory.Config{Without: []string{"ReplicationStatus"}}, inventory.Samples(10))
	for want, args := range map[string][]string{
		"key,size,etag,last_modified,storage_class,server_side_encryption,": {"list", "--fields", "all", "--format", "csv"},
		"no LIST, no HEAD, if the inventory has a column for each of them\n": {
			"scan", "--explain", "--fields", "key", "--filter", `replication_status == "FAILED"`,
		},
	} {
		code, stdout, stderr := runs(t, append(args, "--quiet", "--inventory", manifest, "s3://demo")...)
		if code != 0 || !strings.Contains(stdout, want) {
			t.Errorf("exit %d, %s%s; want %s", code, stdout, stderr, want)
		}
	}
}

// A wrong Inventory is exit 2, and writes nothing.
func TestWrongInventory(t *testing.T) {
	objects := inventory.Samples(50)
	dir, csv := writeInventory(t, inventory.Config{Without: []string{"ReplicationStatus", "ObjectOwner"}}, objects)
	_, orc := writeInventory(t, inventory.Config{Format: "ORC"}, nil)
	broken, damaged := writeInventory(t, inventory.Config{Format: "Parquet"}, objects)
	files, _ := filepath.Glob(filepath.Join(broken, "demo/daily/data/*"))
	if err := os.WriteFile(files[0], []byte("PAR1"), 0o666); err != nil {
		t.Fatal(err)
	}
	endpoint := serveBuckets(t, dir, "http://127.0.0.1:1")
	inS3 := "s3://inventories" + strings.TrimPrefix(filepath.ToSlash(csv), filepath.ToSlash(dir))
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"another bucket": {[]string{"list", "s3://other", csv}, "it is of the bucket demo, and not of other"},
		"ORC":            {[]string{"scan", "s3://demo", orc}, "the format ORC is not supported"},
		"checksum":       {[]string{"scan", "s3://demo", damaged}, "it has 4 bytes, and "},
		"column": {
			[]string{"list", "--fields", "key,replication_status", "s3://demo", csv}, "no column for replication_status",
		},
		"filter": {
			[]string{"list", "--filter", `replication_status == ""`, "s3://demo", inS3}, "no column for replication_status",
		},
		"no HEAD": {
			[]string{"scan", "--fields", "key,object_owner", "s3://demo", csv}, "neither --inventory nor a HEAD has object_owner",
		},
		"HEAD":      {[]string{"list", "--filter", `metadata.x == ""`, "s3://demo", csv}, "no column for metadata"},
		"no file":   {[]string{"list", "s3://demo", "no/manifest.json"}, "inventory no/manifest.json: no such file"},
		"no object": {[]string{"list", "s3://demo", "s3://inventories/no.json"}, "s3://inventories/no.json: no such object"},
		"no key":    {[]string{"list", "s3://demo", "s3://inventories"}, "names no object"},
		"data file": {[]string{"list", "s3://demo", "data.csv.gz"}, "no manifest.json"},
	} {
		t.Run(name, func(t *testing.T) {
			output := filepath.Join(t.TempDir(), "o.jsonl")
			if err := os.WriteFile(output, []byte("kept\n"), 0o666); err != nil {
				t.Fatal(err)
			}
			last := len(c.args) - 1
			code, stdout, stderr := runs(t, slices.Concat(c.args[:last], []string{
				"--inventory", c.args[last], "--output", output, "--endpoint-url", endpoint, "--no-sign-request",
			})...)
			kept, _ := os.ReadFile(output)
			if code != 2 || !strings.Contains(stderr, c.want) || stdout != "" || string(kept) != "kept\n" {
				t.Errorf("exit %d, %s, %q", code, stderr, kept)
			}
		})
	}
	code, _, stderr := runs(t, "list", "--fields", "key,replication_status", "s3://demo")
	if code != 2 || !strings.Contains(stderr, "--fields key,replication_status: no listing has replication_status") {
		t.Errorf("exit %d, %s", code, stderr)
	}
}

// A dry run, --explain and --retry-for know that nothing is listed.
func TestInventoryForecast(t *testing.T) {
	server, store := simtest.Start(t, s3sim.Options{Objects: 500, Shape: s3sim.Dated})
	_, manifest := writeInventory(t, inventory.Config{}, inventoryOf(server))
	code, out, stderr := runs(t, "scan", "--endpoint-url", store, "--no-sign-request", "--inventory", manifest,
		"--dry-run", "--rate", "100", "--price", "5,1", "s3://demo")
	if code != 0 || !strings.Contains(out, "HEADs     500") || !strings.Contains(out, "LISTs     0") {
		t.Errorf("exit %d, %s\n%s", code, out, stderr)
	}
	code, out, _ = runs(t, "scan", "--inventory", manifest, "--explain", "--filter", `replication_status == "FAILED"`)
	if code != 0 || !strings.Contains(out, "no LIST") || !strings.Contains(out, `half  replication_status == "FAILED"`) {
		t.Errorf("exit %d, %s", code, out)
	}
}

// What an --errors file knows of an object may have changed since: the filter reads the HEAD alone.
func TestRetryFromIsFilteredByHeads(t *testing.T) {
	server, store := simtest.Start(t, s3sim.Options{Objects: 3})
	errors := filepath.Join(t.TempDir(), "errors.jsonl")
	line := fmt.Sprintf(`{"key":%q,"etag":"old","size":1,"last_modified":"2001-01-01T00:00:00Z"}`+"\n",
		server.Keyspace().Key(1))
	if err := os.WriteFile(errors, []byte(line), 0o666); err != nil {
		t.Fatal(err)
	}
	code, out, stderr := runs(t, "scan", "--endpoint-url", store, "--no-sign-request", "--quiet", "--retry-from", errors,
		"--filter", "size > 1", "--fields", "key", "s3://demo")
	if code != 0 || strings.Count(out, "\n") != 1 || server.Counts().Heads == 0 {
		t.Errorf("exit %d, %q, %s", code, out, stderr)
	}
}
