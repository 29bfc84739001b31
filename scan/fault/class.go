// Package fault says in one place what the failure of a request means: its Class, whether the same request may succeed
// later, and after which delay. It knows nothing of HEADs and LISTs: it is used for every kind of request.
//
// Class: one word for why a request failed, in statistics and error files.
// Transient: the same request may succeed later. Throttled: the store asks for fewer requests.
package fault

// Class names why a request failed, in one word that is printed in --errors and --stats. An error code of the store
// can be a Class too. The zero value is no failure.
type Class string

// Classes of requests without an answer, or without an answer that can be used. ClassOf returns them.
const (
	Canceled       Class = "canceled"
	Timeout        Class = "timeout" // StatusClass returns it too, for a 408
	Refused        Class = "refused" // nobody listens on the port
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

// LossyKey is the class of an object whose key the store lists in a form that it does not accept itself.
const LossyKey Class = "lossy_key"

// Transient reports whether the same request may succeed later. A class that stands for several statuses is transient
// if one of them is: TransientStatus is exact.
func (c Class) Transient() bool {
	switch c {
	case Canceled, Timeout, Refused, Reset, Closed, DNS, TLS, Malformed, Connection, Throttled, ServerError:
		return true
	}
	return false
}

// Unreached reports whether the store may not have seen the request: a failure that takes no time where no store
// listens. Without a limit on the rate, retries of such requests would become a storm of connections.
func (c Class) Unreached() bool {
	switch c {
	case Refused, Reset, Closed, DNS, TLS, Connection:
		return true
	}
	return false
}

// ConnClosed reports whether the other side closed the connection. On a connection that was used before, it may have
// done so before the request came.
func (c Class) ConnClosed() bool { return c == Closed || c == Reset }
