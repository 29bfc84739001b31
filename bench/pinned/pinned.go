// Package pinned builds the S3 servers whose versions bench/servers/go.mod pins, and makes environments of pinned
// Python packages. Tests and benchmarks start them as processes of their own.
package pinned

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"runtime"
	"time"
)

// VersitygwPackage is the import path of versitygw's command.
const VersitygwPackage = "github.com/versity/versitygw/cmd/versitygw"

// FindServers returns the folder bench/servers of the module's source. The working folder must be in the module.
func FindServers() (string, error) {
	folder, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		servers := filepath.Join(folder, "bench", "servers")
		if _, err := os.Stat(filepath.Join(servers, "go.mod")); err == nil {
			return servers, nil
		}
		above := filepath.Dir(folder)
		if above == folder {
			return "", errors.New("no bench/servers/go.mod in the working folder or a folder above it")
		}
		folder = above
	}
}

// Build returns the executable file of a command that the go.mod in folder pins. It builds the file in the user's cache
// folder, unless it is there already. Two processes may build at once.
func Build(ctx context.Context, folder, pkg string) (string, error) {
	version, err := hashOf(folder, runtime.Version(), "go.mod", "go.sum")
	if err != nil {
		return "", err
	}
	binary := filepath.Join(version, path.Base(pkg)+ExeSuffix())
	return inCache(binary, func(built string) error { return GoBuild(ctx, folder, built, pkg) })
}

// Python returns the interpreter of a virtual environment with the packages of requirements.txt in folder. It makes the
// environment in the user's cache folder, unless it is there already.
func Python(ctx context.Context, folder string) (string, error) {
	release, err := exec.CommandContext(ctx, "python3", "--version").Output()
	if err != nil {
		return "", fmt.Errorf("python3 --version: %w", err)
	}
	version, err := hashOf(folder, string(release), "requirements.txt")
	if err != nil {
		return "", err
	}
	made, err := inCache(filepath.Join(version, "python"), func(scratch string) error {
		if err := run(ctx, folder, "python3", "-m", "venv", scratch); err != nil {
			return err
		}
		return run(ctx, folder, pythonIn(scratch), "-m", "pip", "install", "--quiet", "--no-input",
			"--disable-pip-version-check", "--requirement", "requirements.txt")
	})
	return pythonIn(made), err
}

// pythonIn returns the interpreter of a virtual environment, which can be renamed: only its scripts name its path.
func pythonIn(environment string) string {
	if runtime.GOOS == "windows" {
		return filepath.Join(environment, "Scripts", "python.exe")
	}
	return filepath.Join(environment, "bin", "python3")
}

// inCache returns the path of a file or folder in the user's cache folder. If it is not there, inCache calls fill to
// make one at another path, and renames that in one step: another process may do the same at once.
func inCache(name string, fill func(path string) error) (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	filled := filepath.Join(cache, "headcount-servers", name)
	if _, err := os.Stat(filled); err == nil {
		return filled, nil
	}
	kept := filepath.Dir(filled)
	if err := os.MkdirAll(kept, 0o755); err != nil {
		return "", err
	}
	scratch, err := os.MkdirTemp(kept, "build-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(scratch)
	unnamed := filepath.Join(scratch, filepath.Base(filled))
	if err := fill(unnamed); err != nil {
		return "", err
	}
	err = os.Rename(unnamed, filled)
	if _, statErr := os.Stat(filled); statErr == nil {
		return filled, nil // ours, or that of a process that was faster
	}
	return filled, err
}

// GoBuild builds a package of the module in folder.
func GoBuild(ctx context.Context, folder, binary, pkg string) error {
	return run(ctx, folder, "go", "build", "-o", binary, pkg)
}

// run runs a tool in a folder. Its error has the tool's output.
func run(ctx context.Context, folder, tool string, args ...string) error {
	command := exec.CommandContext(ctx, tool, args...)
	command.Dir = folder
	if output, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("%v in %s: %w\n%s", command.Args, folder, err, output)
	}
	return nil
}

// hashOf returns a hash of the files with these names in folder, of a tool's version, and of this system.
func hashOf(folder, version string, names ...string) (string, error) {
	sum := sha256.New()
	fmt.Fprintln(sum, version, runtime.GOOS, runtime.GOARCH)
	for _, name := range names {
		text, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil {
			return "", err
		}
		sum.Write(text)
	}
	return hex.EncodeToString(sum.Sum(nil)[:8]), nil
}

// ExeSuffix is the end of the name of an executable file on this system.
func ExeSuffix() string {
	if runtime.GOOS == "windows" {
		return ".exe"
	}
	return ""
}

// FreeAddress returns an address of the loopback interface on which nobody listens at the moment.
func FreeAddress() (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return listener.Addr().String(), listener.Close()
}

const answerWait = 30 * time.Second // until the first answer, which usually takes a tenth of a second

// WaitForAnswer returns nil when the server at url answers anything at all. It fails when the server's process ends:
// the process's error must be sent on ended, which must have room for one error. WaitForAnswer puts the error back for
// other receivers.
func WaitForAnswer(url string, ended chan error) error {
	client := &http.Client{Timeout: time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	for begin := time.Now(); time.Since(begin) < answerWait; {
		answer, err := client.Get(url)
		if err == nil {
			return answer.Body.Close()
		}
		select {
		case err := <-ended:
			ended <- err
			return fmt.Errorf("the server ended at once: %w", err)
		case <-time.After(20 * time.Millisecond):
		}
	}
	return fmt.Errorf("the server did not answer within %v", answerWait)
}
