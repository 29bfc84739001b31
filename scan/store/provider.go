package store

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/ec2rolecreds"
	"github.com/aws/aws-sdk-go-v2/credentials/endpointcreds"
	"github.com/aws/aws-sdk-go-v2/credentials/processcreds"
	"github.com/aws/aws-sdk-go-v2/credentials/ssocreds"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"

	"headcount/scan/fault"
	"headcount/scan/hint"
)

// provider is the aws.CredentialsProvider of all requests of a Store. It asks the SDK's provider, checks the keys that
// it returns, and describes its failures. Its methods may be called concurrently.
type provider struct {
	source atomic.Pointer[aws.CredentialsProvider] // of the SDK, which keeps the keys until they expire
	files  awsFiles                                // for messages
	load   loadProvider                            // nil: the keys never change

	secrets secrets // of the keys that it has returned

	fetched atomic.Bool                  // source has returned keys
	failure atomic.Pointer[fetchFailure] // the latest

	mu        sync.Mutex // held while source is replaced
	renewedAt time.Time  // when other keys were read from where fixed keys are configured
}

// fetchFailure is the result of a fetch that failed.
type fetchFailure struct {
	at  time.Time
	err *CredentialsError
}

// fetchEvery is how long the failure of a fetch is the result of others too. All workers want credentials at once.
const fetchEvery = time.Second

// loadProvider reads the configuration anew and returns the SDK's provider, which has fetched nothing yet.
type loadProvider func(context.Context) (aws.CredentialsProvider, error)

func newProvider(source aws.CredentialsProvider, files awsFiles, load loadProvider) *provider {
	p := &provider{files: files, load: load}
	p.source.Store(&source)
	return p
}

// Retrieve implements aws.CredentialsProvider. Its error is a *CredentialsError, or that of a context that was
// canceled. A fetch that ctx does not wait for continues, for the next caller. The sdk engine calls Retrieve once per
// HEAD: in the usual case it allocates nothing.
func (p *provider) Retrieve(ctx context.Context) (aws.Credentials, error) {
	if f := p.failure.Load(); f != nil && time.Since(f.at) < fetchEvery {
		return aws.Credentials{}, f.err
	}
	source := p.source.Load()
	c, err := (*source).Retrieve(ctx)
	if err != nil {
		return p.retrieveAgain(ctx, source, err)
	}
	if !p.fetched.Load() {
		p.fetched.Store(true)
	}
	return p.accept(c)
}

// accept returns the credentials as requests use them, and notes their secrets.
func (p *provider) accept(c aws.Credentials) (aws.Credentials, error) {
	c, err := clean(c)
	if err == nil {
		p.secrets.note(&c)
	}
	return c, err
}

const signalDelay = 100 * time.Millisecond

// retrieveAgain continues Retrieve after an error.
func (p *provider) retrieveAgain(
	ctx context.Context, source *aws.CredentialsProvider, err error,
) (aws.Credentials, error) {
	if p.load != nil && p.fetched.Load() && isRefusal(err) {
		// STS refused the keys that assume a role: those in the file may be others by now.
		source = p.replace(ctx, source)
		var c aws.Credentials
		if c, err = (*source).Retrieve(ctx); err == nil {
			return p.accept(c)
		}
	}
	if isInterrupted(err) { // then so is headcount, whose signal may come a moment later
		_ = fault.Sleep(ctx, signalDelay)
	}
	if errors.Is(ctx.Err(), context.Canceled) {
		return aws.Credentials{}, ctx.Err()
	}
	described := describe(err, *source, p.files)
	if ctx.Err() == nil { // a fetch that ctx does not wait for has not failed
		p.failure.Store(&fetchFailure{time.Now(), described})
	}
	return aws.Credentials{}, described
}

// replace replaces source by the provider of the present configuration, unless another caller has replaced it. It
// returns the present one.
func (p *provider) replace(ctx context.Context, source *aws.CredentialsProvider) *aws.CredentialsProvider {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.source.Load() == source {
		if fresh, err := p.load(ctx); err == nil {
			p.source.Store(&fresh)
			p.failure.Store(nil)
		}
	}
	return p.source.Load()
}

const (
	// renewalGrace is how long after a renewal requests may be answered that were signed with the former keys.
	renewalGrace = time.Minute

	// A file may be read while it is written, or a moment before.
	rereads     = 3
	rereadDelay = 300 * time.Millisecond
)

// renew makes the next Retrieve return other credentials than those that the store has refused. It reports false if
// there are no others. Temporary credentials are fetched anew by the next Retrieve. Fixed ones are read again: another
// process may have written others into the file. Those of the environment stay.
func (p *provider) renew(ctx context.Context) bool {
	if p.load == nil {
		return false
	}
	source := p.source.Load()
	before, err := (*source).Retrieve(ctx)
	switch {
	case err == nil && before.Source == config.CredentialsSourceName:
		return false
	case err != nil || before.CanExpire:
		p.replace(ctx, source)
		return true
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.renewedAt.IsZero() && time.Since(p.renewedAt) < renewalGrace {
		return true
	}
	for read := range rereads {
		if read > 0 && fault.Sleep(ctx, rereadDelay) != nil {
			return false
		}
		if p.readOthers(ctx, before) {
			p.renewedAt = time.Now()
			return true
		}
		if before.Source == processcreds.ProviderName {
			return false // once is enough: a process waits for what it must wait for
		}
	}
	return false
}

// readOthers replaces the provider by that of the present configuration, if that has other keys of the same origin. The
// caller holds p.mu.
func (p *provider) readOthers(ctx context.Context, before aws.Credentials) bool {
	fresh, err := p.load(ctx)
	// A file that is being written may have no keys: those of the machine must not take their place.
	if err != nil || !slices.Equal(sourcesOf(fresh), sourcesOf(*p.source.Load())) {
		return false
	}
	after, err := fresh.Retrieve(ctx)
	if err != nil || after.Source != before.Source || after.AccessKeyID == before.AccessKeyID &&
		after.SecretAccessKey == before.SecretAccessKey && after.SessionToken == before.SessionToken {
		return false
	}
	p.source.Store(&fresh)
	return true
}

// clean returns the credentials without the blanks and line ends around them that files, secrets of Kubernetes and
// commands add. A control character inside a key is an error: a header cannot carry it.
func clean(c aws.Credentials) (aws.Credentials, error) {
	if isPlain(c.AccessKeyID) && isPlain(c.SecretAccessKey) && isPlain(c.SessionToken) && c.HasKeys() {
		return c, nil
	}
	trimmed := c
	for _, part := range []struct {
		value *string
		name  string
	}{
		{&trimmed.AccessKeyID, "access_key_id"}, {&trimmed.SecretAccessKey, "secret_access_key"},
		{&trimmed.SessionToken, "session_token"},
	} {
		*part.value = strings.Trim(strings.TrimSpace(*part.value), "\ufeff")
		if strings.ContainsFunc(*part.value, isControl) {
			name := nameOf(part.name, c.Source)
			return aws.Credentials{}, &CredentialsError{
				reason: name + " has a control character in it", hint: "write " + name + " anew, on one line",
			}
		}
	}
	if !trimmed.HasKeys() {
		return aws.Credentials{}, &CredentialsError{
			reason: "the keys from " + sourceName(c.Source) + " are empty", hint: hint.MissingCredentials,
		}
	}
	return trimmed, nil
}

// isPlain reports whether s is of visible ASCII characters alone, as keys usually are.
func isPlain(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

func isControl(r rune) bool {
	return r < ' ' || r >= 0x7f && r < 0xa0 || r == '\u2028' || r == '\u2029'
}

// profileSource is how the Source of aws.Credentials begins that a shared configuration file has. The file's name
// follows.
const profileSource = "SharedConfigCredentials: "

// nameOf returns the name under which the user has given a part of the credentials.
func nameOf(part, source string) string {
	switch file, inFile := strings.CutPrefix(source, profileSource); {
	case inFile:
		return "aws_" + part + " in " + file
	case source == config.CredentialsSourceName:
		return "AWS_" + strings.ToUpper(part)
	}
	part = strings.ReplaceAll(strings.ReplaceAll(part, "_", " "), "id", "ID")
	return "the " + part + " from " + sourceName(source)
}

// sourceName returns the name of a Source for people.
func sourceName(source string) string {
	if file, inFile := strings.CutPrefix(source, profileSource); inFile {
		return file
	}
	switch source {
	case config.CredentialsSourceName:
		return "the environment"
	case processcreds.ProviderName:
		return string(hint.Process)
	case ec2rolecreds.ProviderName:
		return string(hint.MetadataService)
	case endpointcreds.ProviderName:
		return string(hint.ContainerAgent)
	case ssocreds.ProviderName:
		return string(hint.SingleSignOn)
	case stscreds.ProviderName, stscreds.WebIdentityProviderName:
		return string(hint.TokenService)
	}
	return "the provider"
}
