package peers

import (
	"bytes"
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"

	"headcount/bench/engines"
)

// sources are the programs as they are written: what headcount is built of is enough to build them.
//
//go:embed python/peer.py python/requirements.txt rust/Cargo.toml rust/Cargo.lock rust/src/main.rs
var sources embed.FS

// build returns the file or the folder of a program. Its error is why the way is absent.
type build func(context.Context, builder) (program string, err error)

// builder makes the programs in the user's cache folder: what is there already is taken, whoever made it.
type builder struct {
	cache string                           // a folder, which need not exist yet
	told  func(format string, args ...any) // before something that takes its time
}

// CacheFolder is where the programs in Python and Rust are built.
func CacheFolder() (string, error) {
	folder, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	return filepath.Join(folder, "headcount", "peers"), nil
}

// errNotInstalled is why a way is absent whose tool is not found.
type errNotInstalled string

func (e errNotInstalled) Error() string { return string(e) + " is not installed" }

func look(tool string) (string, error) {
	path, err := exec.LookPath(tool)
	if err != nil {
		return "", errNotInstalled(tool)
	}
	return path, nil
}

// What ways need.
const (
	needsPython = "python"
	needsRust   = "rust"
	needsRclone = "rclone"
)

func allBuilds() map[string]build {
	return map[string]build{needsPython: buildPython, needsRust: buildRust, needsRclone: findRclone}
}

func findRclone(context.Context, builder) (string, error) { return look("rclone") }

// buildPython makes a virtual environment, with peer.py in it.
func buildPython(ctx context.Context, b builder) (string, error) {
	python, err := look("python3")
	if err != nil {
		return "", err
	}
	version, err := exec.CommandContext(ctx, python, "--version").Output()
	if err != nil {
		return "", fmt.Errorf("python3 --version: %w", err)
	}
	return b.build(needsPython, string(version), func(scratch string) error {
		b.told("making a virtual environment for Python in %s", b.cache)
		if err := run(ctx, scratch, python, "-m", "venv", scratch); err != nil {
			return err
		}
		return run(ctx, scratch, pythonOf(scratch), "-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check",
			"--requirement", filepath.Join(scratch, "requirements.txt"))
	})
}

// pythonOf and peerOf are the files of a virtual environment that buildPython made.
func pythonOf(folder string) string { return filepath.Join(folder, "bin", "python3") }
func peerOf(folder string) string   { return filepath.Join(folder, "peer.py") }

// buildRust builds the program of rust/ and keeps nothing else.
func buildRust(ctx context.Context, b builder) (string, error) {
	cargo, err := look("cargo")
	if err != nil {
		return "", err
	}
	// Another cargo may make another program; the lock file fixes the rest.
	version, err := exec.CommandContext(ctx, cargo, "--version").Output()
	if err != nil {
		return "", fmt.Errorf("cargo --version: %w", err)
	}
	folder, err := b.build(needsRust, string(version), func(scratch string) error {
		b.told("building the program in Rust in %s, which takes some minutes", b.cache)
		target := filepath.Join(scratch, "target")
		if err := run(ctx, scratch, cargo, "build", "--release", "--locked", "--quiet", "--target-dir", target); err != nil {
			return err
		}
		if err := os.Rename(filepath.Join(target, "release", "peer"), filepath.Join(scratch, "peer")); err != nil {
			return err
		}
		return os.RemoveAll(target)
	})
	return filepath.Join(folder, "peer"), err
}

// build returns the folder that make has filled, now or earlier. Two processes may build at once: each fills its own, and the
// rename is one step. A virtual environment may be renamed as long as none of its scripts is run.
func (b builder) build(name, version string, make func(scratch string) error) (string, error) {
	if b.cache == "" {
		return "", errors.New("there is no cache folder to build it in")
	}
	sum, err := sumOf(name, version)
	if err != nil {
		return "", err
	}
	folder := filepath.Join(b.cache, name+"-"+sum)
	if _, err := os.Stat(folder); err == nil {
		return folder, nil
	}
	if err := os.MkdirAll(b.cache, 0o755); err != nil {
		return "", err
	}
	scratch, err := os.MkdirTemp(b.cache, "build-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(scratch) // once it has been renamed, it is not there
	below, err := fs.Sub(sources, name)
	if err != nil {
		return "", err
	}
	if err := os.CopyFS(scratch, below); err != nil {
		return "", err
	}
	if err := make(scratch); err != nil {
		return "", err
	}
	err = os.Rename(scratch, folder)
	if _, statErr := os.Stat(folder); statErr == nil {
		return folder, nil // ours, or that of another that was quicker
	}
	return folder, err
}

// sumOf names what the program of a folder of the sources depends on.
func sumOf(name, version string) (string, error) {
	sum := sha256.New()
	fmt.Fprintln(sum, version, runtime.GOOS, runtime.GOARCH)
	err := fs.WalkDir(sources, name, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := fs.ReadFile(sources, path)
		fmt.Fprintln(sum, path, len(text))
		sum.Write(text)
		return err
	})
	return hex.EncodeToString(sum.Sum(nil)[:8]), err
}

// run runs a tool in a folder, with the user's environment: proxies and mirrors of packages are configured there.
func run(ctx context.Context, folder, path string, args ...string) error {
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Dir = folder
	_, stderr, err := engines.Spend(cmd)
	if err != nil {
		return said(filepath.Base(path), err, stderr)
	}
	return nil
}

// said is how a program ended that should not have ended so, with the line of its standard error that tells the most.
func said(name string, err error, stderr []byte) error {
	var last string
	for line := range bytes.Lines(stderr) {
		text := strings.TrimSpace(string(line))
		if text == "" {
			continue
		}
		last = text
		if lower := strings.ToLower(text); strings.Contains(lower, "error:") {
			break
		}
	}
	if last == "" {
		return fmt.Errorf("%s: %w", name, err)
	}
	return fmt.Errorf("%s: %w: %s", name, err, last)
}

// asReason is an error as a table says it.
func asReason(err error) string {
	if missing := errNotInstalled(""); errors.As(err, &missing) {
		return missing.Error()
	}
	return strings.ReplaceAll(err.Error(), "\n", " ")
}
