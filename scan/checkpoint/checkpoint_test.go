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

// aCheckpoint is one of a run that has come some way.
func aCheckpoint() *Checkpoint {
	return &Checkpoint{
		Parameters: map[string]string{"bucket": "demo", "prefix": "\xff\xfe"},
		Positions:  map[string]Position{"output": {1234, "ab", "/o"}, "errors": {0, "cd", "/e"}},
		Rest:       []list.Range{{After: "", Through: "a/b"}, {After: "a/\xff\xfe", Through: "é\u2028<"}, {After: "日本"}},
		Stats: metrics.Stats{
			Outcomes: metrics.Outcomes{Listed: 10, Emitted: 5, WithoutMetadata: 2, Gone: 2, Failed: 1}, Heads: 12, DurationSeconds: 1.5, Runs: 2,
			Requests: map[string]map[string]int64{"list": {"200": 3}, "head": {"200": 11, "503": 1}},
		},
		Latencies: []byte{0, 1, 2, 0xff},
	}
}

// What was written is read as it was, and nothing else is read at all: no cut and no flipped bit passes for a checkpoint.
func TestCheckpointIsWholeOrRefused(t *testing.T) {
	want := aCheckpoint()
	text, err := want.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if got, err := Decode(text); err != nil || !reflect.DeepEqual(got, want) {
		t.Fatalf("%v\n got %+v\nwant %+v", err, got, want)
	}
	refused := func(what string, text []byte) {
		t.Helper()
		got, err := Decode(text)
		if got != nil || !errors.As(err, new(*DecodeError)) {
			t.Fatalf("%s: %+v, %v", what, got, err)
		}
	}
	for n := range text {
		refused("cut", text[:n])
	}
	refused("longer", append(text[:len(text):len(text)], '\n'))
	for i := range 8 * len(text) { // every bit of it
		text[i/8] ^= 1 << (i % 8)
		refused("a flipped bit", text)
		text[i/8] ^= 1 << (i % 8)
	}
	rng := rand.New(rand.NewPCG(1, 1))
	for range 1000 { // and several at once
		damaged := []byte(string(text))
		for range 2 + rng.IntN(20) {
			damaged[rng.IntN(len(damaged))] ^= 1 << rng.IntN(8)
		}
		if string(damaged) != string(text) {
			refused("flipped bits", damaged)
		}
	}
}

func TestCheckpointRefusals(t *testing.T) {
	for what, text := range map[string]string{
		"it is empty":                           "",
		"it is not a checkpoint of headcount's": `{"key":"a"}` + "\n",
		"it is of a version of headcount that":  "headcount checkpoint 2 sha256 00\n{}\n",
		"it is damaged":                         header + strings.Repeat("0", 64) + "\n{}\n",
	} {
		if _, err := Decode([]byte(text)); err == nil || !strings.HasPrefix(err.Error(), what) {
			t.Errorf("%q: %v", text, err)
		}
	}
	// What a mistake of ours would leave, written whole.
	for name, change := range map[string]func(*Checkpoint){
		"overlapping":  func(c *Checkpoint) { c.Rest[1].After = "a/a" },
		"out of order": func(c *Checkpoint) { c.Rest[0], c.Rest[1] = c.Rest[1], c.Rest[0] },
		"empty":        func(c *Checkpoint) { c.Rest[1].Through = c.Rest[1].After },
		"endless":      func(c *Checkpoint) { c.Rest[1].Through = "" },
		"negative":     func(c *Checkpoint) { c.Positions["output"] = Position{Bytes: -1} },
		"unbalanced":   func(c *Checkpoint) { c.Stats.Gone++ },
		"complete":     func(c *Checkpoint) { c.Stats.Complete = true },
		"not complete": func(c *Checkpoint) { c.Rest = nil },
	} {
		c := aCheckpoint()
		change(c)
		text, err := c.Encode()
		if err != nil {
			t.Fatal(err)
		}
		if got, err := Decode(text); err == nil || !strings.HasPrefix(err.Error(), "it makes no sense") {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}

// Any keys, whatever their bytes, are the same after.
func TestCheckpointKeys(t *testing.T) {
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

// FuzzDecode gives each text as it is, and sealed: no fuzzer finds a SHA-256, and behind it the real decoding begins.
func FuzzDecode(f *testing.F) {
	text, err := aCheckpoint().Encode()
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
			if back, err := Decode(again); err != nil || !slices.Equal(back.Rest, c.Rest) || back.Stats.Outcomes != c.Stats.Outcomes {
				t.Fatalf("%v: %+v, and written again %+v", err, c, back)
			}
		}
	})
}
