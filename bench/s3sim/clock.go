package s3sim

import "time"

// httpDate is the format of Date and Last-Modified: RFC 9110 §5.6.7.
const httpDate = "Mon, 02 Jan 2006 15:04:05 GMT"

// dateCache keeps the text of the current second, which thousands of answers share.
type dateCache struct {
	second int64
	text   []byte
}

func (c *dateCache) appendDate(dst []byte, now time.Time) []byte {
	if second := now.Unix(); second != c.second {
		c.second = second
		c.text = now.UTC().AppendFormat(c.text[:0], httpDate)
	}
	return append(dst, c.text...)
}
