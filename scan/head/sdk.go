package head

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"headcount/scan/pace"
	"headcount/scan/store"
)

// metaPrefix is how the header of a custom metadatum begins.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html#UserMetadata
const metaPrefix = "x-amz-meta-"

// sdk is the engine that sends s3.Client.HeadObject: the reference, and the way for every kind of bucket and
// credentials that the SDK knows. One request is in flight for each Session.
type sdk struct {
	store   *store.Store
	gate    *pace.Gate
	timeout time.Duration // of a whole HEAD
}

func newSDK(cfg Config) *sdk {
	return &sdk{store: cfg.Store, gate: cfg.Gate, timeout: cfg.Timeout}
}

func (e *sdk) Name() string { return SDKName }

// Session returns a Session that shares the Store's connections with all others.
func (e *sdk) Session() Session {
	s := &sdkSession{engine: e}
	s.capture = store.ReadAnswer(&s3.HeadObjectOutput{}, s.read)
	return s
}

type sdkSession struct {
	engine  *sdk
	capture func(*s3.Options)
	fresh   bool
	turn    int // which endpoint is next

	result Result
	text   []byte // what result's Fields point into
}

func (s *sdkSession) Fresh() { s.fresh = true }
func (s *sdkSession) Close() {}

func (s *sdkSession) Head(ctx context.Context, batch *Batch, each func(*Result)) error {
	for i := 0; ; i++ {
		claimed := batch.Claim(1)
		if i == len(claimed) {
			return nil
		}
		if _, err := s.engine.gate.Wait(ctx, 1); err != nil {
			return err
		}
		s.head(ctx, claimed[i].Key)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		s.result.compare(&claimed[i])
		each(&s.result)
	}
}

// head sends one HEAD and leaves what became of it in s.result.
func (s *sdkSession) head(ctx context.Context, key string) {
	st := s.engine.store
	sender := st.Sender(s.turn)
	s.turn++
	s.result = Result{SentTo: sender.Region, Metadata: s.result.Metadata[:0], Headers: s.result.Headers[:0]}
	options := []func(*s3.Options){s.capture}
	if s.fresh {
		options = append(options, st.Fresh)
		s.fresh = false
	}
	ctx, cancel := context.WithTimeout(ctx, s.engine.timeout)
	defer cancel()
	_, err := sender.Client.HeadObject(ctx, &s3.HeadObjectInput{
		Bucket: aws.String(st.Bucket()), Key: aws.String(key), RequestPayer: st.RequestPayer(),
	}, options...)
	if err != nil {
		st.Failed(sender, err)
		s.result.Status, s.result.Err = 0, store.Plain(err)
	}
}

// read takes over the answer. Its header map is read here and not kept.
func (s *sdkSession) read(response *http.Response, latency time.Duration) error {
	s.result.Status, s.result.Latency, s.result.Received = response.StatusCode, latency, time.Now()
	s.text = s.text[:0]
	for name, values := range response.Header {
		field := Field{Name: s.keep(strings.ToLower(name)), Value: s.keep(joinTrimmed(values))}
		if len(field.Name) > len(metaPrefix) && string(field.Name[:len(metaPrefix)]) == metaPrefix {
			field.Name = field.Name[len(metaPrefix):]
			s.result.Metadata = append(s.result.Metadata, field)
		} else {
			s.result.Headers = append(s.result.Headers, field)
		}
	}
	s.result.sortMetadata()
	return nil
}

// joinTrimmed is the value of a header that came so often. net/http leaves a blank at the end of one whose last line is
// the empty continuation of another.
func joinTrimmed(values []string) string {
	for i := range values {
		values[i] = strings.TrimRight(values[i], " ")
	}
	return strings.Join(values, ",")
}

// keep copies text to where the Result may point until the next HEAD. When s.text grows, what points into the old
// one stays right.
func (s *sdkSession) keep(text string) []byte {
	from := len(s.text)
	s.text = append(s.text, text...)
	return s.text[from:len(s.text):len(s.text)]
}
