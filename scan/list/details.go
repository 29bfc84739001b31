package list

import (
	"errors"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// optionalAttributes returns what a LIST asks for of each object, beside what every LIST says.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html (x-amz-optional-object-attributes)
func (l *Lister) optionalAttributes() []types.OptionalObjectAttributes {
	if !l.cfg.Details || l.noRestores.Load() {
		return nil
	}
	return []types.OptionalObjectAttributes{types.OptionalObjectAttributesRestoreStatus}
}

// refusesAttributes reports whether the answer to a LIST can mean that the store knows no optional attributes. Another
// LIST without them shows whether it does.
func refusesAttributes(err error) bool {
	var e *StoreError
	return errors.As(err, &e) && (e.Status == http.StatusNotImplemented || e.Status == http.StatusBadRequest)
}
