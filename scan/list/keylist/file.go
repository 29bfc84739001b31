package keylist

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"strings"
	"sync"

	"headcount/scan/exit"
	"headcount/scan/list"
)

// pageKeys is the number of keys on a Page, as in a LIST.
const pageKeys = 1000

// keyBytesMax is the length of the longest key. https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html
const keyBytesMax = 1024

// Config says what a File reads. Name and Open must be set.
type Config struct {
	Name string // for errors: the flag, and the file

	// Open opens the text, decompressed. It is called once.
	Open func() (io.ReadCloser, error)

	// Null reads keys that end in NULs. Otherwise Column reads those in the column of CSV with this title. Otherwise each
	// line is a key, or, where the first byte of the text is a brace, a JSON object with a member key.
	Null   bool
	Column string

	// Prefix begins all keys: another key is a mistake.
	Prefix string

	Prefixes bool // the keys are prefixes of keys
}

// File is a text that names keys, in any order. It is a scan.KeySource: its places are the texts of type place. A key
// that is named twice comes twice. Its errors are usage errors, and name the line. One goroutine uses it at a time, and
// another one may close it.
type File struct {
	cfg    Config
	text   *text // nil: it is not open yet
	decode decoder
	err    error // of an earlier call

	mu     sync.Mutex // guards the rest
	opened io.Closer  // nil: it is not open
	first  string     // the first key that was read
}

// New returns a File. It opens nothing.
func New(cfg Config) *File { return &File{cfg: cfg} }

// Hash identifies how the text is read. The places say what the text is.
func (f *File) Hash() string {
	switch {
	case f.cfg.Null:
		return "NUL"
	case f.cfg.Column != "":
		return "column " + f.cfg.Column
	}
	return "lines"
}

// Close closes the text. It may be called at any time.
func (f *File) Close() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.opened != nil {
		_ = f.opened.Close() // it was only read
	}
}

// Pager returns the Pages of a Range of places.
func (f *File) Pager(rng list.Range) list.PageSource { return &pager{file: f, rng: rng} }

// All returns all keys, at most so many of them. It is called in place of Pager.
func (f *File) All(ctx context.Context, max int) (keys []string, err error) {
	pages := f.Pager(list.Range{})
	for {
		page, err := pages.Next(ctx)
		if page == nil {
			return keys, err
		}
		for i := range page.Entries {
			keys = append(keys, page.Entries[i].Key)
		}
		if len(keys) > max {
			return nil, exit.Usagef("give a shorter file", "%s: it has more than %d lines", f.cfg.Name, max)
		}
	}
}

// pager hands out the Pages of one Range. The File is at the beginning of the Range, or before.
type pager struct {
	file *File
	rng  list.Range
}

// Rest implements list.PageSource.
func (p *pager) Rest() (rest list.Range, ok bool) {
	return p.rng, p.rng.After != p.rng.Through || p.rng.After == ""
}

// Next implements list.PageSource. A text may be a pipe, whose writer can wait for ever: Next ends with ctx.
func (p *pager) Next(ctx context.Context) (*list.Page, error) {
	type read struct {
		page *list.Page
		err  error
	}
	done := make(chan read, 1)
	rng := p.rng
	go func() {
		page, err := p.file.page(rng)
		done <- read{page, err}
	}()
	select {
	case r := <-done:
		if r.page != nil {
			p.rng.After = r.page.Range.Through
		}
		return r.page, r.err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// page returns the first Page of a Range; nil: the Range has no key.
func (f *File) page(rng list.Range) (*list.Page, error) {
	if f.err == nil {
		f.err = f.open()
	}
	if f.err == nil && rng.After != "" {
		f.err = f.skipTo(rng.After)
	}
	if f.err != nil {
		return nil, f.err
	}
	through := int64(math.MaxInt64)
	if rng.Through != "" {
		through = bytesOf(rng.Through)
	}
	page := &list.Page{KeysDeclared: true}
	for len(page.Entries) < pageKeys && f.text.at < through {
		e, err := f.decode(f.text)
		if err == nil {
			err = f.check(&e)
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			f.err = f.mistake(err)
			return nil, f.err
		}
		f.text.consume()
		page.Entries = append(page.Entries, e)
	}
	ends := len(page.Entries) < pageKeys || f.text.at >= through // of the Range
	if ends && rng.Through != "" && f.text.place() != rng.Through {
		f.err = f.changed(rng.Through)
		return nil, f.err
	}
	switch {
	case len(page.Entries) > 0:
		f.keepFirst(page.Entries[0].Key)
	case rng == list.Range{}: // of the whole text
		f.err = exit.Usagef(f.hint(), "%s: it has no %s", f.cfg.Name, f.nouns())
		return nil, f.err
	default:
		return nil, nil
	}
	page.Range = list.Range{After: rng.After, Through: f.text.place()}
	return page, nil
}

// keepFirst keeps the key for HintIfNoneFound, unless there is one.
func (f *File) keepFirst(key string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.first = cmp.Or(f.first, key)
}

// HintIfNoneFound returns how else the text may have to be read, where the store has none of its keys. It is empty
// where the first key does not look like another form. It may be called at any time.
func (f *File) HintIfNoneFound() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case f.cfg.Null || f.cfg.Column != "":
		return ""
	case strings.HasPrefix(f.first, "["):
		return fmt.Sprintf("is the file a JSON array? the first key is %.40q; jq -c '.[]' writes each element as a line",
			f.first)
	case strings.Contains(f.first, ","):
		return fmt.Sprintf("is the file CSV? the first key is %.40q; --keys-column NAME reads the column with that title",
			f.first)
	}
	return ""
}

// check returns an error for an entry that is no key of the scan.
func (f *File) check(e *list.Entry) error {
	switch {
	case len(e.Key) > keyBytesMax:
		return fmt.Errorf("the %s has %d bytes, and S3 allows %d", f.noun(), len(e.Key), keyBytesMax)
	case !strings.HasPrefix(e.Key, f.cfg.Prefix):
		return exit.WithHint(fmt.Errorf("the %s %q is not below the prefix %q", f.noun(), e.Key, f.cfg.Prefix),
			"name the bucket without its prefix")
	case e.CommonPrefix && !f.cfg.Prefixes:
		return exit.WithHint(fmt.Errorf("%q is a prefix, and no object", e.Key), "--prefixes FILE scans what is below it")
	}
	return nil
}

// open opens the text and finds out its form.
func (f *File) open() error {
	if f.text != nil {
		return nil
	}
	opened, err := f.cfg.Open()
	if err != nil {
		return f.unreadable(err)
	}
	f.mu.Lock()
	f.opened = opened
	f.mu.Unlock()
	f.text = newText(opened, f.cfg.Null)
	if f.decode, err = f.newDecoder(); err != nil {
		return f.mistake(err)
	}
	return nil
}

// skipTo goes on to a place, in front of which the text must be what it was.
func (f *File) skipTo(at string) error {
	if err := f.text.skip(bytesOf(at)); err != nil || f.text.place() != at {
		return f.changed(at)
	}
	return nil
}

// changed returns the error of a text that is not the one of a checkpoint.
func (f *File) changed(at string) error {
	return exit.Usagef(
		"give the file of the first run; to start over, remove the checkpoint and leave --resume out",
		"%s: its first %d bytes are not those that an earlier run has read", f.cfg.Name, bytesOf(at))
}

// mistake returns the usage error about the record that is read next, or about the file where that cannot be read.
func (f *File) mistake(err error) error {
	if errors.As(err, new(*fs.PathError)) {
		return f.unreadable(err)
	}
	hint := exit.Hint(err)
	if hint == "" {
		hint = f.hint()
	}
	return exit.Usagef(hint, "%s: %s %d: %v", f.cfg.Name, f.text.unit(), f.text.records+1, err)
}

func (f *File) unreadable(err error) error {
	return exit.Usagef("name a file that can be read", "%s: %v", f.cfg.Name, exit.WithoutPath(err))
}

// noun names what the File reads.
func (f *File) noun() string {
	if f.cfg.Prefixes {
		return "prefix"
	}
	return "key"
}

// nouns is the plural of noun.
func (f *File) nouns() string {
	if f.cfg.Prefixes {
		return "prefixes"
	}
	return "keys"
}

// hint says what the File reads.
func (f *File) hint() string {
	switch {
	case f.cfg.Prefixes:
		return `a line is a prefix, or JSON as {"key":"a/b/"}`
	case f.cfg.Null:
		return "with -0 each key ends in a NUL, as find -print0 and --format keys -0 write it"
	case f.cfg.Column != "":
		return "--keys-column NAME reads CSV whose first line has the titles, one of which is NAME"
	}
	return `a line is a key, or JSON as {"key":"a/b"}; -0 reads keys that end in NULs, and --keys-column NAME reads CSV`
}
