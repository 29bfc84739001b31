package list

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"headcount/scan/fault"
	"headcount/scan/fault/errordoc"
	"headcount/scan/list/xmllist"
	"headcount/scan/pace"
	"headcount/scan/store"
)

// Config configures a Lister. Every field but Store has a usable zero value.
type Config struct {
	Store   *store.Store
	Limiter *pace.Limiter // every LIST except a Probe waits for it; nil: unlimited
	Prefix  string        // of all keys

	// Prefixes are the prefixes of the keys that are listed, from MergePrefixes; each begins with Prefix. The Ranges are
	// those of PrefixRanges, or parts of them. There is no Delimiter, and no OrderAny. Empty: all keys are listed.
	Prefixes []string

	// Delimiter groups the keys that have it behind the Prefix: a common prefix stands for all keys up to their first
	// Delimiter. Metadata must not be set, and one Pager lists everything. Empty: every key is listed.
	Delimiter string

	// Versions lists all versions and delete markers (Entry.Details), by ListObjectVersions. Order, V1, Metadata and
	// Delimiter must not be set.
	Versions bool

	Order    Order         // in which the store lists; always OrderAny for directory buckets
	V1       bool          // send ListObjects instead of ListObjectsV2, for stores that only know this
	Metadata bool          // ask for the custom metadata of each object, which MinIO lists; ignored where V1 is set
	Details  bool          // ask for owners, checksums and restores (Entry.Details)
	Timeout  time.Duration // of a request with its answer; 0: 30 s
	RetryFor time.Duration // how long to retry while the store fails; 0: 15 min
	Log      *slog.Logger  // nil: silent

	// MayChangeOrder allows a Pager of the whole bucket to change to OrderAny by itself, as long as it has used only
	// continuation tokens and remembers the keys. Its Pages may then be Unplaced.
	MayChangeOrder bool

	// OnUnconnected is called when a LIST could have no connection for the third time in a row: others may give up one.
	// It may be nil. It is called concurrently.
	OnUnconnected func()

	// OnAttempt is called after each LIST with its status ("200", "503", or the class of a failure), and whether the
	// same request will be sent again. It may be nil. It is called concurrently.
	OnAttempt func(status string, again bool)
}

// Lister sends LIST requests, and retries those that met transient failures. It may be used concurrently.
type Lister struct {
	cfg           Config
	target        string
	seed          maphash.Seed // of the hashes of keys in Pagers
	turns         atomic.Int64 // chooses the endpoint of requests that are sent once
	policy        fault.Policy
	health        *fault.Health // of the LISTs
	serverIsMinIO atomic.Bool
	firstAnswered atomic.Int64 // Unix time of the store, with the first listing; 0: unknown
	firstKey      atomicString // of the bucket, where the store ignores start-after
	notEncoded    atomic.Bool  // the store declares that it encodes keys, and encodes nothing
	otherOrder    atomic.Bool  // a Pager changed to OrderAny
	noRestores    atomic.Bool  // the store refuses LISTs that ask for restores
	hasKeys       atomic.Bool  // a Pager's LIST has returned a key
	unconnected   atomic.Int64 // LISTs in a row that could have no connection
	fastest       fastest
	prefixEnds    []string      // of Config.Prefixes
	prefixHasKeys []atomic.Bool // for each of Config.Prefixes: a Pager's LIST has returned a key

	decoders sync.Pool // of *xmllist.Decoder

	heldMax int // versions of one key after which a Page ends inside the key; a test sets another number
}

// atomicString is a string that may be used concurrently.
type atomicString struct{ text atomic.Pointer[string] }

func (s *atomicString) Store(text string) { s.text.Store(&text) }

// Load returns an empty string where nothing was stored.
func (s *atomicString) Load() string {
	if text := s.text.Load(); text != nil {
		return *text
	}
	return ""
}

// New returns a Lister. It sends nothing.
func New(cfg Config) *Lister {
	if cfg.Timeout == 0 {
		cfg.Timeout = 30 * time.Second
	}
	if cfg.RetryFor == 0 {
		cfg.RetryFor = 15 * time.Minute
	}
	if cfg.Limiter == nil {
		cfg.Limiter = new(pace.Limiter)
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.OnUnconnected == nil {
		cfg.OnUnconnected = func() {}
	}
	if cfg.OnAttempt == nil {
		cfg.OnAttempt = func(string, bool) {}
	}
	return &Lister{
		cfg: cfg, seed: maphash.MakeSeed(), heldMax: pageKeysMax, target: "s3://" + cfg.Store.Bucket() + "/" + cfg.Prefix,
		health: fault.NewHealth("LIST"), policy: fault.RunPolicy(cfg.RetryFor, cfg.Store.EndpointCount()),
		prefixEnds: prefixEnds(cfg.Prefixes), prefixHasKeys: make([]atomic.Bool, len(cfg.Prefixes)),
	}
}

// ServerIsMinIO reports whether a LIST was answered by a store that calls itself MinIO in its Server header, and that
// may therefore list custom metadata (Config.Metadata). It may be called concurrently.
func (l *Lister) ServerIsMinIO() bool { return l.serverIsMinIO.Load() }

// answer is the listing that a LIST returned, in the store's order. A Pager has yet to compare it with the request.
type answer struct {
	xmllist.Listing
	metadata    []keyMetadata // nil: not asked for, or not given
	metadataErr error         // why the store gave no metadata
}

// request is one LIST: the keys after a key, or the page of a token.
type request struct {
	after   string
	version string // with after: behind this version of the key; empty: behind all of them
	token   string
	keysMax int

	triesMax int    // how often it is sent; 0: as often as the policy says
	prefix   string // of the keys that the request is about; empty: it is about a Range
	within   string // the prefix of the Range, of Config.Prefixes; empty: the Lister's
	metadata bool   // ask for metadata too
	versions bool   // list versions; always with Config.Versions
}

// Probe sends the request of a fault.Canary: one signed LIST of one key. If the endpoint refuses it, Probe sends one to
// each of the other endpoints. It returns nil if one of them answers with a listing, and otherwise the last error. The
// answer to a LIST names the reason of a refusal, and the answer to a HEAD does not. A Probe does not wait for the
// Limiter, since it finds out whether other requests should wait.
func (l *Lister) Probe(ctx context.Context) (err error) {
	for range l.cfg.Store.EndpointCount() {
		l.cfg.Limiter.Charge(1)
		_, err = l.sendWhereNamed(ctx, request{keysMax: 1}, int(l.turns.Add(1)))
		l.cfg.OnAttempt(statusOf(err), false)
		if !fault.IsRefused(err) {
			return err
		}
	}
	return err
}

// list sends one request until it is answered, or the retry policy ends it.
func (l *Lister) list(ctx context.Context, req request) (a *answer, err error) {
	err = l.persist(ctx, req.triesMax, l.cfg.OnAttempt, func(try int) (err error) {
		sent := time.Now()
		if a, err = l.sendWhereNamed(ctx, req, try); err == nil {
			now := time.Now()
			l.fastest.observe(now.Sub(sent), now)
		}
		return err
	})
	return a, err
}

// briefDelayMax is the longest wait before a request is sent again that is sent few times.
const briefDelayMax = 5 * time.Second

// persist calls send until it succeeds, or the retry policy ends it, or it was called triesMax times (0: no limit). It
// calls onAttempt after each try, as Config.OnAttempt.
func (l *Lister) persist(
	ctx context.Context, triesMax int, onAttempt func(status string, again bool), send func(try int) error,
) error {
	retrier := retrier{lister: l, attempts: fault.Attempts{Since: time.Now()}}
	for try := 0; ; try++ {
		asked := time.Now()
		if _, err := l.cfg.Limiter.Wait(ctx, 1); err != nil {
			return err
		}
		// The policy counts the time for which the store fails, without the wait for the Limiter.
		retrier.attempts.Since = retrier.attempts.Since.Add(time.Since(asked))
		err := send(try)
		if err == nil {
			l.cfg.Limiter.ObserveAnswers(1)
			onAttempt(statusOf(nil), false)
			l.health.OK(time.Now())
			return nil
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		next := retrier.next(ctx, err)
		if triesMax > 0 && (try+1 >= triesMax || next.Delay > briefDelayMax) {
			next = fault.Decision{Action: fault.GiveUp}
		}
		onAttempt(statusOf(err), next.Action != fault.GiveUp)
		if next.Action == fault.GiveUp {
			return err
		}
		retrier.warn(err, next.Delay)
		if err := fault.Sleep(ctx, next.Delay); err != nil {
			return err
		}
	}
}

// send sends one LIST once, to the endpoint of a turn.
func (l *Lister) send(ctx context.Context, req request, turn int) (*answer, error) {
	endpoint := l.cfg.Store.Endpoint(turn)
	a, err := l.sendTo(ctx, req, endpoint)
	if err != nil {
		l.cfg.Store.ObserveFailure(endpoint, err)
		err = l.explain(err, endpoint)
		l.observeConnection(fault.FailureOf(err))
		return nil, err
	}
	l.unconnected.Store(0)
	return a, nil
}

// sendTo sends one LIST once, to an endpoint, and again if the store refuses the first one that asks for restores. Its
// error is not explained yet.
func (l *Lister) sendTo(ctx context.Context, req request, endpoint *store.Endpoint) (*answer, error) {
	asksRestores := len(l.optionalAttributes()) > 0
	a, err := l.sendAsked(ctx, req, endpoint)
	if asksRestores && refusesAttributes(err) && !l.noRestores.Swap(true) {
		l.cfg.Log.Warn("the store does not list restores: no listed object seems to have one; scan reads them by HEADs")
		l.cfg.Limiter.Charge(1)
		return l.sendAsked(ctx, req, endpoint)
	}
	return a, err
}

func (l *Lister) sendAsked(ctx context.Context, req request, endpoint *store.Endpoint) (*answer, error) {
	ctx, cancel := context.WithTimeout(ctx, l.cfg.Timeout)
	defer cancel()
	var (
		a    *answer
		err  error
		read = func(response *http.Response, _ time.Duration) (err error) {
			a, err = l.read(response, endpoint.Region, req)
			return err
		}
	)
	if l.versions(&req) {
		err = l.sendVersions(ctx, endpoint.Client, req, store.WithRawResponse(&s3.ListObjectVersionsOutput{}, read))
	} else if l.cfg.V1 {
		err = l.sendV1(ctx, endpoint.Client, req, store.WithRawResponse(&s3.ListObjectsOutput{}, read))
	} else {
		err = l.sendV2(ctx, endpoint.Client, req, store.WithRawResponse(&s3.ListObjectsV2Output{}, read))
	}
	return a, err
}

// unconnectedMax is the number of LISTs in a row without a connection that are chance.
const unconnectedMax = 2

// observeConnection tells others by the failure of a LIST if LISTs lack a connection.
func (l *Lister) observeConnection(f fault.Failure) {
	switch {
	case f.Class == fault.LocalLimit, f.Class.Unreached():
		if l.unconnected.Add(1) > unconnectedMax {
			l.cfg.OnUnconnected()
		}
	case f.Status != 0:
		l.unconnected.Store(0)
	}
}

func (l *Lister) sendV1(ctx context.Context, client *s3.Client, req request, option func(*s3.Options)) error {
	_, err := client.ListObjects(ctx, &s3.ListObjectsInput{
		Bucket: aws.String(l.cfg.Store.Bucket()),
		Prefix: optional(l.prefixOf(&req)), Delimiter: optional(l.delimiter(&req)),
		Marker: optional(req.after), MaxKeys: aws.Int32(int32(req.keysMax)), EncodingType: types.EncodingTypeUrl,
		RequestPayer: l.cfg.Store.RequestPayer(), OptionalObjectAttributes: l.optionalAttributes(),
	}, option)
	return err
}

func (l *Lister) sendV2(ctx context.Context, client *s3.Client, req request, options ...func(*s3.Options)) error {
	input := &s3.ListObjectsV2Input{
		Bucket: aws.String(l.cfg.Store.Bucket()), Prefix: optional(l.prefixOf(&req)),
		Delimiter: optional(l.delimiter(&req)),
		MaxKeys:   aws.Int32(int32(req.keysMax)), EncodingType: types.EncodingTypeUrl,
		RequestPayer: l.cfg.Store.RequestPayer(), OptionalObjectAttributes: l.optionalAttributes(),
	}
	if l.cfg.Details {
		input.FetchOwner = aws.Bool(true)
	}
	if req.token != "" {
		input.ContinuationToken = aws.String(req.token)
	} else {
		input.StartAfter = optional(req.after)
	}
	if req.metadata {
		options = append(options, askMetadata)
	}
	_, err := client.ListObjectsV2(ctx, input, options...)
	return err
}

func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// explain adds what the error lacks: the target of one that is no answer, and the request for its hint. It masks the
// secrets that texts of the store may echo. It changes no error: that of another LIST, which has ended the run, can be
// the cause of this one.
func (l *Lister) explain(err error, endpoint *store.Endpoint) error {
	var (
		storeErr *StoreError
		broken   *ProtocolError
	)
	switch {
	case errors.As(err, &storeErr):
		explained := *storeErr
		explained.Redact(l.cfg.Store.Redact)
		explained.Request = l.cfg.Store.HintRequest(endpoint, l.cfg.Timeout)
		return &explained
	case errors.As(err, &broken):
		explained := *broken
		explained.What = l.cfg.Store.Redact(broken.What)
		explained.request = l.cfg.Store.HintRequest(endpoint, l.cfg.Timeout)
		return &explained
	}
	return &SendError{
		Target: l.target, Err: l.cfg.Store.RedactError(fault.StripSDK(err)),
		Request: l.cfg.Store.HintRequest(endpoint, l.cfg.Timeout),
	}
}

// read turns an HTTP answer into a listing, a StoreError or a ProtocolError.
func (l *Lister) read(response *http.Response, signedRegion string, req request) (*answer, error) {
	storeErr := &StoreError{
		Op: "LIST", Target: l.target, Status: response.StatusCode, SignedRegion: signedRegion,
		RequestID:    response.Header.Get("x-amz-request-id"),
		BucketRegion: response.Header.Get("x-amz-bucket-region"),
		RetryAfter:   fault.RetryAfter(response.Header.Get("Retry-After")),
		Continued:    req.token != "" && !l.cfg.V1, Versions: l.versions(&req),
	}
	if response.StatusCode != http.StatusOK {
		storeErr.Login, _, _ = strings.Cut(errordoc.Short(response.Header.Get("WWW-Authenticate")), " ")
		storeErr.Location = errordoc.Short(store.RedactURL(response.Header.Get("Location")))
		return nil, l.refused(response, storeErr, errordoc.Read(response.Body))
	}
	body := &headReader{body: response.Body}
	listing, err := l.decode(body, xmllist.Asked{
		Metadata: req.metadata, Versions: l.versions(&req), Details: l.cfg.Details,
	})
	var (
		unread   *xmllist.ReadError
		document *xmllist.ErrorDocument
	)
	switch {
	case err == nil:
		if strings.HasPrefix(response.Header.Get("Server"), "MinIO") {
			l.serverIsMinIO.Store(true)
		}
		if err := l.checkListing(listing, &req); err != nil {
			return nil, err
		}
		l.restoreKeys(listing)
		if err := l.mergePrefixes(listing, l.delimiter(&req)); err != nil {
			return nil, err
		}
		mergeMarkers(listing.Entries)
		l.noteDate(response.Header)
		return &answer{Listing: *listing, metadata: metadataOf(listing)}, nil
	case errors.As(err, &unread):
		return nil, unread
	case errors.As(err, &document):
		return nil, l.refused(response, storeErr, errordoc.Document{
			Code: document.Code, Message: document.Message, RequestID: document.RequestID,
		}.Checked())
	case errors.Is(err, xmllist.ErrTooLarge):
		return nil, &ProtocolError{Target: l.target, What: err.Error()}
	}
	return nil, l.wrongDocument(err, body.head)
}

// wrongDocument returns the error of a page that cannot be decoded. head is the beginning of the page.
func (l *Lister) wrongDocument(err error, head []byte) error {
	const buckets = "ListAllMyBucketsResult" // of a store that does not see the name of the bucket
	e := &ProtocolError{Target: l.target, What: err.Error(), root: "html", transient: true}
	switch {
	case bytes.Contains(head, []byte("<"+buckets)):
		e.root, e.transient = buckets, false
	case bytes.Contains(head, []byte("<ListBucketResult")):
		if errors.Is(err, xmllist.ErrNotListing) { // the store ignores the parameter versions
			e.root, e.transient, e.Advice = "", false, versionsHint
		}
	case !bytes.Contains(head, []byte("<ListVersionsResult")):
		if text := errordoc.Beginning(head); text != "" {
			e.What += fmt.Sprintf(" (%q)", text)
		}
	}
	return e
}

// checkListing returns a ProtocolError for a listing that says itself that keys are missing in it, or that it is of
// another prefix. The Name of the bucket shows nothing: it is another one for an access point, and for tenant:bucket.
func (l *Lister) checkListing(listing *xmllist.Listing, req *request) error {
	keys, prefix, grouped := len(listing.Entries), l.prefixOf(req), l.delimiter(req) != ""
	switch {
	case len(listing.Prefixes) > 0 && !grouped:
		what := "a page has CommonPrefixes, which stand for keys and were not asked for"
		return &ProtocolError{Target: l.target, What: what}
	case !listing.IsOf(prefix):
		// Something on the way may have sent the answer to another request.
		what := fmt.Sprintf("a page is of the prefix %q, and %q was asked for", errordoc.Short(listing.Prefix), prefix)
		return &ProtocolError{Target: l.target, What: what, transient: true}
	case listing.KeyCount == keys+len(listing.Prefixes): // as S3 counts; others count the keys alone
	case listing.KeyCount >= 0 && listing.KeyCount != keys:
		// Something on the way may have cut this page alone.
		what := fmt.Sprintf("a page has %d keys, and its KeyCount is %d", keys, listing.KeyCount)
		e := &ProtocolError{Target: l.target, What: what, transient: true}
		if !l.cfg.V1 {
			e.Advice = "try --list-objects-v1, whose pages have no KeyCount"
		}
		return e
	}
	return nil
}

// refused completes the error of an answer by what its body says.
func (l *Lister) refused(response *http.Response, e *StoreError, d errordoc.Document) error {
	e.SetDocument(d)
	if e.Code == string(fault.ClockSkew) {
		l.cfg.Store.ObserveClockRefusal(response)
	}
	return e
}

// headBytes is how much of a body is kept for a message: enough for the title of a page.
const headBytes = 2 << 10

// headReader keeps the first bytes of a body.
type headReader struct {
	body io.Reader
	head []byte
}

func (r *headReader) Read(p []byte) (int, error) {
	n, err := r.body.Read(p)
	r.head = append(r.head, p[:min(n, headBytes-len(r.head))]...)
	return n, err
}

// decode decodes a body. It reuses the Decoder of an earlier page, which has buffers.
func (l *Lister) decode(body io.Reader, asked xmllist.Asked) (*xmllist.Listing, error) {
	d, ok := l.decoders.Get().(*xmllist.Decoder)
	if !ok {
		d = new(xmllist.Decoder)
	}
	defer l.decoders.Put(d)
	return d.Decode(body, asked)
}

// statusOf returns the status under which a LIST is counted.
func statusOf(err error) string {
	var (
		storeErr *StoreError
		broken   *ProtocolError
	)
	switch {
	case err == nil:
		return "200"
	case errors.As(err, &storeErr):
		return strconv.Itoa(storeErr.Status)
	case errors.As(err, &broken):
		return string(fault.Malformed)
	}
	return string(fault.ClassOf(err))
}
