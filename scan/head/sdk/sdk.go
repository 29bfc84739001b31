// Package sdk is the engine that sends HEADs by aws-sdk-go-v2.
package sdk

import (
	"context"
	"net/http"
	"net/http/httptrace"
	"strings"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"headcount/scan/fault"
	"headcount/scan/head"
	"headcount/scan/pace"
	"headcount/scan/store"
)

// sdk is the engine that sends s3.Client.HeadObject: the reference, and the way for every kind of bucket and
// credentials that the SDK knows. One request is in flight for each Session.
type engine struct {
	store   *store.Store
	limiter *pace.Limiter
	timeout time.Duration // of a whole HEAD

	sessions atomic.Int64 // that were made: they begin with different endpoints
}

// Name is the engine's name.
const Name = "sdk"

// New returns the engine. It ignores Config.Pipeline and Config.Log.
func New(cfg head.Config) head.Engine {
	return &engine{store: cfg.Store, limiter: cfg.Limiter, timeout: cfg.Timeout}
}

func (e *engine) Name() string { return Name }

// Session returns a Session that shares the Store's connections with all others.
func (e *engine) Session() head.Session {
	s := &session{engine: e, turn: int(e.sessions.Add(1)) - 1}
	s.capture = store.WithRawResponse(&s3.HeadObjectOutput{}, s.read)
	s.trace = &httptrace.ClientTrace{GotConn: s.connected}
	return s
}

type session struct {
	engine  *engine
	capture func(*s3.Options)
	trace   *httptrace.ClientTrace
	turn    int // which endpoint is next

	// Where it sends to. It stays there as a connection does, so that one that is slow gets fewer HEADs.
	endpoint    *store.Endpoint
	address     *store.Address // the endpoint's; nil: it has none yet
	avoid       *store.Address // where it is not to be; nil: anywhere
	loadChecked time.Time      // when it was last looked whether there are too many beside it
	refusals    head.RefusalStreak

	result head.Result
	text   []byte // what result's Fields point into
}

func (s *session) Close() { s.release() }

func (s *session) Head(ctx context.Context, batch *head.Batch, each func(*head.Result)) error {
	st := s.engine.store
	if batch.Avoid != nil {
		s.avoid = batch.Avoid
	}
	if now := time.Now(); s.address != nil && s.avoid == nil && now.Sub(s.loadChecked) >= head.LoadCheckInterval {
		s.loadChecked = now
		if st.Overloaded(s.address) {
			s.release()
		}
	}
	for i := 0; ; i++ {
		claimed := batch.Claim(1)
		if i == len(claimed) {
			return nil
		}
		if _, err := s.engine.limiter.Wait(ctx, 1); err != nil {
			return err
		}
		s.head(ctx, claimed[i].Key, batch.NewConn && i == 0)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		s.result.Compare(&claimed[i])
		each(&s.result)
	}
}

// head sends one HEAD and leaves what became of it in s.result.
func (s *session) head(ctx context.Context, key string, newConn bool) {
	st := s.engine.store
	s.ensureEndpoint()
	endpoint := s.endpoint
	s.result = head.Result{Address: s.address, Region: endpoint.Region, Metadata: s.result.Metadata[:0], Headers: s.result.Headers[:0]}
	options := []func(*s3.Options){s.capture}
	if newConn {
		options = append(options, st.WithNewConn)
	}
	ctx, cancel := context.WithTimeout(httptrace.WithClientTrace(ctx, s.trace), s.engine.timeout)
	defer cancel()
	_, err := endpoint.Client.HeadObject(ctx, &s3.HeadObjectInput{
		Bucket: aws.String(st.Bucket()), Key: aws.String(key), RequestPayer: st.RequestPayer(),
	}, options...)
	if err != nil {
		st.ObserveFailure(endpoint, err)
		s.result.Status, s.result.Err = 0, fault.StripSDK(err)
	}
	if (err != nil || s.refusals.ShouldLeave(s.result.Status)) && st.EndpointCount() > 1 {
		s.avoid = s.address
	}
}

// ensureEndpoint sees to it that there is an endpoint to send to: the one that there is, if it is not to be avoided.
func (s *session) ensureEndpoint() {
	st := s.engine.store
	if s.address != nil && st.IsCurrent(s.endpoint) && (s.avoid == nil || !s.address.SameEndpoint(s.avoid)) {
		s.avoid = nil
		return
	}
	s.release()
	s.endpoint = st.PickEndpoint(s.turn, s.avoid)
	s.turn++
	s.address, s.avoid, s.refusals = st.Address(s.endpoint, nil), nil, 0
	st.Acquire(s.address)
}

func (s *session) release() {
	if s.address != nil {
		s.engine.store.Release(s.address)
		s.address = nil
	}
}

// connected is told which connection a HEAD goes out on, before it does.
func (s *session) connected(info httptrace.GotConnInfo) {
	s.result.Address = s.engine.store.Address(s.endpoint, info.Conn.RemoteAddr())
	if !info.Reused {
		s.result.Address.CountOpened()
	}
}

// read takes over the answer. Its header map is read here and not kept.
func (s *session) read(response *http.Response, latency time.Duration) error {
	s.result.Status, s.result.Latency, s.result.Received = response.StatusCode, latency, time.Now()
	s.text = s.text[:0]
	for name, values := range response.Header {
		field := head.Field{Name: s.copyText(strings.ToLower(name)), Value: s.copyText(joinValuesTrimmed(values))}
		if len(field.Name) > len(head.MetadataPrefix) && string(field.Name[:len(head.MetadataPrefix)]) == head.MetadataPrefix {
			field.Name = field.Name[len(head.MetadataPrefix):]
			s.result.Metadata = append(s.result.Metadata, field)
		} else {
			s.result.Headers = append(s.result.Headers, field)
		}
	}
	head.SortFields(s.result.Metadata)
	return nil
}

// joinValuesTrimmed is the value of a header that came so often. net/http leaves a blank at the end of one whose last line is
// the empty continuation of another.
func joinValuesTrimmed(values []string) string {
	for i := range values {
		values[i] = strings.TrimRight(values[i], " ")
	}
	return strings.Join(values, ",")
}

// copyText copies text to where the Result may point until the next HEAD. When s.text grows, what points into the old
// one stays right.
func (s *session) copyText(text string) []byte {
	from := len(s.text)
	s.text = append(s.text, text...)
	return s.text[from:len(s.text):len(s.text)]
}
