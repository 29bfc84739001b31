package cli

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"headcount/bench/inventory"
	"headcount/bench/s3sim"
	"headcount/bench/s3sim/simtest"
	"headcount/bench/scripttest"
	"headcount/scan/metrics"
)

// answer is what a JSON line says of an object. What is absent is the zero value.
type answer struct {
	Key          string
	Size         int64
	Metadata     map[string]string
	ContentType  string    `json:"content_type"`
	CacheControl string    `json:"cache_control"`
	StorageClass string    `json:"storage_class"`
	KMSKey       string    `json:"sse_kms_key_id"`
	Replication  string    `json:"replication_status"`
	RetainUntil  time.Time `json:"object_lock_retain_until"`
	Tags         map[string]string
	Annotations  map[string]string
	Archive      string `json:"archive_status"`
	Restore      string
	Checksums    map[string]string
	Decoded      map[string]string `json:"metadata_decoded"`
	MissingMeta  int               `json:"missing_meta"`
}

func (a *answer) has(names ...string) bool {
	for _, name := range names {
		if _, ok := a.Metadata[name]; ok {
			return true
		}
	}
	return false
}

// answers returns, by a part of a filter, which objects it is true for.
func answers() map[string]func(*answer) bool {
	now := time.Now()
	return map[string]func(*answer) bool{
		`"alice"`:          func(a *answer) bool { return a.Metadata["owner"] == "alice" },
		`"project" not in`: func(a *answer) bool { return !a.has("project") },
		`cache_control`:    func(a *answer) bool { return a.CacheControl == "" },
		`storage_class`: func(a *answer) bool {
			return strings.Contains("GLACIER DEEP_ARCHIVE", a.StorageClass) || a.Archive != ""
		},
		`restore != ""`:     func(a *answer) bool { return a.Restore != "" },
		`len(checksums)`:    func(a *answer) bool { return len(a.Checksums) == 0 },
		`checksum_algo`:     func(a *answer) bool { return len(a.Checksums) == 0 },
		`missing_meta`:      func(a *answer) bool { return a.MissingMeta > 0 || len(a.Decoded) > 0 },
		`sse_kms_key_id`:    func(a *answer) bool { return a.KMSKey != "" && !strings.HasSuffix(a.KMSKey, "7890ab") },
		`"FAILED"`:          func(a *answer) bool { return a.Replication == "FAILED" },
		`"x-amz-key" in`:    func(a *answer) bool { return a.has("x-amz-key", "x-amz-key-v2", "x-amz-c") },
		`"SSE-C"`:           func(a *answer) bool { return hasCustomerKey(a.Key) },
		`tags.env`:          func(a *answer) bool { return a.Tags["env"] == "prod" },
		`len(annotations)`:  func(a *answer) bool { return len(a.Annotations) > 0 },
		`size > 1e6`:        func(a *answer) bool { return a.Size > 1e6 },
		`duration("720h")`:  func(a *answer) bool { return a.RetainUntil.After(now) && a.RetainUntil.Before(now.Add(720*time.Hour)) },
		`key endsWith ".js`: func(a *answer) bool { return strings.HasSuffix(a.Key, ".json") && a.ContentType != "application/json" },
	}
}

// Every command of the README's table of questions runs. Those with a filter print as many objects as answer the
// question by the JSON lines of all objects, which are some and not all.
func TestREADMEQuestions(t *testing.T) {
	const objects = 2_500
	server, url := simtest.Start(t, s3sim.Options{Objects: objects, Shape: s3sim.Dated, AllAttributes: true, Annotations: 2})
	_, table, _ := strings.Cut(readFile(t, "README.md"), "| question | command |\n| --- | --- |\n")
	table, _, _ = strings.Cut(table, "\n\n")
	_, manifest := writeInventory(t, inventory.Config{Format: "Parquet"}, inventoryOf(server))
	t.Chdir(filepath.Dir(manifest)) // some write a file
	writeQuestionFiles(t, server)
	store := []string{"--endpoint-url", url, "--no-sign-request", "--quiet", "--stats", "stats.json"}
	_, lines, _ := runs(t, append([]string{"scan", "--all", "--fields", "all", "--tags", "--annotations",
		"--checksums", "--decode", "s3://demo"}, store...)...)
	versions, versioned := versionedStore(t)
	ran := 0
	for _, command := range regexp.MustCompile("`headcount ([^`]+)`").FindAllStringSubmatch(table, -1) {
		args := scripttest.Words(strings.ReplaceAll(command[1], "s3://my-bucket", "s3://demo"))
		isVersions := strings.Contains(command[1], "--all-versions")
		if isVersions {
			store[1] = versioned
		} else {
			store[1] = url
		}
		code, stdout, stderr := runs(t, append(args, store...)...)
		if code != 0 || stderr != "" {
			t.Errorf("%s: exit %d, %s", command[1], code, stderr)
		}
		emitted := emittedOf(t, "stats.json")
		if !strings.Contains(command[1], "--output") && strings.Count(stdout, "\n") < emitted {
			t.Errorf("%s: %d objects are counted, and fewer printed", command[1], emitted)
		}
		switch want := countAnswers(t, command[1], lines); {
		case isVersions:
			if emitted != versions {
				t.Errorf("%s: %d versions, want %d", command[1], emitted, versions)
			}
		case strings.Contains(command[1], "--delimiter"):
			if emitted == 0 || emitted == objects {
				t.Errorf("%s: %d objects and prefixes", command[1], emitted)
			}
		case strings.Contains(command[1], "--filter") && (want == 0 || want == objects):
			t.Errorf("%s: no question is tested by %d of %d objects", command[1], want, objects)
		case emitted != want:
			t.Errorf("%s: %d objects, want %d", command[1], emitted, want)
		}
		ran++
	}
	if ran < 12 {
		t.Errorf("%d commands were run", ran)
	}
	missing, err := os.ReadFile("missing.jsonl")
	if err != nil || !strings.HasPrefix(string(missing), `{"key":"no such, \"file\"","status":404,"class":"gone",`) ||
		strings.Count(string(missing), "\n") != 1 {
		t.Errorf("%v: %s", err, missing)
	}
}

// versionedStore starts a server with versions, and returns how many are old or delete markers.
func versionedStore(t *testing.T) (versions int, url string) {
	t.Helper()
	server, url := simtest.Start(t, s3sim.Options{Objects: 200, Versions: 5})
	for i := range server.Keyspace().Len() {
		for n, v := range server.Versions(server.Keyspace().Key(i)) {
			if n > 0 || v.DeleteMarker {
				versions++
			}
		}
	}
	return versions, url
}

// folders are the prefixes that a question is about.
const folders = "2022/01/\n2022/03/0\n"

// writeQuestionFiles writes the files that questions read: a database's dump of all keys, with one that does not
// exist, and a list of prefixes.
func writeQuestionFiles(t *testing.T, server *s3sim.Server) {
	t.Helper()
	dump := "id,path\n0,\"no such, \"\"file\"\"\"\n"
	for i := range server.Keyspace().Len() {
		dump += fmt.Sprintf("%d,%s\n", i+1, server.Keyspace().Key(i))
	}
	for name, text := range map[string]string{"files.csv": dump, "folders.txt": folders} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// countAnswers returns how many of the JSON lines answer the filter of a command; without a filter, all do.
func countAnswers(t *testing.T, command, lines string) (count int) {
	t.Helper()
	_, filter, isFiltered := strings.Cut(command, "--filter")
	is := func(*answer) bool { return !isFiltered }
	if strings.Contains(command, "--prefixes") {
		is = func(a *answer) bool {
			return slices.ContainsFunc(strings.Fields(folders), func(prefix string) bool { return strings.HasPrefix(a.Key, prefix) })
		}
	}
	for part, answers := range answers() {
		if strings.Contains(filter, part) {
			is = answers
		}
	}
	for line := range strings.Lines(lines) {
		var a answer
		if err := json.Unmarshal([]byte(line), &a); err != nil {
			t.Fatal(err)
		}
		if is(&a) {
			count++
		}
	}
	return count
}

// emittedOf returns how many Records the run emitted whose statistics are in a file.
func emittedOf(t *testing.T, file string) int {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var stats metrics.Stats
	if err := json.Unmarshal(text, &stats); err != nil || !stats.Complete {
		t.Errorf("%v; complete: %v", err, stats.Complete)
	}
	return int(stats.Emitted)
}
