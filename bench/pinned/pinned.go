// Package pinned builds the S3 servers whose versions bench/servers/go.mod pins. Tests and benchmarks start them as
// processes of their own.
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
	version, err := versionOf(folder)
	if err != nil {
		return "", err
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	kept := filepath.Join(cache, "headcount-servers", version)
	binary := filepath.Join(kept, path.Base(pkg)+ExeSuffix())
	if _, err := os.Stat(binary); err == nil {
		return binary, nil
	}
	if err := os.MkdirAll(kept, 0o755); err != nil {
		return "", err
	}
	// Each process builds a file of its own, and renames it in one step.
	scratch, err := os.MkdirTemp(kept, "build-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(scratch)
	built := filepath.Join(scratch, filepath.Base(binary))
	if err := GoBuild(ctx, folder, built, pkg); err != nil {
		return "", err
	}
	return binary, os.Rename(built, binary)
}

// GoBuild builds a package of the module in folder.
func GoBuild(ctx context.Context, folder, binary, pkg string) error {
	command := exec.CommandContext(ctx, "go", "build", "-o", binary, pkg)
	command.Dir = folder
	if output, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("go build %s in %s: %w\n%s", pkg, folder, err, output)
	}
	return nil
}

// versionOf returns a hash of everything that a binary built from the module in folder depends on.
func versionOf(folder string) (string, error) {
	sum := sha256.New()
	fmt.Fprintln(sum, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	for _, name := range []string{"go.mod", "go.sum"} {
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
