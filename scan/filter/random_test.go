package filter

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"headcount/scan"
	"headcount/scan/field"
	"headcount/scan/head"
	"headcount/scan/list"
)

// thing is an object as the test knows it: what a HEAD says, and what the LIST says. A nil is not said.
type thing struct {
	texts   map[string]string // by name of the Field, or of the variable
	numbers map[string]*int64
	times   map[string]*time.Time
	key     *bool // bucket_key_enabled
	meta    map[string]string
	changed bool

	listed  *thing          // with the key, etag, storage_class, size and last_modified of the LIST; the rest is the same
	hidden  map[string]bool // that the LIST does not say
	guessed bool            // the LIST does not tell the name for sure
}

// A texts is one that occurs in keys, metadata and filters. Some are the beginnings and ends of others.
func texts() []string { return []string{"", "a", "ab", "b", "Ab", "a\xff", "ba"} }

func drawThing(t *rapid.T) *thing {
	text := rapid.SampledFrom(texts())
	number := rapid.Ptr(rapid.Int64Range(0, 4), true)
	at := rapid.Map(rapid.IntRange(0, 3), func(n int) time.Time { return testNow.AddDate(0, 0, n) })
	o := &thing{
		texts: map[string]string{}, meta: map[string]string{}, hidden: map[string]bool{},
		numbers: map[string]*int64{
			"size": number.Draw(t, "size"), "tag_count": number.Draw(t, "tags"), "missing_meta": number.Draw(t, "missing"),
		},
		times: map[string]*time.Time{
			"last_modified":            rapid.Ptr(at, true).Draw(t, "modified"),
			"object_lock_retain_until": rapid.Ptr(at, true).Draw(t, "until"),
		},
		key: rapid.Ptr(rapid.Bool(), true).Draw(t, "bucket key"), changed: rapid.Bool().Draw(t, "changed"),
	}
	for _, name := range []string{"key", "etag", "storage_class", "content_type"} {
		o.texts[name] = text.Draw(t, name)
	}
	for _, name := range []string{"owner", "x-y"} {
		if rapid.Bool().Draw(t, "has "+name) {
			o.meta[name] = text.Draw(t, name)
		}
	}
	for _, name := range []string{"size", "etag", "storage_class"} {
		o.hidden[name] = rapid.IntRange(0, 4).Draw(t, "hides "+name) == 0
	}
	listed := *o
	o.listed = &listed
	if rapid.IntRange(0, 2).Draw(t, "differs") > 0 {
		return o
	}
	listed.texts, listed.numbers, listed.times = maps.Clone(o.texts), maps.Clone(o.numbers), maps.Clone(o.times)
	for _, name := range []string{"etag", "storage_class"} {
		listed.texts[name] = text.Draw(t, "listed "+name)
	}
	if o.guessed = rapid.Bool().Draw(t, "guessed"); o.guessed {
		listed.texts["key"] = text.Draw(t, "listed key")
	}
	listed.numbers["size"] = number.Draw(t, "listed size")
	listed.times["last_modified"] = rapid.Ptr(at, true).Draw(t, "listed modified")
	return o
}

// known returns the object with the values of two answers: of the first one, and where that says none, of the second.
func known(first, second *thing, changed bool) *thing {
	o := *first
	o.texts, o.numbers, o.times = maps.Clone(o.texts), maps.Clone(o.numbers), maps.Clone(o.times)
	for _, name := range []string{"etag", "storage_class"} {
		o.texts[name] = cmp.Or(o.texts[name], second.texts[name])
	}
	o.numbers["size"] = cmp.Or(o.numbers["size"], second.numbers["size"])
	if !changed { // the LIST has the exact time
		o.times["last_modified"] = cmp.Or(second.times["last_modified"], o.times["last_modified"])
	}
	return &o
}

// said returns what the LIST says.
func (o *thing) said() *thing {
	said := *o.listed
	said.texts, said.numbers = maps.Clone(said.texts), maps.Clone(said.numbers)
	for name, is := range o.hidden {
		if is {
			delete(said.texts, name)
			delete(said.numbers, name)
		}
	}
	return &said
}

// full returns the object as a Record with a HEAD has it.
func (o *thing) full() *thing { return known(o, o.said(), o.changed) }

// asListed returns the object if it is what the LIST says. Its name is the one that a HEAD tells.
func (o *thing) asListed() *thing {
	listed := known(o.said(), o, true)
	listed.texts["key"] = o.texts["key"]
	listed.times["last_modified"] = cmp.Or(listed.times["last_modified"], o.times["last_modified"])
	return listed
}

// records returns the Record of the LIST, and the one with a HEAD.
func (o *thing) records() (listed, full scan.Record) {
	said := o.said()
	entry := list.Entry{
		Key: said.texts["key"], Size: -1, ETag: said.texts["etag"], StorageClass: said.texts["storage_class"],
	}
	if n := said.numbers["size"]; n != nil {
		entry.Size = *n
	}
	if at := said.times["last_modified"]; at != nil {
		entry.LastModified = at.Format(time.RFC3339)
	}
	result := &head.Result{Status: 200}
	add := func(name, value string) {
		result.Headers = append(result.Headers, head.Header{Name: []byte(name), Value: []byte(value)})
	}
	if n := o.numbers["size"]; n != nil {
		add("content-length", strconv.FormatInt(*n, 10))
	}
	for name, header := range map[string]string{"etag": "etag", "storage_class": "x-amz-storage-class", "content_type": "content-type"} {
		if value := o.texts[name]; value != "" {
			if name == "etag" {
				value = `"` + value + `"`
			}
			add(header, value)
		}
	}
	if at := o.times["last_modified"]; at != nil {
		add("last-modified", at.Format("Mon, 02 Jan 2006 15:04:05 GMT"))
	}
	if at := o.times["object_lock_retain_until"]; at != nil {
		add("x-amz-object-lock-retain-until-date", at.Format(time.RFC3339))
	}
	for name, header := range map[string]string{"tag_count": "x-amz-tagging-count", "missing_meta": "x-amz-missing-meta"} {
		if n := o.numbers[name]; n != nil {
			add(header, strconv.FormatInt(*n, 10))
		}
	}
	if o.key != nil {
		add("x-amz-server-side-encryption-bucket-key-enabled", strconv.FormatBool(*o.key))
	}
	for _, name := range slices.Sorted(maps.Keys(o.meta)) {
		result.Metadata = append(result.Metadata, head.Header{Name: []byte(name), Value: []byte(o.meta[name])})
	}
	named := entry
	named.Key = o.texts["key"]
	return scan.NewRecord(&entry, nil, false), scan.NewRecord(&named, result, o.changed)
}

// outcome is what an expression amounts to for an object.
type outcome int8

const (
	isFalse outcome = iota
	isTrue
	fails
)

func outcomeOf(value bool) outcome {
	if value {
		return isTrue
	}
	return isFalse
}

// clause is a random expression with what the test thinks that it means.
type clause struct {
	text string
	of   func(*thing) outcome
}

// drawClause draws an expression of so many levels at most.
func drawClause(t *rapid.T, depth int) clause {
	if depth == 0 {
		return rapid.SampledFrom([]func(*rapid.T) clause{textClause, textClause, numberClause, timeClause, otherClause}).Draw(t, "kind")(t)
	}
	a := drawClause(t, depth-1)
	switch rapid.IntRange(0, 6).Draw(t, "operator") {
	case 0, 1:
		b, and := drawClause(t, depth-1), rapid.SampledFrom([]string{"&&", "and"}).Draw(t, "and")
		return clause{"(" + a.text + ") " + and + " (" + b.text + ")", func(o *thing) outcome {
			if left := a.of(o); left != isTrue {
				return left
			}
			return b.of(o)
		}}
	case 2, 3:
		b, or := drawClause(t, depth-1), rapid.SampledFrom([]string{"||", "or"}).Draw(t, "or")
		return clause{"(" + a.text + ") " + or + " (" + b.text + ")", func(o *thing) outcome {
			if left := a.of(o); left != isFalse {
				return left
			}
			return b.of(o)
		}}
	case 4, 5:
		return clause{rapid.SampledFrom([]string{"!", "not "}).Draw(t, "not") + "(" + a.text + ")", func(o *thing) outcome {
			return map[outcome]outcome{isTrue: isFalse, isFalse: isTrue, fails: fails}[a.of(o)]
		}}
	}
	b, c := drawClause(t, depth-1), drawClause(t, 0)
	return clause{"(" + c.text + ") ? (" + a.text + ") : (" + b.text + ")", func(o *thing) outcome {
		switch c.of(o) {
		case isTrue:
			return a.of(o)
		case isFalse:
			return b.of(o)
		}
		return fails
	}}
}

func textClause(t *rapid.T) clause {
	name := rapid.SampledFrom([]string{"key", "etag", "storage_class", "content_type", "metadata.owner", `metadata["x-y"]`}).Draw(t, "text")
	value := func(o *thing) string {
		switch name {
		case "metadata.owner":
			return o.meta["owner"]
		case `metadata["x-y"]`:
			return o.meta["x-y"]
		}
		return o.texts[name]
	}
	constants := []string{"", "a", "ab", "b", "Ab"}
	c, d := rapid.SampledFrom(constants).Draw(t, "constant"), rapid.SampledFrom(constants).Draw(t, "other")
	test := func(text string, holds func(string) bool) clause {
		return clause{text, func(o *thing) outcome { return outcomeOf(holds(value(o))) }}
	}
	return rapid.SampledFrom([]clause{
		test(fmt.Sprintf("%s == %q", name, c), func(v string) bool { return v == c }),
		test(fmt.Sprintf("%q != %s", c, name), func(v string) bool { return v != c }),
		test(fmt.Sprintf("%s startsWith %q", name, c), func(v string) bool { return strings.HasPrefix(v, c) }),
		test(fmt.Sprintf("%s endsWith %q", name, c), func(v string) bool { return strings.HasSuffix(v, c) }),
		test(fmt.Sprintf("%s contains %q", name, c), func(v string) bool { return strings.Contains(v, c) }),
		test(fmt.Sprintf("%s in [%q, %q]", name, c, d), func(v string) bool { return v == c || v == d }),
		test(fmt.Sprintf("%s not in [%q]", name, c), func(v string) bool { return v != c }),
		test(fmt.Sprintf(`%s matches "^%s.$"`, name, c), func(v string) bool { return regexp.MustCompile("^" + c + ".$").MatchString(v) }),
		test(fmt.Sprintf("%s < %q", name, c), func(v string) bool { return v < c }),
		test(fmt.Sprintf("%q <= %s", c, name), func(v string) bool { return c <= v }),
		test(fmt.Sprintf("lower(%s) == %q", name, c), func(v string) bool { return strings.ToLower(v) == c }),
		test(fmt.Sprintf("%s + %q == %q", name, c, d), func(v string) bool { return v+c == d }),
		test(fmt.Sprintf("let v = %s; v == %q or v == %q", name, c, d), func(v string) bool { return v == c || v == d }),
	}).Draw(t, "test")
}

// order returns the clause of a comparison of a value that may be nil.
func order(t *rapid.T, name, constant string, compare func(*thing) (int, bool)) clause {
	operator := rapid.SampledFrom([]string{"==", "!=", "<", "<=", ">", ">="}).Draw(t, "order")
	holds := map[string]func(int) bool{
		"==": func(n int) bool { return n == 0 }, "!=": func(n int) bool { return n != 0 },
		"<": func(n int) bool { return n < 0 }, "<=": func(n int) bool { return n <= 0 },
		">": func(n int) bool { return n > 0 }, ">=": func(n int) bool { return n >= 0 },
	}[operator]
	text := name + " " + operator + " " + constant
	if rapid.Bool().Draw(t, "turned") {
		turned := strings.NewReplacer("<", ">", ">", "<").Replace(operator)
		text = constant + " " + turned + " " + name
	}
	return clause{text, func(o *thing) outcome {
		n, said := compare(o)
		if !said {
			return fails
		}
		return outcomeOf(holds(n))
	}}
}

func numberClause(t *rapid.T) clause {
	name := rapid.SampledFrom([]string{"size", "tag_count", "missing_meta"}).Draw(t, "number")
	c := rapid.Int64Range(0, 4).Draw(t, "constant")
	value := func(o *thing) (int64, bool) {
		if n := o.numbers[name]; n != nil {
			return *n, true
		}
		return 0, name == "missing_meta"
	}
	constant := rapid.SampledFrom([]string{fmt.Sprint(c), fmt.Sprintf("%d.0", c), fmt.Sprintf("(%d + 1 - 1)", c)}).Draw(t, "spelling")
	switch rapid.IntRange(0, 5).Draw(t, "test") {
	case 0:
		if name != "missing_meta" {
			return clause{name + " == nil", func(o *thing) outcome { return outcomeOf(o.numbers[name] == nil) }}
		}
	case 1:
		if name != "missing_meta" {
			return clause{"(" + name + " ?? 2) == " + constant, func(o *thing) outcome {
				n, said := value(o)
				return outcomeOf(said && n == c || !said && c == 2)
			}}
		}
	case 2:
		return order(t, name+" * 2", constant, func(o *thing) (int, bool) { n, said := value(o); return cmp.Compare(n*2, c), said })
	case 3:
		return clause{fmt.Sprintf("%s in [%d, 9]", name, c), func(o *thing) outcome {
			n, said := value(o)
			if !said {
				return fails
			}
			return outcomeOf(n == c)
		}}
	}
	return order(t, name, constant, func(o *thing) (int, bool) { n, said := value(o); return cmp.Compare(n, c), said })
}

func timeClause(t *rapid.T) clause {
	name := rapid.SampledFrom([]string{"last_modified", "object_lock_retain_until"}).Draw(t, "time")
	days := rapid.IntRange(0, 3).Draw(t, "days")
	c := testNow.AddDate(0, 0, days)
	compare := func(o *thing) (int, bool) {
		if at := o.times[name]; at != nil {
			return at.Compare(c), true
		}
		return 0, false
	}
	switch rapid.IntRange(0, 3).Draw(t, "test") {
	case 0:
		return clause{name + " != nil", func(o *thing) outcome { return outcomeOf(o.times[name] != nil) }}
	case 1:
		return order(t, name+" - now()", fmt.Sprintf(`duration("%dh")`, 24*days), compare)
	}
	constant := rapid.SampledFrom([]string{
		fmt.Sprintf("date(%q)", c.Format("2006-01-02")), fmt.Sprintf(`(now() + %d * duration("24h"))`, days),
	}).Draw(t, "spelling")
	return order(t, name, constant, compare)
}

func otherClause(t *rapid.T) clause {
	return rapid.SampledFrom([]clause{
		{"bucket_key_enabled", func(o *thing) outcome {
			if o.key == nil {
				return fails
			}
			return outcomeOf(*o.key)
		}},
		{"bucket_key_enabled ?? true", func(o *thing) outcome { return outcomeOf(o.key == nil || *o.key) }},
		{"bucket_key_enabled == nil", func(o *thing) outcome { return outcomeOf(o.key == nil) }},
		{"changed", func(o *thing) outcome { return outcomeOf(o.changed) }},
		{"len(metadata) > 1", func(o *thing) outcome { return outcomeOf(len(o.meta) > 1) }},
		{`any(keys(metadata), # startsWith "x-")`, func(o *thing) outcome { _, has := o.meta["x-y"]; return outcomeOf(has) }},
		{`"owner" in metadata`, func(o *thing) outcome { _, has := o.meta["owner"]; return outcomeOf(has) }},
		{`"x-y" not in metadata`, func(o *thing) outcome { _, has := o.meta["x-y"]; return outcomeOf(!has) }},
		{"true", func(*thing) outcome { return isTrue }},
		{"false", func(*thing) outcome { return isFalse }},
	}).Draw(t, "other")
}

// constant matches the constants of an expression. The optimizer of expr makes true of "… or true", although the left
// side fails.
var constant = regexp.MustCompile(`\((true|false)\)`)

// A filter decides as its expression means, and so does the virtual machine of expr alone. The listed half refuses no
// object for which the whole expression is true, whatever the LIST leaves out. Where a HEAD says something else than
// the LIST, the expression is true neither for what the LIST says. An object without a sure name has a HEAD if the half
// reads the key.
func TestRandomFilters(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := drawClause(t, rapid.IntRange(0, 3).Draw(t, "depth"))
		f, err := compileAt(c.text, testNow)
		if err != nil {
			t.Fatalf("%s: %v", c.text, err)
		}
		half, err := compileAt(f.Listed(), testNow)
		if err != nil {
			t.Fatalf("%s: the half %s: %v", c.text, f.Listed(), err)
		}
		machine := machineOnly(t, c.text)
		for range 8 {
			o := drawThing(t)
			listed, full := o.records()
			want := c.of(o.full())
			e := newEvaluation()
			e.record = &full
			for name, got := range map[string]outcome{"whole": run(f.whole.passes(e)), "machine": run(machine(e))} {
				if folded := want == fails && constant.MatchString(c.text); got != want && !folded {
					t.Fatalf("%s: %s: %d, want %d for %+v", c.text, name, got, want, o)
				}
			}
			mayPass := f.mayPass(&listed) || o.guessed && f.Scan().ReadsKey
			passes := run(f.passes(&full))
			switch {
			case !mayPass && c.of(o.asListed()) == isTrue:
				t.Fatalf("%s: the half %s refuses %+v", c.text, f.Listed(), o)
			case passes != want && want != fails, passes == fails && !half.mayPass(&full):
				t.Fatalf("%s: %d, want %d for %+v", c.text, passes, want, o)
			}
		}
	})
}

func run(passes bool, err error) outcome {
	if err != nil {
		return fails
	}
	return outcomeOf(passes)
}

// machineOnly compiles an expression as one program.
func machineOnly(t *rapid.T, expression string) func(*evaluation) (bool, error) {
	config, words := newConfig(), newVocabulary()
	written, tree, mistake := parse(expression, config, words, testNow)
	if mistake == nil {
		mistake = check(tree, config, words)
	}
	c := &compiler{config: config, words: words, source: tree.Source}
	maps.DeleteFunc(words, func(_ string, v *variable) bool { return v.field.Origin == field.FromRequest }) // not asked for
	program := c.program(tree.Node, written, slices.Collect(maps.Keys(words)))
	if mistake != nil || c.err != nil {
		t.Fatalf("%s: %v, %v", expression, mistake, c.err)
	}
	return program
}
