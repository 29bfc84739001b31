package cli

import (
	"slices"
	"strings"

	"headcount/output"
	"headcount/scan/exit"
	"headcount/scan/field"
)

// versionFields returns the Fields that only a listing of versions has.
func versionFields() []string { return []string{field.IsLatest, field.DeleteMarker} }

// addVersionFields adds the Fields that tell versions of a key apart to those that are printed by default, and to all
// Fields.
func addVersionFields(j *job, chosen string) {
	if !j.scan.Versions || chosen != "" && chosen != allFields {
		return
	}
	names := append([]string{field.VersionID}, versionFields()...)
	added, _ := field.Parse(strings.Join(names, ",")) // there are these Fields
	addFields(&j.format, &j.options, added)
	key, _ := field.Parse(field.Key)
	printed, err := j.format.Fields(&j.options)
	if err != nil || slices.Contains(field.Names(printed), field.VersionID) {
		return
	}
	fixed := output.Options{Fields: slices.Concat(key, added[:1])} // of a manifest, which has these alone
	if _, err := j.format.Fields(&fixed); err == nil {
		j.options.Fields = fixed.Fields
	}
}

// checkVersionFields returns a usage error about a Field that only a listing of versions has, and that is read without
// one: no object would have a value.
func (j *job) checkVersionFields() error {
	if j.scan.Versions {
		return nil
	}
	isMissing := func(f field.Field) bool { return slices.Contains(versionFields(), f.Name) }
	if i := slices.IndexFunc(j.fields, isMissing); i >= 0 {
		return exit.Usagef("--all-versions --fields "+j.chosen, "--fields: %s needs --all-versions", j.fields[i].Name)
	}
	if j.filter != nil {
		if i := slices.IndexFunc(j.filter.Fields(), isMissing); i >= 0 {
			name := j.filter.Fields()[i].Name
			return exit.Usagef("add --all-versions; without it the newest version of each key is listed",
				"--filter: %s needs --all-versions", name)
		}
	}
	return nil
}
