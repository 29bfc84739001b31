package output

import (
	"errors"
	"io"
	"net/url"
	"strings"

	"headcount/scan"
	"headcount/scan/field"
)

const versionID = "version_id"

func s3BatchFormat() Format {
	return Format{
		Name: "s3-batch", About: "a manifest for S3 Batch Operations", Resumable: true,
		Fields: fixedFields("key", "key,"+versionID), Read: readS3Batch,
		New: func(to Destination, o *Options) (Sink, error) { return newLines(to, newS3BatchEncoder(o)), nil },
	}
}

// s3BatchEncoder writes rows of the manifest of a job: bucket and key, and the version if it is asked for. There is no
// header. Keys are percent-encoded, so that no cell needs quotes. The word null is the version of an object without
// one.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/specify-batchjob-manifest.html
type s3BatchEncoder struct {
	bucket  string       // and the comma behind it
	version *field.Field // nil: no version
}

func newS3BatchEncoder(o *Options) *s3BatchEncoder {
	e := &s3BatchEncoder{bucket: o.Bucket + ","}
	if len(o.Fields) > 1 {
		e.version = &o.Fields[1]
	}
	return e
}

func (*s3BatchEncoder) header() []byte { return nil }

func (e *s3BatchEncoder) appendLine(row []byte, r *scan.Record) ([]byte, error) {
	row = appendPercentEncoded(append(row, e.bucket...), r.Key())
	if e.version != nil {
		row = append(row, ',')
		before := len(row)
		version, _ := e.version.AppendText(row, r)
		if row = appendPercentEncoded(row, string(version[before:])); len(row) == before {
			row = append(row, "null"...)
		}
	}
	return append(row, '\n'), nil
}

// appendPercentEncoded appends text with every byte encoded but the unreserved characters and the slash.
// https://www.rfc-editor.org/rfc/rfc3986#section-2
func appendPercentEncoded(dst []byte, text string) []byte {
	const hex = "0123456789ABCDEF"
	for i := range len(text) {
		switch c := text[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', strings.IndexByte("-._~/", c) >= 0:
			dst = append(dst, c)
		default:
			dst = append(dst, '%', hex[c>>4], hex[c&0xf])
		}
	}
	return dst
}

// readS3Batch is Format.Read.
func readS3Batch(r io.Reader, _ *Options, add func(*scan.Record) error) error {
	fields, err := field.Parse("key," + versionID)
	if err != nil {
		return err
	}
	return readLines(r, '\n', func(b *recordBuilder, line string) error {
		cells := strings.Split(line, ",")
		if len(cells) < 2 || len(cells) > 3 {
			return errors.New("it is not bucket,key or bucket,key,version")
		}
		for i, cell := range cells[1:] {
			text, err := url.PathUnescape(cell)
			if err == nil {
				err = b.set(&fields[i], text)
			}
			if err != nil {
				return err
			}
		}
		return nil
	}, add)
}
