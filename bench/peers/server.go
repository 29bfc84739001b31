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

	"headcount/bench/engines"
	"headcount/bench/pinned"
)

// server is what all ways ask.
type server struct {
	name       string
	latency    time.Duration // that it adds to every HEAD
	objectsMax int64         // in a bucket; 0: any number
	open       func(ctx context.Context, cfg Config, s server, sizes []int64) (*opened, context.Context, error)
}

// bucket is one that a way can be given.
type bucket struct {
	url, name string
	env       []string // the keys that it takes; none: it takes any
}

// opened is a server that runs.
type opened struct {
	buckets map[int64]bucket // by the number of objects
	stops   []func()
}

func (o *opened) close() {
	for _, stop := range o.stops {
		stop()
	}
}

// versitygwMax keeps what it takes to fill versitygw, and to ask it for everything, to some seconds: it costs some hundred µs for
// each request.
const versitygwMax = 5_000

// servers are those of the measurement.
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

// openSim starts a headcount bench serve for each of the sizes: one serves one bucket, and costs nothing where it is not
// asked. The context that it returns ends with ctx, or when one of them ends before it is closed.
func openSim(ctx context.Context, cfg Config, s server, sizes []int64) (*opened, context.Context, error) {
	const name = "peers"
	o := &opened{buckets: map[int64]bucket{}}
	for _, size := range sizes {
		url, during, stop, err := engines.Serve(ctx, cfg.Program,
			"--bucket", name, "--objects", strconv.FormatInt(size, 10), "--latency", s.latency.String())
		if err != nil {
			o.close()
			return nil, nil, err
		}
		o.buckets[size], o.stops, ctx = bucket{url: url, name: name}, append(o.stops, stop), during
	}
	return o, ctx, nil
}

// openVersitygw starts the versitygw that bench/servers pins, over a folder that goes when it is closed, and fills a bucket for
// each of the sizes.
func openVersitygw(ctx context.Context, cfg Config, _ server, sizes []int64) (*opened, context.Context, error) {
	cfg.Told("building versitygw, unless that was done before")
	binary, err := pinned.Build(ctx, cfg.Servers, pinned.Versitygw)
	if err != nil {
		return nil, nil, err
	}
	folder, err := os.MkdirTemp("", "headcount-peers-")
	if err != nil {
		return nil, nil, err
	}
	o := &opened{buckets: map[int64]bucket{}, stops: []func(){func() { os.RemoveAll(folder) }}}
	address, err := pinned.FreeAddress()
	if err != nil {
		o.close()
		return nil, nil, err
	}
	secret := rand.Text()
	ctx, cancel := context.WithCancelCause(ctx)
	ended, err := startVersitygw(ctx, cancel, binary, address, folder, secret)
	o.stops = append([]func(){func() { cancel(nil); <-ended }}, o.stops...)
	if err == nil {
		cfg.Told("putting objects into versitygw")
		err = o.fill(ctx, "http://"+address, secret, sizes)
	}
	if ctx.Err() != nil { // it says more than what could not be sent then
		err = context.Cause(ctx)
	}
	if err != nil {
		o.close()
		return nil, nil, err
	}
	return o, ctx, nil
}

const rootAccessKey = "headcount"

// startVersitygw returns what is closed when it has ended. That cancels too.
func startVersitygw(ctx context.Context, cancel context.CancelCauseFunc, binary, address, folder, secret string) (ended <-chan struct{}, err error) {
	done := make(chan struct{})
	var said bytes.Buffer
	// Without --keep-alive it closes every connection after one answer.
	cmd := exec.CommandContext(ctx, binary, "--port", address, "--quiet", "--keep-alive", "posix", folder)
	cmd.Env = append(os.Environ(), "ROOT_ACCESS_KEY="+rootAccessKey, "ROOT_SECRET_KEY="+secret)
	cmd.Stdout, cmd.Stderr = &said, &said
	engines.Tie(cmd)
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
		err = fmt.Errorf("%s: %w: %s", filepath.Base(binary), err, strings.TrimSpace(said.String()))
		cancel(err) // of no effect if it is why the server ended
		exit <- err
		close(done)
	}()
	return done, pinned.WaitForAnswer("http://"+address, exit)
}

// puts is how many objects are put at a time.
const puts = 32

// fill puts objects like s3sim's into a bucket for each of the sizes.
func (o *opened) fill(ctx context.Context, url, secret string, sizes []int64) error {
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
		all.SetLimit(puts)
		for i := range size {
			all.Go(func() error { return put(putCtx, client, name, i) })
		}
		if err := all.Wait(); err != nil {
			return err
		}
		o.buckets[size] = bucket{url: url, name: name, env: []string{
			"AWS_ACCESS_KEY_ID=" + rootAccessKey, "AWS_SECRET_ACCESS_KEY=" + secret,
		}}
	}
	return nil
}

// bareOneIn is how many objects there are for each without custom metadata, as in s3sim.
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
