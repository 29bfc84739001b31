package checkpoint

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"unicode/utf8"

	"headcount/scan/list"
	"headcount/scan/metrics"
)

// A checkpoint is a header line and a JSON document. The header names the version of the format and ends with the
// SHA-256 of the document. A damaged checkpoint is rejected as a whole, since one wrong bit could leave out a key for
// good.
const (
	anyHeader = "headcount checkpoint "
	header    = anyHeader + "1 sha256 "
)

// document is the JSON form of a Checkpoint.
type document struct {
	Parameters map[string]text     `json:"parameters"`
	Positions  map[string]Position `json:"positions"`
	Rest       []keyRange          `json:"rest"`
	Stats      metrics.Stats       `json:"stats"`
	Latencies  []byte              `json:"latencies"`
}

// keyRange is the JSON form of a list.Range. A missing end is the end of the bucket.
type keyRange struct {
	After        text `json:"after,omitzero"`
	AfterVersion text `json:"after_version,omitzero"`
	Through      text `json:"through,omitzero"`
}

// text is any bytes as a JSON string or, if they are not UTF-8, as {"b64": …}: encoding/json would replace such
// bytes.
type text string

func (t text) MarshalJSON() ([]byte, error) {
	if utf8.ValidString(string(t)) {
		return json.Marshal(string(t))
	}
	return json.Marshal(map[string][]byte{"b64": []byte(t)})
}

func (t *text) UnmarshalJSON(data []byte) error {
	if bytes.HasPrefix(data, []byte{'{'}) {
		var object struct{ B64 []byte }
		err := json.Unmarshal(data, &object)
		*t = text(object.B64)
		return err
	}
	return json.Unmarshal(data, (*string)(t))
}

// Encode returns c as a text for Decode, which people can read too.
func (c *Checkpoint) Encode() ([]byte, error) {
	doc := document{map[string]text{}, c.Positions, make([]keyRange, 0, len(c.Rest)), c.Stats, c.Latencies}
	for name, value := range c.Parameters {
		doc.Parameters[name] = text(value)
	}
	for _, r := range c.Rest {
		doc.Rest = append(doc.Rest, keyRange{text(r.After), text(r.AfterVersion), text(r.Through)})
	}
	body, err := json.MarshalIndent(doc, "", " ")
	if err != nil {
		return nil, err
	}
	body = append(body, '\n')
	return append(fmt.Appendf(nil, "%s%x\n", header, sha256.Sum256(body)), body...), nil
}

// DecodeError is the error of a text from which no run can resume.
type DecodeError struct{ Reason string }

func (e *DecodeError) Error() string { return e.Reason }

// Decode returns the Checkpoint that Encode made encoded of. Its error is a *DecodeError.
func Decode(encoded []byte) (*Checkpoint, error) {
	line, body, lineEnds := bytes.Cut(encoded, []byte{'\n'})
	switch {
	case len(encoded) == 0:
		return nil, &DecodeError{"the checkpoint is empty"}
	case !bytes.HasPrefix(line, []byte(anyHeader)):
		return nil, &DecodeError{"not a checkpoint of headcount"}
	case lineEnds && !bytes.HasPrefix(line, []byte(header)):
		return nil, &DecodeError{"the checkpoint is damaged, or of an unknown version of headcount"}
	case string(line) != fmt.Sprintf("%s%x", header, sha256.Sum256(body)):
		return nil, &DecodeError{"the checkpoint is damaged"}
	}
	var doc document
	if err := json.Unmarshal(body, &doc); err != nil {
		return nil, &DecodeError{"the checkpoint is damaged: " + err.Error()}
	}
	c := &Checkpoint{
		Parameters: map[string]string{}, Positions: doc.Positions, Stats: doc.Stats, Latencies: doc.Latencies,
	}
	for name, value := range doc.Parameters {
		c.Parameters[name] = string(value)
	}
	for _, r := range doc.Rest {
		c.Rest = append(c.Rest, list.Range{
			After: string(r.After), AfterVersion: string(r.AfterVersion), Through: string(r.Through),
		})
	}
	if err := c.check(); err != nil {
		return nil, &DecodeError{"the checkpoint is inconsistent: " + err.Error()}
	}
	return c, nil
}
