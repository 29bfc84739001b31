package cli

import (
	"fmt"
	"slices"

	"github.com/urfave/cli/v2"

	"headcount/scan/command"
	"headcount/scan/exit"
	"headcount/scan/head/engine"
	"headcount/scan/store"
)

// part is a part of a command line: a flag, or the argument.
type part struct {
	flag string                  // its name without dashes; empty: the argument
	is   func(value string) bool // the values that count; nil: all
}

// bucketURI returns the part that is the argument.
func bucketURI() part { return part{} }

// with returns the part that is a flag with any value.
func with(flag string) part { return part{flag: flag} }

// withAny returns the parts that are flags with any values.
func withAny(flags ...string) []part {
	parts := make([]part, len(flags))
	for i, flag := range flags {
		parts[i] = with(flag)
	}
	return parts
}

// withValue returns the part that is a flag with one of some values.
func withValue(flag string, values ...string) part {
	return part{flag, func(given string) bool { return slices.Contains(values, given) }}
}

// withoutValue returns the part that is a flag with any other value.
func withoutValue(flag string, values ...string) part {
	return part{flag, func(given string) bool { return !slices.Contains(values, given) }}
}

// on returns how the part is written on a command line; empty: it is not there.
func (p part) on(c *cli.Context) string {
	if p.flag == "" {
		return store.RedactURL(c.Args().First())
	}
	if !c.IsSet(p.flag) { // nor is a flag that the command does not have
		return ""
	}
	value := c.Generic(p.flag).(fmt.Stringer).String()
	switch {
	case value == "false", p.is != nil && !p.is(value):
		return ""
	case p.is != nil:
		return "--" + p.flag + " " + value
	}
	return "--" + p.flag
}

// combination is one that cannot be: a part, together with any of the others.
type combination struct {
	one    part
	others []part
	why    string
}

// combinations returns all that cannot be. The first that is on a command line is reported.
func combinations() []combination {
	listers := []part{withoutValue("listers", "auto", "1")}
	return append([]combination{
		{with("demo"), []part{bucketURI()}, "--demo scans an embedded store"},
		{with("demo"), connectionParts(), "the embedded store needs no connection"},
		{with("limit"), listers, "the first needs a single lister"},
		{with("retry-from"), listers, "the first needs a single lister"},
		{with("inventory"), listers, "its files are read one after the other"},
		{
			with("inventory"), withAny("start-after", "end-at", "list-objects-v1", "list-order"),
			"nothing is listed",
		},
		{with("delimiter"), withAny("inventory"), "nothing is listed"},
		{with("delimiter"), withAny("prefixes"), "a level is that of one prefix"},
		{with("inventory"), withAny("retry-from"), "each of them names the objects"},
		{with("inventory"), withAny("demo"), "the embedded store has none"},
		{
			with("prefixes"), withAny("keys", "retry-from", "inventory", "start-after", "end-at"),
			"each prefix is listed as a whole",
		},
		{with("prefixes"), []part{withValue("list-order", "any")}, "the first needs keys in the order of bytes"},
		{with("keys"), listers, "the file is read once"},
		{with("keys"), []part{with("start-after"), with("end-at")}, "the file has its own order"},
		{with("keys"), withAny("retry-from", "inventory"), "each of them names the objects"},
		{withValue("keys", "-"), withAny("checkpoint"), "standard input cannot be read again"},
		{with("delimiter"), withAny("all-versions"), "versions are listed at all levels"},
		{with("all-versions"), withAny("list-objects-v1"), "versions have a LIST of their own"},
		{with("all-versions"), []part{withValue("list-order", "any")}, "versions need the order of keys"},
		{with("all-versions"), withAny("retry-from", "keys"), "the file names the versions"},
		{with("delimiter"), listers, "one lister lists a level"},
		{with("delimiter"), withAny("verify-listing"), "it compares objects"},
		{with("delimiter"), []part{withValue("format", "s3-batch")}, "a prefix is no object"},
		{
			withValue("engine", engine.List), withAny("list-objects-v1", "all-versions", "retry-from", "inventory", "keys"),
			"the engine needs ListObjectsV2 with metadata",
		},
		{
			withValue("engine", engine.List), withAny("metadata-prefix"),
			"a listing has metadata in x-amz-meta- alone",
		},
		{
			withValue("engine", engine.SDK), []part{withoutValue("pipeline", "1")},
			"the SDK does not pipeline",
		},
		{
			with("verify-listing"), withAny("checkpoint", "retry-from", "inventory", "keys", "limit"),
			"it compares two whole listings of one run",
		},
		{with("explain"), withAny("dry-run"), "the first sends no request, and the second lists"},
	}, formatCombinations()...)
}

// connectionParts returns the flags about a connection that the embedded store has no use for.
func connectionParts() (parts []part) {
	for _, flag := range command.ConnectionFlags() {
		if name := flag.Names()[0]; name != "no-sign-request" && name != "list-objects-v1" {
			parts = append(parts, with(name))
		}
	}
	return parts
}

// need is a flag that means nothing without another one.
type need struct{ flag, needed, hint string }

// needs returns all of them.
func needs() []need {
	return []need{
		{"resume", "checkpoint", "--checkpoint FILE --resume"},
		{"checkpoint-every", "checkpoint", "--checkpoint FILE --checkpoint-every 1s"},
		{"price", "dry-run", "--dry-run --price LIST,HEAD"},
		{"explain", "filter", "--explain --filter EXPR"},
		{"keys-column", "keys", "--keys FILE --keys-column NAME"},
	}
}

// checkCombinations returns a usage error about parts of a command line that cannot be combined, or that need another
// one. Nothing is opened before.
func checkCombinations(c *cli.Context) error {
	for _, row := range combinations() {
		one := row.one.on(c)
		if one == "" {
			continue
		}
		for _, part := range row.others {
			if other := part.on(c); other != "" {
				return command.Conflict(one, other, row.why)
			}
		}
	}
	for _, row := range needs() {
		if with(row.flag).on(c) != "" && with(row.needed).on(c) == "" {
			return exit.Usagef(row.hint, "--%s needs --%s", row.flag, row.needed)
		}
	}
	return nil
}
