// Package fault says what the failure of a request means, and what to do about it. It knows no kind of request by
// itself: HEADs, LISTs, PUTs and DELETEs use it alike.
//
// Class: one word for why a request failed, in statistics and error files.
// Failure: one request that failed, as the policy sees it.
// Transient: the same request may succeed later. Throttled: the store asks for fewer requests. Refused: the store
// answered, and the same request will be answered in the same way.
// Policy: what is done about a Failure, a Decision. Attempts: what was tried for one request so far.
// Health: since when no request of a kind has succeeded.
// Canary: a small request whose answer tells whether the store is available to these credentials.
package fault

// Class names why a request failed, in one word that is printed in --errors and --stats. Where an answer has an error
// code of S3, the code is its Class (AnswerClass). The zero value is no failure.
type Class string

// Classes of requests without an answer, or without an answer that can be used. ClassOf returns them.
const (
	Canceled       Class = "canceled"
	Timeout        Class = "timeout" // StatusClass returns it too, for a 408
	ConnRefused    Class = "refused" // nobody listens on the port
	Reset          Class = "reset"
	Closed         Class = "closed" // the other side closed the connection before the end of its answer
	DNS            Class = "dns"
	TLS            Class = "tls"
	HeaderTooLarge Class = "header_too_large"
	Malformed      Class = "malformed"     // the answer is not HTTP, or not the protocol's document
	Credentials    Class = "credentials"   // there are none to sign with
	Configuration  Class = "configuration" // the SDK rejected the request before it was sent
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
	ClockSkew    Class = "RequestTimeTooSkewed" // by the answer's Date, the SDK corrects the time in the next signature
	ExpiredToken Class = "ExpiredToken"

	// WrongDocument is an answer whose body is not the document that was asked for: a proxy's page.
	WrongDocument Class = "wrong_document"

	// ProtocolViolation is an answer that breaks the protocol of the request, as it will the next time.
	ProtocolViolation Class = "protocol_violation"

	// LossyKey is the class of an object whose key the store lists in a form that it does not accept itself.
	LossyKey Class = "lossy_key"
)

// Transient reports whether the same request may succeed later. A class that stands for several statuses, like
// ServerError, is transient only if all of them are: Failure.Transient regards the status too.
func (c Class) Transient() bool {
	switch c {
	case Canceled, Timeout, ConnRefused, Reset, Closed, DNS, TLS, Malformed, Connection, WrongDocument, Throttled:
		return true
	// Some stores refuse with a 200 or a 400 whose code says that they are only busy.
	case "SlowDown", "InternalError", "ServiceUnavailable", "RequestTimeout", "RequestTimeoutException",
		"Throttling", "TooManyRequests", "RequestLimitExceeded":
		return true
	}
	return false
}

// Unreached reports whether the store may not have seen the request: a failure that takes no time where no store
// listens. Without a limit on the rate, retries of such requests would become a storm of connections.
func (c Class) Unreached() bool {
	switch c {
	case ConnRefused, Reset, Closed, DNS, TLS, Connection:
		return true
	}
	return false
}

// ConnClosed reports whether the other side closed the connection. On a connection that was used before, it may have
// done so before the request came.
func (c Class) ConnClosed() bool { return c == Closed || c == Reset }
