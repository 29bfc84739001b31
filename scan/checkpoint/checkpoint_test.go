package checkpoint

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"headcount/scan/list"
	"headcount/scan/metrics"
)

// sample returns the Checkpoint of a run that has committed some pages.
func sample() *Checkpoint {
	return &Checkpoint{
		Parameters: map[string]string{"bucket": "demo", "prefix": "\xff\xfe"},
		Positions:  map[string]Position{"output": {1234, "ab", "/o"}, "errors": {0, "cd", "/e"}},
		Rest:       []list.Range{{Through: "a/b"}, {After: "a/\xff\xfe", Through: "é\u2028<"}, {After: "日本", AfterVersion: "v1"}},
		Stats: metrics.Stats{
			Outcomes: metrics.Outcomes{Listed: 10, Emitted: 5, WithoutMetadata: 2, Gone: 2, Failed: 1},
			Heads:    12, DurationSeconds: 1.5, Runs: 2,
			Requests: map[string]map[string]int64{"list": {"200": 3}, "head": {"200": 11, "503": 1}},
		},
		Latencies: []byte{0, 1, 2, 0xff},
	}
}

// Decode returns what Encode was given, and rejects the text with any cut and any flipped bit.
func TestDecodeRejectsDamage(t *testing.T) {
	want := sample()
	text, err := want.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if got, err := Decode(text); err != nil || !reflect.DeepEqual(got, want) {
		t.Fatalf("%v\n got %+v\nwant %+v", err, got, want)
	}
	reject := func(what string, text []byte) {
		t.Helper()
		got, err := Decode(text)
		if got != nil || !errors.As(err, new(*DecodeError)) {
			t.Fatalf("%s: %+v, %v", what, got, err)
		}
	}
	for n := range text {
		reject("cut", text[:n])
	}
	reject("longer", append(text[:len(text):len(text)], '\n'))
	for i := range 8 * len(text) { // each bit
		text[i/8] ^= 1 << (i % 8)
		reject("a flipped bit", text)
		text[i/8] ^= 1 << (i % 8)
	}
	rng := rand.New(rand.NewPCG(1, 1))
	for range 1000 { // several bits
		damaged := []byte(string(text))
		for range 2 + rng.IntN(20) {
			damaged[rng.IntN(len(damaged))] ^= 1 << rng.IntN(8)
		}
		if string(damaged) != string(text) {
			reject("flipped bits", damaged)
		}
	}
}

func TestDecodeErrors(t *testing.T) {
	for reason, text := range map[string]string{
		"the checkpoint is empty":                             "",
		"not a checkpoint of headcount":                       `{"key":"a"}` + "\n",
		"the checkpoint is damaged, or of an unknown version": "headcount checkpoint 2 sha256 00\n{}\n",
		"the checkpoint is damaged":                           header + strings.Repeat("0", 64) + "\n{}\n",
	} {
		if _, err := Decode([]byte(text)); err == nil || !strings.HasPrefix(err.Error(), reason) {
			t.Errorf("%q: %v", text, err)
		}
	}
	// Undamaged texts that only a mistake in this program would write.
	for name, change := range map[string]func(*Checkpoint){
		"overlapping":  func(c *Checkpoint) { c.Rest[1].After = "a/a" },
		"out of order": func(c *Checkpoint) { c.Rest[0], c.Rest[1] = c.Rest[1], c.Rest[0] },
		"empty":        func(c *Checkpoint) { c.Rest[1].Through = c.Rest[1].After },
		"unbounded":    func(c *Checkpoint) { c.Rest[1].Through = "" },
		"negative":     func(c *Checkpoint) { c.Positions["output"] = Position{Bytes: -1} },
		"unbalanced":   func(c *Checkpoint) { c.Stats.Gone++ },
		"complete":     func(c *Checkpoint) { c.Stats.Complete = true },
		"not complete": func(c *Checkpoint) { c.Rest = nil },
	} {
		c := sample()
		change(c)
		text, err := c.Encode()
		if err != nil {
			t.Fatal(err)
		}
		if got, err := Decode(text); err == nil || !strings.HasPrefix(err.Error(), "the checkpoint is inconsistent") {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}

// Keys of any bytes survive encoding and decoding.
func TestKeysOfAnyBytes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := &Checkpoint{Rest: []list.Range{{After: string(rapid.SliceOf(rapid.Byte()).Draw(t, "key"))}}}
		text, err := c.Encode()
		if err != nil {
			t.Fatal(err)
		}
		if got, err := Decode(text); err != nil || !reflect.DeepEqual(got.Rest, c.Rest) {
			t.Fatalf("%v: %+v, want %q", err, got, c.Rest)
		}
	})
}

// FuzzDecode decodes each text as it is, and with a valid header: no fuzzer finds a SHA-256, and only behind it the
// JSON is decoded.
func FuzzDecode(f *testing.F) {
	text, err := sample().Encode()
	if err != nil {
		f.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "\n")
	f.Add(text)
	f.Add([]byte(header))
	f.Add([]byte(rest))
	f.Add([]byte(`{"rest":[{"after":{"b64":"/w=="}}]}`))
	f.Add([]byte(`{"rest":null,"stats":{"complete":true,"listed":1,"gone":1}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		sealed := append(fmt.Appendf(nil, "%s%x\n", header, sha256.Sum256(text)), text...)
		for _, text := range [][]byte{text, sealed} {
			c, err := Decode(text)
			if err != nil {
				if c != nil || !errors.As(err, new(*DecodeError)) {
					t.Fatalf("%+v, %v", c, err)
				}
				continue
			}
			again, err := c.Encode()
			if err != nil || c.check() != nil {
				t.Fatalf("%v, %s", err, again)
			}
			back, err := Decode(again)
			if err != nil || !slices.Equal(back.Rest, c.Rest) || back.Stats.Outcomes != c.Stats.Outcomes {
				t.Fatalf("%v: %+v, and written again %+v", err, c, back)
			}
		}
	})
}
