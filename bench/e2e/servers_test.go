package e2e

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"headcount/bench/sources"
)

const (
	serverStarts = 3                // another process may take the free port before the server does
	serverWait   = 30 * time.Second // until the first answer; it takes a tenth of one

	// killMargin is how long before the deadline of the test binary, which panics and so cleans nothing up, a child is
	// killed.
	killMargin = 5 * time.Second
)

// s3Server is a real S3 server that runs until the end of the test that started it.
type s3Server struct {
	url               string
	accessKey, secret string
	client            *s3.Client
}

func newS3Server(url, accessKey, secret string) *s3Server {
	return &s3Server{url: url, accessKey: accessKey, secret: secret, client: s3.New(s3.Options{
		BaseEndpoint: aws.String(url),
		Region:       "us-east-1",
		UsePathStyle: true,
		Credentials:  credentials.NewStaticCredentialsProvider(accessKey, secret, ""),
	})}
}

// startGofakes3 starts gofakes3 in this process. It checks no signature.
func startGofakes3(t *testing.T) *s3Server {
	server := httptest.NewServer(gofakes3.New(s3mem.New()).Server()) // on 127.0.0.1
	t.Cleanup(server.Close)
	return newS3Server(server.URL, "anybody", rand.Text())
}

// startVersitygw returns a function that starts versitygw with these options, over a file system.
func startVersitygw(options ...string) func(*testing.T) *s3Server {
	return func(t *testing.T) *s3Server {
		if testing.Short() {
			t.Skip("versitygw is a process of its own, which -short leaves out")
		}
		binary := buildServer(t, "github.com/versity/versitygw/cmd/versitygw")
		for try := 1; ; try++ {
			server, err := runVersitygw(t, binary, options)
			if err == nil {
				return server
			}
			if try == serverStarts {
				t.Fatal(err)
			}
			t.Log("once more:", err)
		}
	}
}

// runVersitygw starts it and waits until it answers.
func runVersitygw(t *testing.T, binary string, options []string) (*s3Server, error) {
	address, err := freeAddress()
	if err != nil {
		return nil, err
	}
	// Nobody else's server knows this secret, should another have taken the address.
	server := newS3Server("http://"+address, "headcount", rand.Text())
	args := append([]string{"--port", address, "--quiet"}, options...)
	command := exec.CommandContext(untilDeadline(t), binary, append(args, "posix", t.TempDir())...)
	command.Env = append(os.Environ(), "ROOT_ACCESS_KEY="+server.accessKey, "ROOT_SECRET_KEY="+server.secret)
	return server, untilTestEnds(t, command, server.url)
}

// untilTestEnds starts a server, waits until it answers at url, and ends it with the test.
func untilTestEnds(t *testing.T, command *exec.Cmd, url string) error {
	name := filepath.Base(command.Path)
	var output bytes.Buffer
	command.Stdout, command.Stderr = &output, &output
	if err := command.Start(); err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- command.Wait() }()
	if err := waitForAnswer(url, ended); err != nil {
		_ = command.Process.Kill() // it may have ended already
		<-ended
		return fmt.Errorf("%v: %w\n%s", command.Args, err, output.Bytes())
	}
	t.Cleanup(func() {
		select {
		case err := <-ended:
			t.Errorf("%s has ended by itself: %v", name, err)
		default:
			_ = command.Process.Kill() // an error would mean that it ended just now
			<-ended
		}
		if t.Failed() {
			t.Logf("%s said:\n%s", name, output.Bytes())
		}
	})
	return nil
}

// waitForAnswer returns nil when the server answers anything at all.
func waitForAnswer(url string, ended chan error) error {
	client := &http.Client{Timeout: time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	for begin := time.Now(); time.Since(begin) < serverWait; {
		answer, err := client.Get(url)
		if err == nil {
			return answer.Body.Close()
		}
		select {
		case err := <-ended:
			ended <- err // for who waits for it
			return fmt.Errorf("ended at once: %w", err)
		case <-time.After(20 * time.Millisecond):
		}
	}
	return errors.New("gives no answer")
}

// freeAddress is one on which nobody listens at the moment.
func freeAddress() (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return listener.Addr().String(), listener.Close()
}

// buildServer builds a command that bench/servers/go.mod pins, unless an earlier test has, and returns its path.
func buildServer(t *testing.T, pkg string) string {
	source := filepath.Join(root, "bench", "servers")
	folder := filepath.Join(cacheFolder(t), versionOf(t, source))
	binary := filepath.Join(folder, path.Base(pkg)+exeSuffix())
	if _, err := os.Stat(binary); err == nil {
		return binary
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	// Two test processes may build at once: each builds its own, and the rename is one step.
	scratch, err := os.MkdirTemp(folder, "build-")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(scratch)
	built := filepath.Join(scratch, filepath.Base(binary))
	goBuild(t, source, built, pkg)
	if err := os.Rename(built, binary); err != nil {
		t.Fatal(err)
	}
	return binary
}

func cacheFolder(t *testing.T) string {
	folder, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(folder, "headcount-servers")
}

// versionOf names what a binary built from the module in folder depends on.
func versionOf(t *testing.T, folder string) string {
	sum := sha256.New()
	fmt.Fprintln(sum, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	for _, name := range []string{"go.mod", "go.sum"} {
		text, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil {
			t.Fatal(err)
		}
		sum.Write(text)
	}
	return hex.EncodeToString(sum.Sum(nil)[:8])
}

// goBuild builds a package of the module in folder.
func goBuild(t *testing.T, folder, binary, pkg string) {
	sources.Watch(t, folder)
	command := exec.CommandContext(untilDeadline(t), "go", "build", "-o", binary, pkg)
	command.Dir = folder
	if output, err := command.CombinedOutput(); err != nil {
		t.Fatalf("go build %s in %s: %v\n%s", pkg, folder, err, output)
	}
}

func exeSuffix() string {
	if runtime.GOOS == "windows" {
		return ".exe"
	}
	return ""
}

// untilDeadline is a context that ends a moment before the test binary's time is up. Unlike t.Context it outlives the
// test by its cleanups.
func untilDeadline(t *testing.T) context.Context {
	deadline, ok := t.Deadline()
	if !ok {
		return context.Background()
	}
	ctx, cancel := context.WithDeadline(context.Background(), deadline.Add(-killMargin))
	t.Cleanup(cancel)
	return ctx
}
