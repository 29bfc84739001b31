package inventory

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"headcount/scan/list"
)

// Config says which Inventory is opened.
type Config struct {
	Fetch    Fetch
	Manifest string // the key, or the name, of its manifest.json
	Bucket   string // the bucket that it has to be of
	Prefix   string // of the keys that are handed out

	// Versions hands out old versions and delete markers too, each Entry with its version. Otherwise the Entries are those
	// that a listing of the bucket had at the time.
	Versions bool
}

// Inventory is an open Inventory. It is a scan.KeySource.
type Inventory struct {
	cfg      Config
	manifest *manifest
	ahead    *fetched // the next file; nil: none is being fetched
	pager    *pager   // the last one; its Range may not be read to its end
}

// Open reads the manifest. Its error is an *Error, or that of Config.Fetch.
func Open(ctx context.Context, cfg Config) (*Inventory, error) {
	m, err := readManifest(ctx, cfg.Fetch, cfg.Manifest)
	if err != nil {
		return nil, err
	}
	wrong := func(advice, format string, args ...any) (*Inventory, error) {
		return nil, &Error{File: cfg.Manifest, What: fmt.Sprintf(format, args...), Advice: advice}
	}
	switch {
	case m.SourceBucket != cfg.Bucket:
		return wrong("scan that bucket, or name an Inventory of this one",
			"it is of the bucket %s, and not of %s", m.SourceBucket, cfg.Bucket)
	case cfg.Versions && !m.has(versionColumn):
		return wrong("configure an Inventory of all versions, or leave --all-versions out",
			"it has current versions alone: no column VersionId")
	case m.has(versionColumn) && (!m.has(latestColumn) || !m.has(markerColumn)):
		return wrong("", "it has versions, and no columns IsLatest and IsDeleteMarker")
	}
	return &Inventory{cfg: cfg, manifest: m}, nil
}

// Created returns when AWS began to read the bucket.
func (inv *Inventory) Created() time.Time { return inv.manifest.created }

// Fields returns the names of the Fields (package field) that the Inventory has a column for.
func (inv *Inventory) Fields() (names []string) {
	columns := knownColumns()
	for _, c := range inv.manifest.columns {
		names = append(names, columns[c].fields...)
	}
	return names
}

// AllFields returns the names of the Fields that any Inventory can have a column for.
func AllFields() (names []string) {
	for _, c := range knownColumns() {
		names = append(names, c.fields...)
	}
	return names
}

// Hash implements scan.KeySource. It is of the manifest, which has the checksums of all files.
func (inv *Inventory) Hash() string { return inv.manifest.hash }

// Close closes the files. No Pager may be in use.
func (inv *Inventory) Close() {
	inv.ahead.close()
	if inv.pager != nil {
		inv.pager.close()
	}
}

// Pager implements scan.KeySource.
func (inv *Inventory) Pager(rng list.Range) list.PageSource {
	inv.pager = &pager{inventory: inv, rng: rng}
	return inv.pager
}

// place is a place between two rows: so many rows of the file with this number lie before it. The places of a Range are
// texts in the same order.
type place struct {
	file int
	row  int64
}

const placeLayout = "%08d-%012d"

func (p place) String() string { return fmt.Sprintf(placeLayout, p.file, p.row) }

// parsePlace reads a place of a Range; empty: the beginning.
func parsePlace(text string) (p place, err error) {
	if text == "" {
		return place{}, nil
	}
	if _, err = fmt.Sscanf(text, placeLayout, &p.file, &p.row); err == nil && (p.file < 0 || p.row < 0) {
		err = errors.New("it is negative")
	}
	return p, err
}

// pager hands out the rows of one Range. It belongs to one goroutine.
type pager struct {
	inventory *Inventory
	rng       list.Range
	begun     bool
	at        place  // of the next row
	through   *place // nil: the end
	file      File
	rows      rows
	row       row
}

// Rest implements list.PageSource.
func (p *pager) Rest() (rest list.Range, ok bool) {
	return p.rng, p.rng.After != p.rng.Through || p.rng.After == ""
}

// Next implements list.PageSource. Its error is an *Error, that of Config.Fetch, or the cause of ctx's end.
func (p *pager) Next(ctx context.Context) (*list.Page, error) {
	page, err := p.next(ctx)
	if page == nil { // its Range is read, or the run ends
		p.close()
	}
	return page, err
}

func (p *pager) close() {
	if p.file != nil {
		_ = p.file.Close() // it is only read
	}
	p.file, p.rows = nil, nil
}

func (p *pager) next(ctx context.Context) (*list.Page, error) {
	if err := p.begin(); err != nil {
		return nil, err
	}
	s := entries{versions: p.inventory.cfg.Versions}
	for len(s.all) < pageRowsMax && (p.through == nil || p.at != *p.through) {
		if p.rows == nil {
			if len(s.all) > 0 {
				break // the next file takes time
			}
			if p.at.file >= len(p.inventory.manifest.Files) {
				return nil, nil
			}
			if err := p.openFile(ctx); err != nil {
				return nil, err
			}
		}
		if err := p.readRow(ctx, &s); err != nil {
			return nil, err
		}
	}
	if len(s.all) == 0 {
		return nil, nil
	}
	page := &list.Page{Range: list.Range{After: p.rng.After, Through: p.at.String()}, Entries: s.all, KeysDeclared: true}
	p.rng.After = page.Range.Through
	return page, nil
}

// begin reads the places of the Range.
func (p *pager) begin() error {
	if p.begun {
		return nil
	}
	var through place
	after, err := parsePlace(p.rng.After)
	if err == nil {
		through, err = parsePlace(p.rng.Through)
	}
	if err != nil {
		return fmt.Errorf("the checkpoint has places that no inventory has: %v", p.rng)
	}
	if p.rng.Through != "" {
		p.through = &through
	}
	p.begun, p.at = true, after
	return nil
}

// readRow adds the next row of the file. Behind the last one it closes the file.
func (p *pager) readRow(ctx context.Context, s *entries) error {
	if p.at.row%pageRowsMax == 0 && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	p.row = row{}
	err := p.rows.next(&p.row)
	if errors.Is(err, io.EOF) {
		p.close()
		p.at = place{file: p.at.file + 1}
		return nil
	}
	if err == nil {
		p.at.row++
		err = p.add(s)
	}
	if err != nil {
		return p.wrong(err)
	}
	return nil
}

// add adds the row, if it is asked for.
func (p *pager) add(s *entries) error {
	r, cfg := &p.row, &p.inventory.cfg
	isOld := r[latestColumn] == "false" || r[markerColumn] == "true"
	switch {
	case r[keyColumn] == "":
		return &valueError{keyColumn, "", "a key"}
	case isOld && !cfg.Versions, !strings.HasPrefix(r[keyColumn], cfg.Prefix):
		return nil
	}
	return s.add(r)
}

func (p *pager) openFile(ctx context.Context) error {
	f := &p.inventory.manifest.Files[p.at.file]
	var err error
	if p.file, err = p.inventory.fetch(ctx, p.at.file); err != nil {
		return err
	}
	if p.rows, err = p.inventory.manifest.rows(p.file, f.Size, p.at.row); err != nil {
		return p.wrong(err)
	}
	return nil
}

// wrong returns the error of a data file.
func (p *pager) wrong(err error) error {
	e := &Error{File: p.file.Name(), What: err.Error()}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		e.What = "the file ends too early"
	}
	if p.rows != nil {
		p.rows.at(e)
	}
	return e
}
