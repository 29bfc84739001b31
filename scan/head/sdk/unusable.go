package sdk

import (
	"errors"
	"net/textproto"
	"strconv"
	"strings"
	"unicode"

	"headcount/scan/fault"
)

// unusable returns a *fault.UnusableError in place of an error of net/http about a control character in a field value.
// The direct engine takes such a value (RFC 9110 §5.5 allows both). The store will send it again, so there is no use in
// another HEAD.
func unusable(err error) error {
	var protocol textproto.ProtocolError
	if !errors.As(err, &protocol) {
		return err
	}
	quoted, isLine := strings.CutPrefix(string(protocol), "malformed MIME header line: ")
	line, unquoteErr := strconv.Unquote(quoted)
	name, value, hasColon := strings.Cut(line, ":")
	if !isLine || unquoteErr != nil || !hasColon || !strings.ContainsFunc(value, unicode.IsControl) {
		return err
	}
	return &fault.UnusableError{What: "control character in the value of " + name + ", which net/http rejects"}
}
