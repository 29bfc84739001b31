package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"headcount/output"
	"headcount/output/fileset"
	"headcount/scan/command"
	"headcount/scan/exit"
	"headcount/scan/field"
)

// formatFlags are the flags that only some formats take.
func formatFlags() []string { return []string{"columns", "csv-safe", "null"} }

// formatNames returns the names of the formats for which is returns true.
func formatNames(is func(*output.Format) bool) (names []string) {
	for _, f := range output.Formats() {
		if is(&f) {
			names = append(names, f.Name)
		}
	}
	return names
}

func anyFormat(*output.Format) bool { return true }

// describeFormats returns what the help says of the formats.
func describeFormats() string {
	var texts []string
	for _, f := range output.Formats() {
		texts = append(texts, f.Name+", "+f.About)
	}
	return strings.Join(texts, "; ")
}

// parseFormat reads in which format the records are printed, and what of them.
func parseFormat(c *cli.Context, j *job) (err error) {
	if err := checkNames(&j.names, c.IsSet("format")); err != nil {
		return err
	}
	j.format = chooseFormat(command.Get[string](c, "format"), j.names.Output)
	for _, flag := range formatFlags() {
		if c.IsSet(flag) && !j.format.Takes(flag) && !(flag == "null" && c.IsSet("keys")) {
			names := formatNames(func(f *output.Format) bool { return f.Takes(flag) })
			return exit.Usagef("--format "+names[0]+" --"+flag, "--%s needs --format %s", flag, strings.Join(names, " or "))
		}
	}
	j.options = output.Options{
		Default: command.Get[[]field.Field](c, "fields"), Safe: c.Bool("csv-safe"),
		Null:    c.Bool("null") && j.format.Takes("null"),
		Version: command.Version(),
	}
	if c.IsSet("checkpoint-every") {
		j.options.SyncEvery = j.scan.CheckpointEvery
	}
	if c.IsSet("columns") {
		j.options.Columns = command.Get[[]string](c, "columns")
	}
	if c.IsSet("fields") {
		j.options.Fields = j.options.Default
	}
	addFields(&j.format, &j.options, askedFields(c))
	switch {
	case j.scan.Delimiter != "":
		prefix, _ := field.Parse(field.Prefix) // there is this Field
		addFields(&j.format, &j.options, prefix)
	case slices.Contains(field.Names(j.options.Default), field.Prefix):
		return exit.Usagef("headcount list --delimiter / prints prefixes", "no object has the field %s", field.Prefix)
	}
	chosen := ""
	if c.IsSet("fields") {
		chosen = c.Generic("fields").(fmt.Stringer).String()
	}
	addVersionFields(j, chosen)
	if j.fields, err = j.format.Fields(&j.options); err != nil {
		return exit.Usagef("name other --fields or --columns", "--format %s: %v", j.format.Name, err)
	}
	return nil
}

// chooseFormat returns the format with a name, that of a file, or the default one. The names may be empty.
func chooseFormat(name, file string) output.Format {
	if name != "" {
		return output.FormatNamed(name)
	}
	if f, ok := output.FormatOf(file); ok {
		return f
	}
	return output.Formats()[0]
}

// checkNames returns a usage error about the name of a file that promises another content than the file would get.
// chosen is set where --format chooses the format.
func checkNames(names *fileset.Names, chosen bool) error {
	for _, file := range []struct{ flag, name string }{
		{"output", names.Output}, {"errors", names.Errors}, {"missing", names.Missing},
	} {
		if end := output.OtherCompression(file.name); end != "" {
			return exit.Usagef("x.gz and x.zst are compressed", "--%s %s: headcount does not compress to %s",
				file.flag, file.name, end)
		}
	}
	if end := output.OtherFormat(names.Output); end != "" && !chosen {
		var ends []string
		for _, f := range output.Formats() {
			ends = append(ends, f.Suffixes...)
		}
		return exit.Usagef("the names "+strings.Join(ends, ", ")+" choose a format, and so does --format for any name",
			"--output %s: no format has the name %s", names.Output, end)
	}
	return nil
}

// formatCombinations returns what cannot be combined with a format.
func formatCombinations() (rows []combination) {
	for _, flag := range formatFlags() {
		if flag == "null" { // --keys has it too
			continue
		}
		without := formatNames(func(f *output.Format) bool { return !f.Takes(flag) })
		rows = append(rows, combination{withValue("format", without...), withAny(flag), "the format does not have it"})
	}
	compressed := part{"output", func(name string) bool { return output.Compression(name) != "" }}
	rows = append(rows,
		combination{withValue("format", "s3-batch"), []part{compressed}, "S3 reads no compressed manifest"})
	for _, f := range output.Formats() {
		format, named := withValue("format", f.Name), part{"output", f.HasSuffix}
		if !f.Resumable {
			rows = append(rows, combination{format, withAny("checkpoint"), "no later run can continue a " + f.Name})
		}
		if f.Binary {
			rows = append(rows,
				combination{format, []part{{"output", func(name string) bool { return !f.HasSuffix(name) && name != "-" }}},
					"the name of the file must end in " + f.Suffixes[0]},
				combination{withoutValue("format", f.Name), []part{named}, "the name is that of a " + f.Name + " file"},
			)
		}
	}
	return rows
}

// checkBinary returns a usage error if a format that is not text would be printed on a terminal, compressed twice, or
// continued on standard output: the output of the later run alone would look whole.
func checkBinary(f *output.Format, names *fileset.Names, onTerminal bool) error {
	switch {
	case !f.Binary:
	case output.Compression(names.Output) != "":
		return exit.Usagef("leave the second suffix out", "--output %s: %s has a compression of its own",
			names.Output, f.Name)
	case names.Output == "" && names.Checkpoint != "":
		return exit.Usagef("--output x"+f.Suffixes[0], "no later run can continue %s on standard output", f.Name)
	case names.Output == "" && onTerminal:
		return exit.Usagef("--output x"+f.Suffixes[0], "%s is not for a terminal", f.Name)
	}
	return nil
}

// parseColumns reads the names of metadata in --columns.
func parseColumns(text string) ([]string, error) {
	names := strings.Split(text, ",")
	for i := range names {
		names[i] = strings.TrimSpace(names[i])
	}
	if slices.Contains(names, "") {
		return nil, command.BadValue("--columns owner,project", "a name is empty")
	}
	return names, nil
}
