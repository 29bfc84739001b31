package e2e

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"headcount/bench/pinned"
	"headcount/bench/sources"
)

const (
	serverStarts = 3 // attempts: another process may take the free port before the server does

	// killMargin is the time between killing the children and the deadline of the test binary. At the deadline the
	// binary panics and runs no cleanup.
	killMargin = 5 * time.Second
)

// s3Server is a real S3 server. It runs until the end of the test that started it.
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

// startGofakes3 starts gofakes3 in this process. gofakes3 checks no signatures.
func startGofakes3(t *testing.T) *s3Server {
	server := httptest.NewServer(gofakes3.New(s3mem.New()).Server()) // on 127.0.0.1
	t.Cleanup(server.Close)
	return newS3Server(server.URL, "anybody", rand.Text())
}

// startVersitygw returns a function that starts versitygw with these options on a file system.
func startVersitygw(options ...string) func(*testing.T) *s3Server {
	return func(t *testing.T) *s3Server {
		if testing.Short() {
			t.Skip("versitygw is a process of its own, which -short leaves out")
		}
		binary := buildServer(t, pinned.VersitygwPackage)
		for try := 1; ; try++ {
			server, err := runVersitygw(t, binary, options)
			if err == nil {
				return server
			}
			if try == serverStarts {
				t.Fatal(err)
			}
			t.Log("starting it again:", err)
		}
	}
}

// runVersitygw starts versitygw and waits until it responds.
func runVersitygw(t *testing.T, binary string, options []string) (*s3Server, error) {
	address, err := pinned.FreeAddress()
	if err != nil {
		return nil, err
	}
	// The secret detects another process's server on this address.
	server := newS3Server("http://"+address, "headcount", rand.Text())
	args := append([]string{"--port", address, "--quiet"}, options...)
	command := exec.CommandContext(untilDeadline(t), binary, append(args, "posix", t.TempDir())...)
	command.Env = append(os.Environ(), "ROOT_ACCESS_KEY="+server.accessKey, "ROOT_SECRET_KEY="+server.secret)
	return server, untilTestEnds(t, command, server.url)
}

// untilTestEnds starts a server, waits until it responds at url, and kills it at the end of the test.
func untilTestEnds(t *testing.T, command *exec.Cmd, url string) error {
	name := filepath.Base(command.Path)
	var output bytes.Buffer
	command.Stdout, command.Stderr = &output, &output
	if err := command.Start(); err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- command.Wait() }()
	if err := pinned.WaitForAnswer(url, ended); err != nil {
		_ = command.Process.Kill() // it may have ended already
		<-ended
		return fmt.Errorf("%v: %w\n%s", command.Args, err, output.Bytes())
	}
	t.Cleanup(func() {
		select {
		case err := <-ended:
			t.Errorf("%s ended during the test: %v", name, err)
		default:
			_ = command.Process.Kill() // an error means that it has just ended
			<-ended
		}
		if t.Failed() {
			t.Logf("output of %s:\n%s", name, output.Bytes())
		}
	})
	return nil
}

// buildServer builds a command that bench/servers/go.mod pins, unless an earlier test did, and returns its path.
func buildServer(t *testing.T, pkg string) string {
	source := filepath.Join(root, "bench", "servers")
	sources.Watch(t, source)
	binary, err := pinned.Build(untilDeadline(t), source, pkg)
	if err != nil {
		t.Fatal(err)
	}
	return binary
}

// goBuild builds a package of the module in folder.
func goBuild(t *testing.T, folder, binary, pkg string) {
	sources.Watch(t, folder)
	if err := pinned.GoBuild(untilDeadline(t), folder, binary, pkg); err != nil {
		t.Fatal(err)
	}
}

// untilDeadline returns a context that ends killMargin before the deadline of the test binary. Unlike t.Context it is
// still valid in the test's cleanups.
func untilDeadline(t *testing.T) context.Context {
	deadline, ok := t.Deadline()
	if !ok {
		return context.Background()
	}
	ctx, cancel := context.WithDeadline(context.Background(), deadline.Add(-killMargin))
	t.Cleanup(cancel)
	return ctx
}
