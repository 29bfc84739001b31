package peers

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"golang.org/x/sync/errgroup"

	"headcount/bench/pinned"
	"headcount/bench/process"
)

// server is the store that all clients use.
type server struct {
	name       string
	latency    time.Duration // added to every HEAD
	objectsMax int64         // in a bucket; 0: any number
	open       func(ctx context.Context, cfg Config, s server, sizes []int64) (*runningServer, context.Context, error)
}

// bucket is a bucket of a running server.
type bucket struct {
	url, name string
	env       []string // the variables with its keys; none: the server accepts any key
}

// runningServer is a server that runs until close.
type runningServer struct {
	buckets map[int64]bucket // by the number of objects
	stops   []func()
}

func (running *runningServer) close() {
	for _, stop := range running.stops {
		stop()
	}
}

// versitygwMax is the number of objects that versitygw is filled with, at most. At some hundred µs for each request,
// filling and reading a bucket takes some seconds.
const versitygwMax = 5_000

// servers returns the servers that are measured.
func (cfg Config) servers() []server {
	var all []server
	for _, latency := range cfg.Latencies {
		name := "s3sim"
		if latency > 0 {
			name += ", " + latency.String()
		}
		all = append(all, server{name: name, latency: latency, open: openSim})
	}
	if cfg.Versitygw {
		all = append(all, server{name: "versitygw", objectsMax: versitygwMax, open: openVersitygw})
	}
	return all
}

// openSim starts a headcount bench serve for each of the sizes: it serves one bucket, and costs nothing while it gets
// no request. The context that openSim returns ends with ctx, or when one of the processes ends before it is closed.
func openSim(ctx context.Context, cfg Config, s server, sizes []int64) (*runningServer, context.Context, error) {
	const name = "peers"
	running := &runningServer{buckets: map[int64]bucket{}}
	for _, size := range sizes {
		url, during, stop, err := process.StartStore(ctx, cfg.Store,
			"--bucket", name, "--objects", strconv.FormatInt(size, 10), "--latency", s.latency.String())
		if err != nil {
			running.close()
			return nil, nil, err
		}
		running.buckets[size], running.stops, ctx = bucket{url: url, name: name}, append(running.stops, stop), during
	}
	return running, ctx, nil
}

// openVersitygw starts the versitygw that bench/servers pins, and fills a bucket for each of the sizes. The server's
// folder is removed when the server is closed.
func openVersitygw(ctx context.Context, cfg Config, _ server, sizes []int64) (*runningServer, context.Context, error) {
	cfg.Log("building versitygw, if it is not in the cache")
	binary, err := pinned.Build(ctx, cfg.Servers, pinned.VersitygwPackage)
	if err != nil {
		return nil, nil, err
	}
	folder, err := os.MkdirTemp("", "headcount-peers-")
	if err != nil {
		return nil, nil, err
	}
	running := &runningServer{buckets: map[int64]bucket{}, stops: []func(){func() { os.RemoveAll(folder) }}}
	address, err := pinned.FreeAddress()
	if err != nil {
		running.close()
		return nil, nil, err
	}
	secret := rand.Text()
	ctx, cancel := context.WithCancelCause(ctx)
	ended, err := startVersitygw(ctx, cancel, binary, address, folder, secret)
	running.stops = append([]func(){func() { cancel(nil); <-ended }}, running.stops...)
	if err == nil {
		cfg.Log("putting objects into versitygw")
		err = running.fill(ctx, "http://"+address, secret, sizes)
	}
	if ctx.Err() != nil { // the cause says more than the request that failed
		err = context.Cause(ctx)
	}
	if err != nil {
		running.close()
		return nil, nil, err
	}
	return running, ctx, nil
}

const rootAccessKey = "headcount"

// startVersitygw starts versitygw, and returns a channel that is closed when the process has ended. Its end also calls
// cancel.
func startVersitygw(
	ctx context.Context, cancel context.CancelCauseFunc, binary, address, folder, secret string,
) (ended <-chan struct{}, err error) {
	done := make(chan struct{})
	var output bytes.Buffer
	// Without --keep-alive it closes every connection after one answer.
	cmd := exec.CommandContext(ctx, binary, "--port", address, "--quiet", "--keep-alive", "posix", folder)
	cmd.Env = append(os.Environ(), "ROOT_ACCESS_KEY="+rootAccessKey, "ROOT_SECRET_KEY="+secret)
	cmd.Stdout, cmd.Stderr = &output, &output
	process.KillWithParent(cmd)
	if err := cmd.Start(); err != nil {
		close(done)
		return done, err
	}
	exit := make(chan error, 1)
	go func() {
		err := cmd.Wait()
		if err == nil {
			err = errors.New("it ended by itself")
		}
		err = fmt.Errorf("%s: %w: %s", filepath.Base(binary), err, strings.TrimSpace(output.String()))
		cancel(err) // has no effect if the context has already ended
		exit <- err
		close(done)
	}()
	return done, pinned.WaitForAnswer("http://"+address, exit)
}

// putsInFlight is the number of objects that are put at a time.
const putsInFlight = 32

// fill puts objects like s3sim's into one bucket for each of the sizes.
func (running *runningServer) fill(ctx context.Context, url, secret string, sizes []int64) error {
	client := s3.New(s3.Options{
		BaseEndpoint: aws.String(url), Region: "us-east-1", UsePathStyle: true,
		Credentials: credentials.NewStaticCredentialsProvider(rootAccessKey, secret, ""),
	})
	for _, size := range sizes {
		name := fmt.Sprintf("peers-%d", size)
		if _, err := client.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: aws.String(name)}); err != nil {
			return err
		}
		all, putCtx := errgroup.WithContext(ctx)
		all.SetLimit(putsInFlight)
		for i := range size {
			all.Go(func() error { return put(putCtx, client, name, i) })
		}
		if err := all.Wait(); err != nil {
			return err
		}
		running.buckets[size] = bucket{url: url, name: name, env: []string{
			"AWS_ACCESS_KEY_ID=" + rootAccessKey, "AWS_SECRET_ACCESS_KEY=" + secret,
		}}
	}
	return nil
}

// bareOneIn: one object in so many has no custom metadata, as in s3sim.
const bareOneIn = 10

func put(ctx context.Context, client *s3.Client, bucket string, i int64) error {
	input := &s3.PutObjectInput{
		Bucket: aws.String(bucket), Key: aws.String(fmt.Sprintf("obj-%012d", i)), Body: strings.NewReader(""),
	}
	if i%bareOneIn != 0 {
		input.Metadata = map[string]string{"id": fmt.Sprintf("%016x", i), "owner": "alice"}
	}
	_, err := client.PutObject(ctx, input)
	return err
}
