// Package sdk is the engine that sends HEADs by s3.Client.HeadObject of aws-sdk-go-v2. It is the reference for other
// engines, and serves every kind of bucket, endpoint and credentials that the SDK knows.
//
// A session is one worker's head.Session. It sends one HEAD at a time, over a connection of its own.
package sdk

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"net/http/httptrace"
	"strings"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"headcount/scan/fault"
	"headcount/scan/head"
	"headcount/scan/list"
	"headcount/scan/pace"
	"headcount/scan/store"
)

// Name is the engine's name.
const Name = "sdk"

type engine struct {
	store    *store.Store
	limiter  *pace.Limiter
	timeout  time.Duration // of a whole HEAD
	expected *head.Expected
	log      *slog.Logger

	metadataPrefix string              // head.Config.MetadataPrefix
	headers        []func(*s3.Options) // set head.Config.Headers

	sessions  atomic.Int64 // sessions made so far; the number lets them start at different endpoints
	idsRepeat atomic.Bool  // the store gives different requests the same request ID
}

// New returns the engine. It ignores Config.Pipeline.
func New(cfg head.Config) head.Engine {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	e := &engine{
		store: cfg.Store, limiter: cfg.Limiter, timeout: cfg.Timeout, expected: cfg.Expected, log: cfg.Log,
		metadataPrefix: cfg.MetadataPrefix,
	}
	for _, h := range cfg.Headers {
		set := smithyhttp.SetHeaderValue(h.Name, h.Value)
		e.headers = append(e.headers, func(o *s3.Options) { o.APIOptions = append(o.APIOptions, set) })
	}
	return e
}

func (e *engine) Name() string { return Name }

func (e *engine) Session() head.Session {
	s := &session{engine: e, turn: int(e.sessions.Add(1)) - 1, result: new(answer), before: new(answer)}
	s.transport = e.store.SessionTransport(watch)
	s.overOwn = store.WithTransport(s.transport)
	s.capture = store.WithRawResponse(&s3.HeadObjectOutput{}, s.readAnswer)
	s.trace = &httptrace.ClientTrace{GotConn: s.onConn, GotFirstResponseByte: func() { s.connected.Store(true) }}
	return s
}

type session struct {
	engine    *engine
	capture   func(*s3.Options) // gives the answer to readAnswer
	trace     *httptrace.ClientTrace
	transport *http.Transport
	overOwn   func(*s3.Options) // sends over transport

	// Where the session sends. It stays at one endpoint, as a connection does, so that a slow endpoint gets fewer
	// HEADs.
	turn        int // index of the next endpoint, modulo the number of endpoints
	endpoint    *store.Endpoint
	address     *store.Address // of the endpoint; nil: there is none yet
	avoid       *store.Address // the next HEAD should go elsewhere; nil: it may go anywhere
	loadChecked time.Time      // time of the last check whether the endpoint is overloaded
	failures    head.FailureStreak

	// connected: the store has sent something over the connection of the present HEAD. A goroutine of net/http sets it.
	connected atomic.Bool

	batch  *head.Batch // of the last Head call
	result *answer

	// Which Results are final: see doubt.go.
	ledger  head.Ledger
	use     connUse
	left    *connUse      // a connection that was used before the last HEAD; nil: there is none
	single  bool          // the present HEAD has a connection of its own, which is not use
	before  *answer       // the last one over use that has an object
	last    *list.Entry   // the object of the last one; nil: its status was not 200, or it was not as listed
	slowest time.Duration // the longest latency of the batch
	resent  int           // HEADs sent again since the last Result
}

// answer is a Result with the memory of its Headers.
type answer struct {
	head.Result
	text    head.Texts    // of the Headers
	further []head.Header // the metadata under head.Config.MetadataPrefix
}

func (s *session) Head(ctx context.Context, batch *head.Batch, onResult func(*head.Result)) error {
	if batch.Avoid != nil {
		s.avoid = batch.Avoid
	}
	s.batch = batch
	s.leaveIfOverloaded()
	s.ledger.Begin(s.engine.store.Distrusts())
	s.slowest = 0
	for i := 0; ; i++ {
		claimed := batch.Claim(1)
		if i == len(claimed) {
			return nil
		}
		e := &claimed[i]
		if err := s.send(ctx, e, batch.NewConn && i == 0); err != nil {
			return err
		}
		if err := s.assess(ctx, e); err != nil {
			return err
		}
		s.result.Resent, s.resent = s.resent, 0
		onResult(&s.result.Result)
		s.keepAnswer(e)
	}
}

func (s *session) Close() { s.leaveEndpoint() }

// send sends one HEAD when the limiter lets it, and compares its answer with the LIST.
func (s *session) send(ctx context.Context, e *list.Entry, newConn bool) error {
	if _, err := s.engine.limiter.Wait(ctx, 1); err != nil {
		return err
	}
	s.batch.BeginSending()
	s.headObject(ctx, e, newConn)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	last := &s.use.lastAnswer
	if s.single {
		last = nil
	}
	s.result.Compare(e, s.engine.expected, last)
	return nil
}

// headObject sends one HEAD and stores its outcome in s.result.
func (s *session) headObject(ctx context.Context, e *list.Entry, newConn bool) {
	st := s.engine.store
	s.ensureEndpoint()
	endpoint := s.endpoint
	s.connected.Store(false)
	s.result.Result = head.Result{
		Address: s.address, Region: endpoint.Region, Metadata: s.result.Metadata[:0], Headers: s.result.Headers[:0],
	}
	s.single = newConn || st.ReuseDistrusted(endpoint)
	options := []func(*s3.Options){s.capture, s.overOwn}
	if s.single {
		options[1] = st.WithNewConn
	}
	options = append(options, s.engine.headers...)
	ctx, cancel := context.WithTimeout(httptrace.WithClientTrace(ctx, s.trace), s.engine.timeout)
	defer cancel()
	input := &s3.HeadObjectInput{
		Bucket: aws.String(st.Bucket()), Key: aws.String(e.Key), RequestPayer: st.RequestPayer(),
	}
	if version := e.VersionID(); version != "" {
		input.VersionId = aws.String(version)
	}
	_, err := endpoint.Client.HeadObject(ctx, input, options...)
	if err != nil {
		st.ObserveFailure(endpoint, err)
		s.result.Unconnected = !s.connected.Load()
		s.result.Status, s.result.Err = 0, unusable(fault.StripSDK(err))
	}
	if (err != nil || s.failures.ShouldLeave(s.result.Status)) && st.EndpointCount() > 1 {
		s.avoid = s.address
	}
}

// leaveIfOverloaded leaves an overloaded endpoint. It checks once in LoadCheckInterval.
func (s *session) leaveIfOverloaded() {
	now := time.Now()
	if s.address == nil || s.avoid != nil || now.Sub(s.loadChecked) < head.LoadCheckInterval {
		return
	}
	s.loadChecked = now
	if s.engine.store.Overloaded(s.address) {
		s.leaveEndpoint()
	}
}

// ensureEndpoint picks an endpoint, unless the session has a current one that is not to be avoided.
func (s *session) ensureEndpoint() {
	st := s.engine.store
	if s.address != nil && st.IsCurrent(s.endpoint) &&
		(s.avoid == nil || st.EndpointCount() == 1 || !s.address.SameEndpoint(s.avoid)) {
		s.avoid = nil
		return
	}
	s.leaveEndpoint()
	s.endpoint = st.PickEndpoint(s.turn, s.avoid)
	s.turn++
	s.address, s.avoid, s.failures = st.Address(s.endpoint, nil), nil, 0
	st.Acquire(s.address)
}

func (s *session) leaveEndpoint() {
	if s.address != nil {
		s.engine.store.Release(s.address)
		s.address = nil
	}
	s.leaveConn()
	s.transport.CloseIdleConnections()
}

// onConn sets the Result's Address to that of the connection that net/http chose.
func (s *session) onConn(info httptrace.GotConnInfo) {
	s.result.Address = s.engine.store.Address(s.endpoint, info.Conn.RemoteAddr())
	s.connected.Store(info.Reused)
	if s.result.NewConn = !info.Reused; s.result.NewConn {
		s.result.Address.CountOpened()
	}
	if !s.single {
		s.useConn(info)
	}
}

// readAnswer copies the answer into s.result.
func (s *session) readAnswer(response *http.Response, latency time.Duration) error {
	s.result.Status, s.result.Latency, s.result.Received = response.StatusCode, latency, time.Now()
	if len(response.Header) > head.FieldsMax {
		return head.ErrTooManyFields
	}
	s.result.text.Reset()
	s.result.further = s.result.further[:0]
	if !s.single && s.use.conn != nil {
		s.use.conn.idle.Store(true)
	}
	for name, values := range response.Header {
		s.addHeader(head.Header{
			Name: s.result.text.Copy(strings.ToLower(name)), Value: s.result.text.Copy(joinValues(values)),
		})
	}
	head.SortHeaders(s.result.Metadata)
	s.result.AddFurther(s.result.further)
	return nil
}

func (s *session) addHeader(h head.Header) {
	if name, ok := cutPrefix(h.Name, head.MetadataPrefix); ok {
		s.result.Metadata = append(s.result.Metadata, head.Header{Name: name, Value: h.Value})
		return
	}
	if name, ok := cutPrefix(h.Name, s.engine.metadataPrefix); ok {
		s.result.further = append(s.result.further, head.Header{Name: name, Value: h.Value})
		return
	}
	s.result.SetOtherPrefix(head.OtherPrefix(h.Name))
	s.result.Headers = append(s.result.Headers, h)
}

// cutPrefix returns the rest of a name that is longer than the prefix. No name begins with an empty prefix.
func cutPrefix(name []byte, prefix string) (rest []byte, ok bool) {
	rest, ok = bytes.CutPrefix(name, []byte(prefix))
	return rest, ok && prefix != "" && len(rest) > 0
}

// joinValues joins the values of a repeated header. net/http leaves a blank at the end of a value whose last
// continuation line is empty.
func joinValues(values []string) string {
	for i := range values {
		values[i] = strings.TrimRight(values[i], " ")
	}
	return strings.Join(values, ",")
}
