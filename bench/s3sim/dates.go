package s3sim

import "time"

// Objects were last modified in the year that begins with modifiedFirst,
// 2023-11-15T00:00:00Z.
const (
	modifiedFirst = 1_700_006_400
	modifiedDays  = 365
	daySeconds    = 24 * 3600
)

// dateTable is the text of those days, because formatting a date costs as much as
// all the rest of a line of a listing. It is immutable.
type dateTable struct {
	iso  [modifiedDays]string // "2023-11-15T"
	http [modifiedDays]string // "Wed, 15 Nov 2023 "
}

func newDateTable() *dateTable {
	c := new(dateTable)
	for day := range modifiedDays {
		at := time.Unix(modifiedFirst+int64(day)*daySeconds, 0).UTC()
		c.iso[day] = at.Format("2006-01-02T")
		c.http[day] = at.Format("Mon, 02 Jan 2006 ")
	}
	return c
}

// appendISO appends a time as LIST has it, up to its seconds. second is counted from modifiedFirst.
func (c *dateTable) appendISO(dst []byte, second int64) []byte {
	dst = append(dst, c.iso[second/daySeconds]...)
	return appendTimeOfDay(dst, second%daySeconds)
}

// appendHTTP appends a time as HEAD has it: RFC 9110 §5.6.7.
func (c *dateTable) appendHTTP(dst []byte, second int64) []byte {
	dst = append(dst, c.http[second/daySeconds]...)
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
