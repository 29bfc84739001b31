package store

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"

	"headcount/scan/hint"
)

// provider is the aws.CredentialsProvider of all requests of a Store. It asks the SDK's provider, checks the keys that
// it returns, and describes its failures. Its methods may be called concurrently.
type provider struct {
	source atomic.Pointer[aws.CredentialsProvider] // of the SDK, which keeps the keys until they expire
	loader *loader
}

func newProvider(source aws.CredentialsProvider, loader *loader) *provider {
	p := &provider{loader: loader}
	p.source.Store(&source)
	return p
}

// fetchTimeout bounds one call of the SDK's provider. The SDK gives a credential_process one minute.
const fetchTimeout = 65 * time.Second

// Retrieve implements aws.CredentialsProvider. Its error is a *CredentialsError, or that of a context that was
// canceled. A fetch that ctx does not wait for continues, for the next caller.
func (p *provider) Retrieve(ctx context.Context) (aws.Credentials, error) {
	source := *p.source.Load()
	waiting, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	c, err := source.Retrieve(waiting)
	switch {
	case err == nil:
		return p.clean(c)
	case errors.Is(ctx.Err(), context.Canceled):
		return aws.Credentials{}, ctx.Err()
	}
	return aws.Credentials{}, describe(err, source, p.loader.files)
}

// renew makes the next Retrieve fetch new credentials. It reports false if they would be the same.
func (p *provider) renew(ctx context.Context) bool {
	cache, ok := (*p.source.Load()).(*aws.CredentialsCache)
	if !ok {
		return false
	}
	before, err := cache.Retrieve(ctx)
	if err != nil || !before.CanExpire {
		return false
	}
	cache.Invalidate()
	return true
}

// clean returns the credentials without the blanks and line ends around them that files, secrets of Kubernetes and
// commands add. A control character inside a key is an error: a header cannot carry it.
func (p *provider) clean(c aws.Credentials) (aws.Credentials, error) {
	for _, part := range []struct {
		value *string
		name  string
	}{
		{&c.AccessKeyID, "access_key_id"}, {&c.SecretAccessKey, "secret_access_key"}, {&c.SessionToken, "session_token"},
	} {
		if isPlain(*part.value) {
			continue
		}
		*part.value = strings.Trim(strings.TrimSpace(*part.value), "\ufeff")
		if strings.ContainsFunc(*part.value, isControl) {
			name := nameOf(part.name, c.Source)
			return aws.Credentials{}, &CredentialsError{
				reason: name + " has a control character in it",
				hint:   "write " + name + " anew, on one line",
			}
		}
	}
	if c.AccessKeyID == "" || c.SecretAccessKey == "" {
		return aws.Credentials{}, &CredentialsError{
			reason: fmt.Sprintf("the keys from %s are empty", sourceName(c.Source)), hint: hint.MissingCredentials,
		}
	}
	return c, nil
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
	return "the " + strings.ReplaceAll(part, "_", " ") + " from " + sourceName(source)
}

// sourceName returns the name of a Source for people.
func sourceName(source string) string {
	if file, inFile := strings.CutPrefix(source, profileSource); inFile {
		return file
	}
	if source == config.CredentialsSourceName {
		return "the environment"
	}
	return source
}
