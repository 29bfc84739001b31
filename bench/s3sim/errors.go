package s3sim

// errorCode is the code of an S3 error.
// https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
type errorCode string

const (
	codeNone                 errorCode = ""
	codeAccessDenied         errorCode = "AccessDenied"
	codeWrongRegion          errorCode = "AuthorizationHeaderMalformed"
	codeBadRequest           errorCode = "BadRequest"
	codeExpiredToken         errorCode = "ExpiredToken"
	codeHeadTooLarge         errorCode = "RequestHeaderSectionTooLarge"
	codeInternalError        errorCode = "InternalError"
	codeInvalidAccessKeyID   errorCode = "InvalidAccessKeyId"
	codeInvalidArgument      errorCode = "InvalidArgument"
	codeInvalidRequest       errorCode = "InvalidRequest"
	codeInvalidToken         errorCode = "InvalidToken"
	codeInvalidURI           errorCode = "InvalidURI"
	codeMethodNotAllowed     errorCode = "MethodNotAllowed"
	codeNoSuchBucket         errorCode = "NoSuchBucket"
	codeNoSuchKey            errorCode = "NoSuchKey"
	codeNoSuchVersion        errorCode = "NoSuchVersion"
	codeNotImplemented       errorCode = "NotImplemented"
	codePermanentRedirect    errorCode = "PermanentRedirect"
	codeRequestTimeTooSkewed errorCode = "RequestTimeTooSkewed"
	codeSignatureMismatch    errorCode = "SignatureDoesNotMatch"
	codeSlowDown             errorCode = "SlowDown"
)

// statusAndMessage returns the HTTP status and the message of a code.
func (e errorCode) statusAndMessage() (status int, message string) {
	switch e {
	case codePermanentRedirect:
		return 301, "The bucket you are attempting to access must be addressed using the specified endpoint."
	case codeWrongRegion:
		return 400, "The authorization header is malformed, or names another region."
	case codeBadRequest:
		return 400, "An error occurred when parsing the HTTP request."
	case codeExpiredToken:
		return 400, "The provided token has expired."
	case codeHeadTooLarge:
		return 400, "Your request header section exceeds the maximum allowed size."
	case codeInvalidArgument:
		return 400, "An argument of the request is not valid."
	case codeInvalidRequest:
		return 400, "The object was stored using a form of Server Side Encryption. " +
			"The correct parameters must be provided to retrieve the object."
	case codeInvalidToken:
		return 400, "The provided token is malformed or otherwise invalid."
	case codeInvalidURI:
		return 400, "Couldn't parse the specified URI."
	case codeAccessDenied:
		return 403, "Access Denied"
	case codeInvalidAccessKeyID:
		return 403, "The AWS Access Key Id you provided does not exist in our records."
	case codeRequestTimeTooSkewed:
		return 403, "The difference between the request time and the server's time is too large."
	case codeSignatureMismatch:
		return 403, "The request signature we calculated does not match the signature you provided. " +
			"Check your key and signing method."
	case codeNoSuchBucket:
		return 404, "The specified bucket does not exist"
	case codeNoSuchKey:
		return 404, "The specified key does not exist."
	case codeNoSuchVersion:
		return 404, "The specified version does not exist."
	case codeMethodNotAllowed:
		return 405, "The specified method is not allowed against this resource."
	case codeNotImplemented:
		return 501, "A header or query you provided implies functionality that is not implemented"
	case codeSlowDown:
		return 503, "Please reduce your request rate."
	}
	return 500, "We encountered an internal error. Please try again."
}

// reason returns the reason phrase of a status line.
func reason(status int) string {
	switch status {
	case 200:
		return "OK"
	case 301:
		return "Moved Permanently"
	case 400:
		return "Bad Request"
	case 403:
		return "Forbidden"
	case 404:
		return "Not Found"
	case 405:
		return "Method Not Allowed"
	case 429:
		return "Too Many Requests"
	case 500:
		return "Internal Server Error"
	case 501:
		return "Not Implemented"
	case 502:
		return "Bad Gateway"
	case 503:
		return "Service Unavailable"
	case 504:
		return "Gateway Timeout"
	}
	return "Web Server Returned an Unknown Error" // 520, in the words of the proxies that send it
}

// fail answers with an error: an XML body, or for a HEAD the status alone.
func (c *conn) fail(r *request, op operation, code errorCode) {
	status, message := code.statusAndMessage()
	c.failAs(r, op, status, code, message)
}

// failAs is fail with another status and message than the code's.
func (c *conn) failAs(r *request, op operation, status int, code errorCode, message string) {
	c.beginHead(op, status)
	if status == 301 || code == codeWrongRegion {
		c.out = appendHeader(c.out, "x-amz-bucket-region", c.srv.options.Region)
	}
	c.out = appendHeader(c.out, "Content-Type", "application/xml")
	if string(r.method) == "HEAD" {
		c.endHeadWithoutBody(r)
		return
	}
	body := c.arena[:0]
	body = append(body, `<?xml version="1.0" encoding="UTF-8"?>`+"\n<Error><Code>"...)
	body = append(body, code...)
	body = append(body, "</Code><Message>"...)
	body = append(body, message...)
	body = append(body, "</Message>"...)
	if code == codeWrongRegion {
		body = append(body, "<Region>"...)
		body = append(appendXML(body, []byte(c.srv.options.Region)), "</Region>"...)
	}
	body = append(body, "<RequestId>"...)
	body = appendRequestID(body, c.id, c.seq)
	body = append(body, "</RequestId></Error>"...)
	c.arena = body
	c.out = appendHeaderInt(c.out, "Content-Length", int64(len(body)))
	c.endHead(r)
	c.out = append(c.out, body...)
}
