// Package gosdk reads the metadata of a bucket's objects as Go programs usually do: with aws-sdk-go-v2, one goroutine
// that lists, and a pool of workers that send the HEADs. It is one of the peers that bench/peers compares headcount
// with, and uses no code of headcount's.
package gosdk

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"golang.org/x/sync/errgroup"
)

// Command is the name of the command of bench/dev that calls Run. Its arguments are those of the other peers: endpoint,
// bucket, concurrency.
const Command = "gosdk"

// Config says what to read. The credentials come from the environment.
type Config struct {
	Endpoint string // URL
	Bucket   string
	Pool     int // workers, each with one HEAD in flight
}

// record is the line that is printed for an object that has metadata.
type record struct {
	Key      string            `json:"key"`
	Metadata map[string]string `json:"metadata"` // encoding/json sorts the names
}

// Run writes a JSON line for every object that has metadata. It stops at the first error.
func Run(ctx context.Context, cfg Config, stdout io.Writer) error {
	client, err := newClient(ctx, cfg)
	if err != nil {
		return err
	}
	keys := make(chan string, listMax)
	records := make(chan record, 2*cfg.Pool)
	written := make(chan error, 1)
	go func() { written <- write(stdout, records) }()

	stages, ctx := errgroup.WithContext(ctx)
	stages.Go(func() error {
		defer close(keys)
		return list(ctx, client, cfg.Bucket, keys)
	})
	for range cfg.Pool {
		stages.Go(func() error { return head(ctx, client, cfg.Bucket, keys, records) })
	}
	err = stages.Wait()
	close(records)
	if writeErr := <-written; err == nil {
		err = writeErr
	}
	return err
}

// listMax is the number of keys on a page of a LIST.
const listMax = 1000

func newClient(ctx context.Context, cfg Config) (*s3.Client, error) {
	// Keep a connection for each worker. With the default, 10, nearly every HEAD of further workers would make a new
	// connection.
	transport := awshttp.NewBuildableClient().WithTransportOptions(func(t *http.Transport) {
		t.MaxIdleConns, t.MaxIdleConnsPerHost = 0, cfg.Pool+1
	})
	loaded, err := config.LoadDefaultConfig(ctx, config.WithRegion("us-east-1"), config.WithHTTPClient(transport))
	if err != nil {
		return nil, err
	}
	return s3.NewFromConfig(loaded, func(o *s3.Options) {
		o.BaseEndpoint, o.UsePathStyle = aws.String(cfg.Endpoint), true
	}), nil
}

func list(ctx context.Context, client *s3.Client, bucket string, keys chan<- string) error {
	pages := s3.NewListObjectsV2Paginator(client, &s3.ListObjectsV2Input{Bucket: aws.String(bucket)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return err
		}
		for i := range page.Contents {
			select {
			case keys <- *page.Contents[i].Key:
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		}
	}
	return nil
}

func head(ctx context.Context, client *s3.Client, bucket string, keys <-chan string, records chan<- record) error {
	for key := range keys {
		object, err := client.HeadObject(ctx, &s3.HeadObjectInput{Bucket: aws.String(bucket), Key: aws.String(key)})
		if err != nil {
			return err
		}
		if len(object.Metadata) > 0 {
			records <- record{key, object.Metadata} // write reads until the channel is closed
		}
	}
	return nil
}

// write reads every record, even when it cannot write them.
func write(stdout io.Writer, records <-chan record) error {
	buffered := bufio.NewWriterSize(stdout, 64<<10)
	lines := json.NewEncoder(buffered)
	lines.SetEscapeHTML(false)
	var first error
	for r := range records {
		if first == nil {
			first = lines.Encode(r)
		}
	}
	if first == nil {
		first = buffered.Flush()
	}
	return first
}
