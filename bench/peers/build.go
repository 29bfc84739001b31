package peers

import (
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

	"headcount/bench/process"
)

// sources holds the source of the programs, so that the executable file of bench/dev suffices to build them.
//
//go:embed python/peer.py python/requirements.txt rust/Cargo.toml rust/Cargo.lock rust/src/main.rs
var sources embed.FS

// build returns the file or the folder of a program. Its error is the reason why a client is absent.
type build func(context.Context, builder) (program string, err error)

// builder builds programs in the user's cache folder. It uses a program that is already there.
type builder struct {
	cache string                           // a folder, which need not exist yet
	log   func(format string, args ...any) // is called before a step that takes long
}

// CacheFolder returns the folder where the programs in Python and Rust are built.
func CacheFolder() (string, error) {
	folder, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	return filepath.Join(folder, "headcount", "peers"), nil
}

// errNotInstalled is the reason for an absent client whose tool is not found.
type errNotInstalled string

func (e errNotInstalled) Error() string { return string(e) + " is not installed" }

func lookPath(tool string) (string, error) {
	path, err := exec.LookPath(tool)
	if err != nil {
		return "", errNotInstalled(tool)
	}
	return path, nil
}

// The tools that clients need.
const (
	toolPython = "python"
	toolRust   = "rust"
	toolRclone = "rclone"
)

func allBuilds() map[string]build {
	return map[string]build{toolPython: buildPython, toolRust: buildRust, toolRclone: findRclone}
}

func findRclone(context.Context, builder) (string, error) { return lookPath("rclone") }

// buildPython creates a virtual environment that contains peer.py.
func buildPython(ctx context.Context, b builder) (string, error) {
	python, err := lookPath("python3")
	if err != nil {
		return "", err
	}
	version, err := exec.CommandContext(ctx, python, "--version").Output()
	if err != nil {
		return "", fmt.Errorf("python3 --version: %w", err)
	}
	return b.build(toolPython, string(version), func(scratch string) error {
		b.log("creating a virtual environment for Python in %s", b.cache)
		if err := run(ctx, scratch, python, "-m", "venv", scratch); err != nil {
			return err
		}
		return run(ctx, scratch, pythonOf(scratch), "-m", "pip", "install", "--quiet", "--no-input",
			"--disable-pip-version-check",
			"--requirement", filepath.Join(scratch, "requirements.txt"))
	})
}

// pythonOf and peerOf return files of a virtual environment that buildPython created.
func pythonOf(folder string) string { return filepath.Join(folder, "bin", "python3") }
func peerOf(folder string) string   { return filepath.Join(folder, "peer.py") }

// buildRust builds the program of rust/, and removes all intermediate files.
func buildRust(ctx context.Context, b builder) (string, error) {
	cargo, err := lookPath("cargo")
	if err != nil {
		return "", err
	}
	// The program depends on the version of cargo; the lock file pins everything else.
	version, err := exec.CommandContext(ctx, cargo, "--version").Output()
	if err != nil {
		return "", fmt.Errorf("cargo --version: %w", err)
	}
	folder, err := b.build(toolRust, string(version), func(scratch string) error {
		b.log("building the program in Rust in %s, which takes some minutes", b.cache)
		target := filepath.Join(scratch, "target")
		if err := run(ctx, scratch, cargo, "build", "--release", "--locked", "--quiet", "--target-dir",
			target); err != nil {
			return err
		}
		if err := os.Rename(filepath.Join(target, "release", "peer"), filepath.Join(scratch, "peer")); err != nil {
			return err
		}
		return os.RemoveAll(target)
	})
	return filepath.Join(folder, "peer"), err
}

// build returns the folder that fill has filled, now or earlier. Two processes may build at once: each fills a folder
// of its own, and renames it in one step. Renaming a virtual environment breaks only its scripts, of which none is run.
func (b builder) build(name, version string, fill func(scratch string) error) (string, error) {
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
	defer os.RemoveAll(scratch) // it has gone if it was renamed
	below, err := fs.Sub(sources, name)
	if err != nil {
		return "", err
	}
	if err := os.CopyFS(scratch, below); err != nil {
		return "", err
	}
	if err := fill(scratch); err != nil {
		return "", err
	}
	err = os.Rename(scratch, folder)
	if _, statErr := os.Stat(folder); statErr == nil {
		return folder, nil // ours, or that of a process that was faster
	}
	return folder, err
}

// sumOf returns a hash of everything that a program depends on.
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

// run runs a tool in a folder, with the user's environment, which configures proxies and mirrors of packages.
func run(ctx context.Context, folder, path string, args ...string) error {
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Dir = folder
	_, err := process.Run(cmd)
	return err
}

// oneLine returns the text of an error for a table.
func oneLine(err error) string {
	if missing := errNotInstalled(""); errors.As(err, &missing) {
		return missing.Error()
	}
	return strings.ReplaceAll(err.Error(), "\n", " ")
}
