// Package checkpoint is the text in which a run says how far it has come, and from which another run goes on.
package checkpoint

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"unicode/utf8"

	"headcount/scan/list"
	"headcount/scan/metrics"
)

// Checkpoint is where a run stands: what another one needs to go on. It is made by the goroutine that commits, between two pages, so
// its parts agree.
type Checkpoint struct {
	// Parameters are what the result depends on: a run with others cannot go on with it.
	Parameters map[string]string

	// Positions are how far the files are written that the Checkpoint speaks of, by what they are for.
	Positions map[string]Position

	Rest      []list.Range  // not committed yet, in the order of keys; none: the run is complete
	Stats     metrics.Stats // of all that is committed, by this run and those before it
	Latencies []byte        // of its HEADs, as HdrHistogram encodes them
}

// Position is a place in a file, and what lies before it.
type Position struct {
	Bytes int64  `json:"bytes"`
	Tail  string `json:"tail"` // a hash of the last bytes before it, by which the file is known again
	Path  string `json:"path"` // of the file, by which it is known where nothing lies before it
}

// The names of the two sinks in Checkpoint.Positions.
const (
	PositionOutput = "output"
	PositionErrors = "errors"
)

// DecodeError is a text from which no run can go on.
type DecodeError struct{ Reason string }

func (e *DecodeError) Error() string { return e.Reason }

// header begins a checkpoint, with the version of its format. The hash of all that follows the first line ends that
// line: a checkpoint in which one bit is not as it was written is refused, since a key that it leaves out would be missing for good.
const header = "headcount checkpoint 1 sha256 "

// checkpointBody is a Checkpoint as it is written.
type checkpointBody struct {
	Parameters map[string]keyText  `json:"parameters"`
	Positions  map[string]Position `json:"positions"`
	Rest       []rangeBody         `json:"rest"`
	Stats      metrics.Stats       `json:"stats"`
	Latencies  []byte              `json:"latencies"`
}

// rangeBody is a Range; an end that is not said is the bucket's.
type rangeBody struct {
	After   keyText `json:"after,omitzero"`
	Through keyText `json:"through,omitzero"`
}

// keyText is a key as a string, or where it is not UTF-8 as {"b64": …}.
type keyText string

func (k keyText) MarshalJSON() ([]byte, error) {
	if utf8.ValidString(string(k)) {
		return json.Marshal(string(k))
	}
	return json.Marshal(map[string][]byte{"b64": []byte(k)})
}

func (k *keyText) UnmarshalJSON(text []byte) error {
	if bytes.HasPrefix(text, []byte{'{'}) {
		var b struct{ B64 []byte }
		err := json.Unmarshal(text, &b)
		*k = keyText(b.B64)
		return err
	}
	return json.Unmarshal(text, (*string)(k))
}

// Encode is the Checkpoint as a text for Decode, and for people.
func (c *Checkpoint) Encode() ([]byte, error) {
	b := checkpointBody{map[string]keyText{}, c.Positions, make([]rangeBody, 0, len(c.Rest)), c.Stats, c.Latencies}
	for name, value := range c.Parameters {
		b.Parameters[name] = keyText(value)
	}
	for _, r := range c.Rest {
		b.Rest = append(b.Rest, rangeBody{keyText(r.After), keyText(r.Through)})
	}
	text, err := json.MarshalIndent(b, "", " ")
	if err != nil {
		return nil, err
	}
	text = append(text, '\n')
	return append(fmt.Appendf(nil, "%s%x\n", header, sha256.Sum256(text)), text...), nil
}

// Decode reads what Encode has written, whole and unchanged. Its error is a DecodeError.
func Decode(text []byte) (*Checkpoint, error) {
	const anyVersion = "headcount checkpoint "
	line, rest, isLine := bytes.Cut(text, []byte{'\n'})
	switch {
	case len(text) == 0:
		return nil, &DecodeError{"it is empty"}
	case !bytes.HasPrefix(line, []byte(anyVersion)):
		return nil, &DecodeError{"it is not a checkpoint of headcount's"}
	case isLine && !bytes.HasPrefix(line, []byte(header)):
		return nil, &DecodeError{"it is of a version of headcount that this one does not know, or damaged"}
	case string(line) != fmt.Sprintf("%s%x", header, sha256.Sum256(rest)):
		return nil, &DecodeError{"it is damaged"}
	}
	var b checkpointBody
	if err := json.Unmarshal(rest, &b); err != nil {
		return nil, &DecodeError{"it is damaged: " + err.Error()}
	}
	c := &Checkpoint{Parameters: map[string]string{}, Positions: b.Positions, Stats: b.Stats, Latencies: b.Latencies}
	for name, value := range b.Parameters {
		c.Parameters[name] = string(value)
	}
	for _, r := range b.Rest {
		c.Rest = append(c.Rest, list.Range{After: string(r.After), Through: string(r.Through)})
	}
	if err := c.check(); err != nil {
		return nil, &DecodeError{"it makes no sense: " + err.Error()}
	}
	return c, nil
}

// check says what no run can have left so.
func (c *Checkpoint) check() error {
	for i, r := range c.Rest {
		if r.Through != "" && r.Through <= r.After || i > 0 && (c.Rest[i-1].Through == "" || c.Rest[i-1].Through > r.After) {
			return errors.New("its Ranges overlap")
		}
	}
	for _, at := range c.Positions {
		if at.Bytes < 0 {
			return errors.New("a file ends before it begins")
		}
	}
	if !c.Stats.Balanced() || c.Stats.Complete != (len(c.Rest) == 0) {
		return errors.New("its account does not balance")
	}
	return nil
}
