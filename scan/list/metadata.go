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

// Custom metadata in the listing itself: MinIO answers ListObjectsV2 with metadata=true by
//
//	<Contents><Key>k</Key>…<UserMetadata><X-Amz-Meta-Owner>alice</X-Amz-Meta-Owner><content-type>…</content-type></UserMetadata>…</Contents>
//
// What was found with MinIO of 2026-02, each against the HEAD of the same object:
//
//   - The names are those of the headers, capitalized as net/http does, in an order of chance; the HEAD has them in lower case. Repeated headers are
//     joined by "," in both. Empty values are there in both.
//   - The values are the bytes that are stored. The HEAD gives only printable ASCII and tabs as they are: any other value it makes an encoded word of
//     RFC 2047, Q or B by a rule of its own, and net/http trims outer blanks. So the two agree byte for byte where a value is printable ASCII without
//     outer blanks, and else they do not.
//   - A name is written into the tag as it is, and where it is no name of XML, as a+b or a&b, the whole page is no XML. So it is where a value has a
//     control character, which comes as &#x1;. One such object in a million spoils its page of a thousand.
//   - UserMetadata is there for whoever may s3:GetObject the object, which is what the HEAD asks for, and is left out for others without an error. An
//     object without custom metadata has it too, with the content-type at least, so that absent never means none.
//   - Other stores ignore the parameter, and have no UserMetadata.
//   - An object that is encrypted by a key of the client's has it, and its HEAD is refused.
//
// So nothing is guessed: what is Exact is taken, for the rest a HEAD is sent, and a page that cannot be read is asked for again without metadata.

// Metadata is the custom metadata that a LIST gave of one object. The zero Metadata is that of an object of which it gave none.
type Metadata struct {
	Items []Item // sorted by name

	// MatchesHead is set where a HEAD has the same, by all that is known of the stores that list metadata. Without it the object has to be asked for.
	MatchesHead bool

	// Sample asks for a HEAD in spite of that, against which Items are held.
	Sample bool
}

// Item is one custom metadatum: its name in lower case and without x-amz-meta-, and its value.
type Item = xmllist.Item

// FetchMetadata asks for the metadata of one object once more, by a listing of its own.
func (l *Lister) FetchMetadata(ctx context.Context, key string) (m Metadata, ok bool, err error) {
	a, err := l.sendOnce(ctx, request{prefix: key, keysMax: 1, metadata: true})
	if err != nil {
		return Metadata{}, false, err
	}
	for _, o := range a.metadata { // what begins with the key, of which the key is the first
		if o.key == key {
			return o.metadata, true, nil
		}
	}
	return Metadata{}, false, nil
}

// listPage sends a request for a page until it is answered. Where Config.Metadata is set, it asks for metadata once, and
// again without them after any failure: the metadata may be what the store cannot list.
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

// listProbe is listPage for a page that a split can do without: the request is sent once.
func (l *Lister) listProbe(ctx context.Context, req request) (*answer, error) {
	req.metadata = l.cfg.Metadata && !l.cfg.V1
	return l.sendOnce(ctx, req)
}

// sendOnce sends one request once.
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

// askMetadata adds the parameter, before the request is signed. The SDK has no name for it.
func askMetadata(o *s3.Options) {
	o.APIOptions = append(o.APIOptions, func(stack *middleware.Stack) error {
		return stack.Serialize.Add(middleware.SerializeMiddlewareFunc("ListMetadata", func(
			ctx context.Context, in middleware.SerializeInput, next middleware.SerializeHandler,
		) (middleware.SerializeOutput, middleware.Metadata, error) {
			request, ok := in.Request.(*smithyhttp.Request)
			if !ok {
				return middleware.SerializeOutput{}, middleware.Metadata{}, fmt.Errorf("a request of another kind: %T", in.Request)
			}
			request.URL.RawQuery += "&metadata=true"
			return next.HandleSerialize(ctx, in)
		}), middleware.After)
	})
}

// keyMetadata is the metadata of an object that was listed, by its key.
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

// takeMetadata is the metadata of these entries, which are some of those listed, in the same order, and what of listed comes after them.
func takeMetadata(entries []Entry, from []keyMetadata) (metadata []Metadata, rest []keyMetadata) {
	if from == nil {
		return nil, nil
	}
	metadata = make([]Metadata, len(entries))
	for i := range entries {
		at := slices.IndexFunc(from, func(l keyMetadata) bool { return l.key == entries[i].Key }) // the first, unless some were not handed out
		if at >= 0 {
			metadata[i], from = from[at].metadata, from[at+1:]
		}
	}
	return metadata, from
}

// matchHead says whether a HEAD has these, sorted, as they are.
func matchHead(items []Item) bool {
	for i, o := range items {
		if !isExactName(o.Name) || !isExactValue(o.Value) || i > 0 && items[i-1].Name == o.Name {
			return false
		}
	}
	return true
}

// isExactName says whether a name is one of what is a name in XML and in HTTP, and has but one form in lower case.
func isExactName(name string) bool {
	for _, b := range []byte(name) {
		if !(b >= 'a' && b <= 'z' || b >= '0' && b <= '9' || b == '-' || b == '_' || b == '.') {
			return false
		}
	}
	return name != ""
}

// isExactValue says whether a value is printable ASCII without outer blanks, which a header can have as it is.
func isExactValue(value string) bool {
	for _, b := range []byte(value) {
		if b < ' ' || b > '~' {
			return false
		}
	}
	return value == "" || value[0] != ' ' && value[len(value)-1] != ' '
}
