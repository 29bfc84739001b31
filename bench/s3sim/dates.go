package s3sim

import "time"

// The last-modified times of all objects lie in the year that begins with modifiedFirst, 2023-11-15T00:00:00Z.
const (
	modifiedFirst = 1_700_006_400
	modifiedDays  = 365
	daySeconds    = 24 * 3600
)

// dateTable holds the text of each day of that year, because formatting a date costs as much CPU as all the rest of an
// object in a listing. It is immutable.
type dateTable struct {
	iso [modifiedDays]string // "2023-11-15T"

	// http has a day more, for objects that were overwritten: "Wed, 15 Nov 2023 ".
	http [modifiedDays + 1]string
}

func newDateTable() *dateTable {
	t := new(dateTable)
	for day := range modifiedDays {
		at := time.Unix(modifiedFirst+int64(day)*daySeconds, 0).UTC()
		t.iso[day] = at.Format("2006-01-02T")
	}
	for day := range len(t.http) {
		at := time.Unix(modifiedFirst+int64(day)*daySeconds, 0).UTC()
		t.http[day] = at.Format("Mon, 02 Jan 2006 ")
	}
	return t
}

// appendISO appends a time in the format of LIST, without fractions of a second and zone. second counts from
// modifiedFirst.
func (t *dateTable) appendISO(dst []byte, second int64) []byte {
	dst = append(dst, t.iso[second/daySeconds]...)
	return appendTimeOfDay(dst, second%daySeconds)
}

// appendHTTP appends a time in the format of HTTP headers: RFC 9110 §5.6.7. second counts from modifiedFirst.
func (t *dateTable) appendHTTP(dst []byte, second int64) []byte {
	dst = append(dst, t.http[second/daySeconds]...)
	dst = appendTimeOfDay(dst, second%daySeconds)
	return append(dst, " GMT"...)
}

func appendTimeOfDay(dst []byte, second int64) []byte {
	h, m, s := second/3600, second/60%60, second%60
	return append(dst,
		byte('0'+h/10), byte('0'+h%10), ':',
		byte('0'+m/10), byte('0'+m%10), ':',
		byte('0'+s/10), byte('0'+s%10))
}

// httpDate is the format of Date and Last-Modified: RFC 9110 §5.6.7.
const httpDate = "Mon, 02 Jan 2006 15:04:05 GMT"

// dateCache holds the Date header's text of the current second, which thousands of responses share.
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
