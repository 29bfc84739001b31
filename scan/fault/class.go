// Package fault says what the failure of a request means, and what to do about it. It knows no kind of request by
// itself: HEADs, LISTs, PUTs and DELETEs use it alike.
//
//   - Class: one word for why a request failed, in statistics and error files.
//   - Failure: one request that failed, as the policy sees it. It is transient if the same request may succeed later.
//     It is a refusal if the store answered, and will answer the same request in the same way.
//   - Policy: decides about a Failure. The result is a Decision.
//   - Attempts: what was tried for one request so far.
//   - Health: since when no request of a kind has succeeded.
//   - Canary: sends a small request to find out whether the store is available to these credentials.
package fault

// Class names why a request failed, in one word that is printed in --errors and --stats. Where an answer has an error
// code of S3, the code is its Class (AnswerClass). The zero value is no failure.
type Class string

// Classes of requests without an answer, or without an answer that can be used. ClassOf returns them.
const (
	Canceled       Class = "canceled"
	Timeout        Class = "timeout" // StatusClass returns it too, for a 408
	ConnRefused    Class = "refused" // of a TCP connection: nobody listens on the port
	Reset          Class = "reset"
	Closed         Class = "closed" // the other side closed the connection before the end of its answer
	DNS            Class = "dns"
	TLS            Class = "tls"
	HeaderTooLarge Class = "header_too_large"
	Malformed      Class = "malformed"     // the answer is not HTTP, or not the protocol's document
	Credentials    Class = "credentials"   // there are none to sign with
	Configuration  Class = "configuration" // the SDK rejected the request before it was sent
	LocalLimit     Class = "local_limit"   // this machine has no file descriptor, port or memory for a connection
	Connection     Class = "connection"    // any other failure of the network
)

// Classes of answers with a status other than the expected one. StatusClass returns them.
const (
	Forbidden        Class = "forbidden"
	BadRequest       Class = "bad_request"
	Throttled        Class = "throttled"
	Redirect         Class = "redirect"
	ServerError      Class = "server_error"
	UnexpectedStatus Class = "unexpected_status"
)

// Classes that the policy treats in a way of their own.
// https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html#ErrorCodeList
const (
	ClockSkew    Class = "RequestTimeTooSkewed" // the answer's Date corrects the time in the next signature
	ExpiredToken Class = "ExpiredToken"

	// WrongDocument is an answer whose body is not the document that was asked for: a proxy's page.
	WrongDocument Class = "wrong_document"

	// ProtocolViolation is an answer that breaks the protocol of the request, and will break it again.
	ProtocolViolation Class = "protocol_violation"

	// NotAnObject is an answer with status 200 that is no store's answer about an object: it has no ETag.
	NotAnObject Class = "not_an_object"

	// UnlikeListing is an answer with status 200 that is about another object than the listed one, as far as ETag and
	// length tell. The object was not overwritten either: its Last-Modified is not later than the listed one.
	UnlikeListing Class = "unlike_listing"

	// ListedNotFound is the class of an object whose HEADs are answered 404, and that the store goes on listing.
	ListedNotFound Class = "listed_not_found"

	// MissedByListing is the class of an object that only a second listing has.
	MissedByListing Class = "missed_by_listing"

	// FilterFailed is the class of an object for which the user's filter cannot be evaluated.
	FilterFailed Class = "filter"

	// Gone is the class of an object that does not exist any more, or never did.
	Gone Class = "gone"

	// LossyKey is the class of an object whose key the store lists in a form that it does not accept itself.
	LossyKey Class = "lossy_key"
)

// Transient reports whether every Failure of this class is transient. The statuses of a class like ServerError differ
// in that: Failure.Transient regards the status too (TransientStatus), and is the method to ask about an answer.
func (c Class) Transient() bool {
	switch c {
	case Canceled, Timeout, ConnRefused, Reset, Closed, DNS, TLS, Malformed, LocalLimit, Connection, WrongDocument,
		Throttled:
		return true
	// Some stores send these codes with a 200 or a 400.
	case "SlowDown", "InternalError", "ServiceUnavailable", "RequestTimeout", "RequestTimeoutException",
		"Throttling", "TooManyRequests", "RequestLimitExceeded":
		return true
	}
	return false
}

// expired reports whether temporary credentials have expired.
func (c Class) expired() bool {
	return c == ExpiredToken || c == "ExpiredTokenException" || c == "TokenRefreshRequired"
}

// Unreached reports whether the store may not have seen the request. Such a failure takes no time where no store
// listens. Without a limit on the rate, retries would then open thousands of connections a second.
func (c Class) Unreached() bool {
	switch c {
	case ConnRefused, Reset, Closed, DNS, TLS, Connection:
		return true
	}
	return false
}

// ConnClosed reports whether the other side closed the connection. If the connection was used before, the other side
// may have closed it before the request came.
func (c Class) ConnClosed() bool { return c == Closed || c == Reset }
