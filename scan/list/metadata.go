package list

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"headcount/scan/list/xmllist"
)

// Custom metadata in the listing: MinIO answers ListObjectsV2 with metadata=true by
//
//	<Contents><Key>k</Key>…<UserMetadata><X-Amz-Meta-Owner>alice</X-Amz-Meta-Owner><content-type>…</content-type>
//	</UserMetadata>…</Contents>
//
// MinIO of 2026-02 was compared with its own HEADs of the same objects:
//
//   - Names are those of the headers, capitalized as net/http does, in random order. A HEAD has them in lower case.
//     Both join repeated headers by ",". Both have empty values.
//   - Values are the stored bytes. A HEAD has only printable ASCII and tabs as they are. It turns any other value into
//     an encoded word of RFC 2047, Q or B by a rule of its own, and net/http trims outer blanks. So the two agree byte
//     for byte where a value is printable ASCII without outer blanks, and differ otherwise.
//   - A name is written into the tag as it is. Where it is no XML name, as a+b or a&b, the whole page is not XML. The
//     same happens with a control character in a value, which is written as &#x1;. One such object in a million spoils
//     its page of a thousand.
//   - UserMetadata is listed to callers that may s3:GetObject the object, as a HEAD requires. For others it is left
//     out without an error. An object without custom metadata has it too, with at least the content-type. So its
//     absence never means that there is no metadata.
//   - Other stores ignore the parameter, and write no UserMetadata.
//   - An object that is encrypted with a key of the client has UserMetadata. A HEAD without that key is refused.
//
// So only metadata with MatchesHead is used. The other objects get a HEAD, and a page that cannot be read is listed
// again without metadata.

// Metadata is the custom metadata of one object in a LIST. The zero Metadata means that the LIST gave none.
type Metadata struct {
	Items []Item // sorted by name

	// MatchesHead is set where a HEAD would have the same Items, by the rules above. Otherwise the object needs a HEAD.
	MatchesHead bool

	// Sample asks for a HEAD in spite of MatchesHead, with which Items are compared.
	Sample bool
}

// Item is one custom metadatum: its name in lower case without x-amz-meta-, and its value.
type Item = xmllist.Item

// FetchMetadata lists the metadata of one object again, in a LIST of its own that is sent once. ok is false where the
// object is gone.
func (l *Lister) FetchMetadata(ctx context.Context, key string) (m Metadata, ok bool, err error) {
	a, err := l.sendOnce(ctx, request{prefix: key, keysMax: 1, metadata: true})
	if err != nil {
		return Metadata{}, false, err
	}
	for _, o := range a.metadata { // the first key with the prefix is the key itself
		if o.key == key {
			return o.metadata, true, nil
		}
	}
	return Metadata{}, false, nil
}

// listPage sends a request for a page until it is answered. Where Config.Metadata is set, it asks for metadata once.
// After any failure it lists without metadata, which may be the reason.
func (l *Lister) listPage(ctx context.Context, req request) (*answer, error) {
	if !l.cfg.Metadata || l.cfg.V1 {
		return l.list(ctx, req)
	}
	var plain *answer
	if !l.health.EverOK() { // the first contact may take several tries, for example to find the region
		var err error
		if plain, err = l.list(ctx, req); err != nil || len(plain.Entries) == 0 {
			return plain, err
		}
	}
	withMetadata := req
	withMetadata.metadata = true
	full, failure := l.sendOnce(ctx, withMetadata)
	switch {
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case failure == nil:
		return full, nil
	}
	l.cfg.Log.Debug("a LIST with metadata failed, trying without metadata", "error", failure)
	if plain == nil {
		var err error
		if plain, err = l.list(ctx, req); err != nil {
			return nil, err
		}
	}
	plain.metadataErr = failure
	return plain, nil
}

// listOnce sends a request once, for the page of an upperPart.
func (l *Lister) listOnce(ctx context.Context, req request) (*answer, error) {
	req.metadata = l.cfg.Metadata && !l.cfg.V1
	return l.sendOnce(ctx, req)
}

// sendOnce sends a request once.
func (l *Lister) sendOnce(ctx context.Context, req request) (*answer, error) {
	if _, err := l.cfg.Limiter.Wait(ctx, 1); err != nil {
		return nil, err
	}
	a, err := l.send(ctx, req, int(l.turns.Add(1)))
	if err == nil {
		l.cfg.Limiter.ObserveAnswers(1)
		l.health.OK(time.Now())
	}
	l.cfg.OnAttempt(statusOf(err), err != nil && req.prefix == "")
	return a, err
}

// askMetadata adds the parameter before the request is signed. The SDK has no name for it.
func askMetadata(o *s3.Options) {
	o.APIOptions = append(o.APIOptions, func(stack *middleware.Stack) error {
		return stack.Serialize.Add(middleware.SerializeMiddlewareFunc("ListMetadata", func(
			ctx context.Context, in middleware.SerializeInput, next middleware.SerializeHandler,
		) (middleware.SerializeOutput, middleware.Metadata, error) {
			request, ok := in.Request.(*smithyhttp.Request)
			if !ok {
				err := fmt.Errorf("unexpected type of request %T", in.Request)
				return middleware.SerializeOutput{}, middleware.Metadata{}, err
			}
			request.URL.RawQuery += "&metadata=true"
			return next.HandleSerialize(ctx, in)
		}), middleware.After)
	})
}

// keyMetadata is the metadata of one listed object, with its key.
type keyMetadata struct {
	key      string
	metadata Metadata
}

// metadataOf returns the metadata of the objects of a listing, nil where it was not asked for.
func metadataOf(l *xmllist.Listing) []keyMetadata {
	if l.Metadata == nil {
		return nil
	}
	all := make([]keyMetadata, len(l.Entries))
	for i, m := range l.Metadata {
		matches := m.Items != nil && !m.CustomerKey && matchHead(m.Items)
		all[i] = keyMetadata{l.Entries[i].Key, Metadata{Items: m.Items, MatchesHead: matches}}
	}
	return all
}

// takeMetadata returns the metadata of entries, and the rest of from. The entries are some of those in from, in the
// same order.
func takeMetadata(entries []Entry, from []keyMetadata) (metadata []Metadata, rest []keyMetadata) {
	if from == nil {
		return nil, nil
	}
	metadata = make([]Metadata, len(entries))
	for i := range entries {
		at := slices.IndexFunc(from, func(l keyMetadata) bool { return l.key == entries[i].Key })
		if at >= 0 {
			metadata[i], from = from[at].metadata, from[at+1:]
		}
	}
	return metadata, from
}

// matchHead reports whether a HEAD has the same items. They are sorted.
func matchHead(items []Item) bool {
	for i, o := range items {
		if !isExactName(o.Name) || !isExactValue(o.Value) || i > 0 && items[i-1].Name == o.Name {
			return false
		}
	}
	return true
}

// isExactName reports whether name is a name in XML and in HTTP, and has only one form in lower case.
func isExactName(name string) bool {
	for _, b := range []byte(name) {
		if !(b >= 'a' && b <= 'z' || b >= '0' && b <= '9' || b == '-' || b == '_' || b == '.') {
			return false
		}
	}
	return name != ""
}

// isExactValue reports whether value is printable ASCII without outer blanks: a header has it as it is.
func isExactValue(value string) bool {
	for _, b := range []byte(value) {
		if b < ' ' || b > '~' {
			return false
		}
	}
	return value == "" || value[0] != ' ' && value[len(value)-1] != ' '
}
