package fault

import (
	"errors"
	"net/url"

	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// StripSDK returns err without the SDK's wrappers, whose texts tell a user nothing.
func StripSDK(err error) error {
	var named classed
	if errors.As(err, &named) {
		return named // an error of headcount, such as that of the credentials
	}
	var operation *smithy.OperationError
	if errors.As(err, &operation) {
		err = operation.Err
	}
	var send *smithyhttp.RequestSendError
	if errors.As(err, &send) {
		err = send.Err
	}
	var canceled *smithy.CanceledError
	if errors.As(err, &canceled) {
		err = canceled.Err
	}
	var request *url.Error // its text repeats the whole URL
	if errors.As(err, &request) {
		err = request.Err
	}
	return err
}
