//go:build unix

package peers

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// fakePython is a python3 whose venv creates a folder that contains the script itself, and whose pip checks what it is
// asked to install.
const fakePython = `case "$*" in
--version) echo Python 3.99;;
"-m venv "*) mkdir "$3/bin" && cp "$0" "$3/bin/python3"; echo made >>"$LOG";;
"-m pip install "*) grep -q '^boto3==' "${@: -1}" || exit 9; echo installed >>"$LOG";;
*) exit 8;;
esac
`

// fakeCargo builds a program that is a copy of main.rs.
const fakeCargo = `case "$*" in
--version) echo cargo 1.99;;
"build --release --locked --quiet --target-dir "*) mkdir -p "${@: -1}/release" && grep -q aws-sdk-s3 Cargo.toml Cargo.lock &&
	cp src/main.rs "${@: -1}/release/peer"; echo built >>"$LOG";;
*) exit 8;;
esac
`

const failing = `case "$*" in --version) echo 1;; *) echo "hello
ERROR: no network
hint" >&2; exit 1;; esac
`

// install writes tools into a folder that is all of PATH. A tool with an empty script is not installed.
func install(t *testing.T, tools map[string]string) (log string) {
	t.Helper()
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	for name, script := range tools {
		if script != "" {
			if err := os.WriteFile(filepath.Join(folder, name), []byte("#!"+bash+"\nPATH=/bin:/usr/bin\n"+script),
				0o755); err != nil {
				t.Fatal(err)
			}
		}
	}
	log = filepath.Join(t.TempDir(), "log")
	t.Setenv("PATH", folder)
	t.Setenv("LOG", log)
	return log
}

// Programs are built once, in the cache, from the sources that the binary contains.
func TestBuild(t *testing.T) {
	log := install(t, map[string]string{"python3": fakePython, "cargo": fakeCargo, "rclone": "exit 7"})
	b := builder{cache: filepath.Join(t.TempDir(), "not", "there"), log: func(string, ...any) {}}
	for range 2 {
		folder, err := buildPython(t.Context(), b)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range []string{pythonOf(folder), peerOf(folder)} {
			if _, err := os.Stat(file); err != nil {
				t.Error(err)
			}
		}
		binary, err := buildRust(t.Context(), b)
		if err != nil {
			t.Fatal(err)
		}
		if text, err := os.ReadFile(binary); err != nil || !strings.Contains(string(text), "aws_sdk_s3") {
			t.Errorf("%v, %s", err, text)
		}
		if rclone, err := findRclone(t.Context(), b); err != nil || filepath.Base(rclone) != "rclone" {
			t.Errorf("%s, %v", rclone, err)
		}
	}
	if text, err := os.ReadFile(log); err != nil || string(text) != "made\ninstalled\nbuilt\n" {
		t.Errorf("%v\n%s", err, text)
	}
	if left, err := os.ReadDir(b.cache); err != nil || len(left) != 2 {
		t.Errorf("%v, %v", err, left)
	}
}

// The reason of an absent client is one line, and an unfinished build is removed.
func TestBuildFails(t *testing.T) {
	for name, c := range map[string]struct {
		tool, script string
		build        build
		cache        bool
		want         string
	}{
		"no Python":      {"python3", "", buildPython, true, "python3 is not installed"},
		"no cargo":       {"cargo", "", buildRust, true, "cargo is not installed"},
		"no rclone":      {"rclone", "", findRclone, true, "rclone is not installed"},
		"no packages":    {"python3", failing, buildPython, true, "python3: exit status 1: ERROR: no network"},
		"no crates":      {"cargo", failing, buildRust, true, "cargo: exit status 1: ERROR: no network"},
		"broken Python":  {"python3", "exit 5", buildPython, true, "python3 --version: exit status 5"},
		"broken cargo":   {"cargo", "exit 5", buildRust, true, "cargo --version: exit status 5"},
		"nowhere to put": {"cargo", fakeCargo, buildRust, false, "there is no cache folder to build it in"},
	} {
		t.Run(name, func(t *testing.T) {
			install(t, map[string]string{c.tool: c.script})
			b := builder{log: func(string, ...any) {}}
			if c.cache {
				b.cache = t.TempDir()
			}
			_, err := c.build(t.Context(), b)
			if err == nil || oneLine(err) != c.want {
				t.Errorf("%v", err)
			}
			if c.cache {
				if left, err := os.ReadDir(b.cache); err != nil || len(left) > 0 {
					t.Errorf("%v, %v", err, left)
				}
			}
		})
	}
}
