package store

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"

	"headcount/scan/durable"
	"headcount/scan/exit"
)

// awsFiles names the user's shared configuration files and the profile in use, by the rules of the SDK. The SDK itself
// drops the settings of ~/.aws/config that it does not know, and skips a section that begins with a byte order mark.
// https://docs.aws.amazon.com/sdkref/latest/guide/file-format.html
type awsFiles struct {
	config      string
	credentials string
	profile     string
}

// awsFileMax bounds a file that is read. One with thousands of profiles has some 100 KB.
const awsFileMax = 16 << 20

// findAWSFiles returns the files and the profile; profile is that of a flag, or empty.
func findAWSFiles(profile string) awsFiles {
	return awsFiles{
		config: cmp.Or(expandHome(os.Getenv("AWS_CONFIG_FILE")), config.DefaultSharedConfigFilename()),
		credentials: cmp.Or(
			expandHome(os.Getenv("AWS_SHARED_CREDENTIALS_FILE")), config.DefaultSharedCredentialsFilename(),
		),
		profile: cmp.Or(profile, os.Getenv("AWS_PROFILE"), os.Getenv("AWS_DEFAULT_PROFILE"),
			config.DefaultSharedConfigProfile),
	}
}

// InputFiles returns the names of the files that the SDK reads, by what they are. Some may not exist.
func InputFiles() map[string]string {
	shared := findAWSFiles("")
	files := map[string]string{"the AWS config file": shared.config, "the AWS credentials file": shared.credentials}
	for _, variable := range []string{
		"AWS_CA_BUNDLE", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
	} {
		if name := os.Getenv(variable); name != "" {
			files["the file of "+variable] = name
		}
	}
	return files
}

// check returns an error for a pipe or a device. Besides headcount the SDK reads the files, and waits for the writer of
// a pipe.
func (f awsFiles) check() error {
	for _, file := range []struct{ what, name, variable string }{
		{"the AWS config file", f.config, "AWS_CONFIG_FILE"},
		{"the AWS credentials file", f.credentials, "AWS_SHARED_CREDENTIALS_FILE"},
	} {
		if err := durable.CheckFile(file.name); err != nil {
			return exit.Usagef("headcount reads it more than once: write it to a file, which "+file.variable+" may name",
				"%s %s: %v", file.what, file.name, err)
		}
	}
	return nil
}

// expandHome replaces ~ at the beginning of a path, as the AWS CLI does where no shell has.
func expandHome(path string) string {
	rest, atHome := strings.CutPrefix(path, "~")
	home, err := os.UserHomeDir()
	if !atHome || err != nil || rest != "" && !os.IsPathSeparator(rest[0]) {
		return path
	}
	return home + rest
}

// settings returns the settings of a profile. Those of the credentials file win, as in the SDK. A nested setting has
// the name of its block before its own: s3.addressing_style. A file that cannot be read has none.
func (f awsFiles) settings(profile string) map[string]string {
	settings := map[string]string{}
	text, _ := durable.ReadFile(f.config, awsFileMax)
	readSettings(settings, string(text), func(section string) bool {
		kind, name, isTyped := strings.Cut(section, " ")
		return isTyped && kind == "profile" && strings.TrimSpace(name) == profile ||
			section == profile && profile == config.DefaultSharedConfigProfile
	})
	text, _ = durable.ReadFile(f.credentials, awsFileMax)
	readSettings(settings, string(text), func(section string) bool { return section == profile })
	return settings
}

// readSettings adds the settings of the sections that belong to a profile.
func readSettings(settings map[string]string, text string, belongs func(section string) bool) {
	var (
		inProfile bool
		block     string // the setting without a value whose nested settings may follow
	)
	for line := range strings.Lines(text) {
		trimmed := strings.TrimSpace(line)
		if trimmed == "" || trimmed[0] == '#' || trimmed[0] == ';' {
			continue
		}
		if trimmed[0] == '[' {
			section, _, _ := strings.Cut(trimmed[1:], "]")
			inProfile, block = belongs(strings.TrimSpace(section)), ""
			continue
		}
		name, value, isSetting := strings.Cut(trimmed, "=")
		if !inProfile || !isSetting {
			continue
		}
		name, value = strings.TrimSpace(name), plainValue(value)
		switch isNested := line[0] == ' ' || line[0] == '\t'; {
		case isNested && block != "":
			settings[block+"."+name] = value
		case value == "":
			settings[name], block = value, name
		default:
			settings[name], block = value, ""
		}
	}
}

// plainValue returns the value of a setting without blanks and quotes around it, and without a comment after it.
func plainValue(value string) string {
	for _, mark := range []string{" #", " ;", "\t#", "\t;"} {
		value, _, _ = strings.Cut(value, mark)
	}
	value = strings.TrimSpace(value)
	for _, quote := range []string{`"`, "'"} {
		if len(value) > 1 && strings.HasPrefix(value, quote) && strings.HasSuffix(value, quote) {
			return value[1 : len(value)-1]
		}
	}
	return value
}

// unreadable returns a file that the SDK skips in whole or in part, and why; empty: it reads both. Editors on Windows
// write a byte order mark.
func (f awsFiles) unreadable() (name, why string) {
	for _, name := range []string{f.credentials, f.config} {
		text, err := durable.ReadFile(name, awsFileMax)
		switch {
		case err != nil && !errors.Is(err, fs.ErrNotExist):
			return name, "cannot be read: " + exit.WithoutPath(err).Error()
		case bytes.HasPrefix(text, []byte("\xef\xbb\xbf")):
			return name, "begins with a byte order mark"
		case bytes.IndexByte(text, 0) >= 0:
			return name, "is not in UTF-8"
		}
	}
	return "", ""
}

// absent says, for an error, that a variable names a file that does not exist; empty: none does.
func (f awsFiles) absent() string {
	for _, variable := range []string{"AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"} {
		if name := os.Getenv(variable); name != "" {
			if _, err := os.Stat(expandHome(name)); errors.Is(err, fs.ErrNotExist) {
				return " (" + variable + " names a file that does not exist)"
			}
		}
	}
	return ""
}

// foreignSetting is a setting for other SDKs that the one of headcount refuses where it does not know the value.
type foreignSetting struct {
	name    string
	known   func(value string) bool
	neutral string // a value without an effect
}

func foreignSettings() []foreignSetting {
	return []foreignSetting{
		{"retry_mode", func(v string) bool { _, err := aws.ParseRetryMode(v); return err == nil }, "standard"},
		{"max_attempts", func(v string) bool { _, err := strconv.ParseInt(v, 0, 64); return err == nil }, "0"},
		{"defaults_mode", func(v string) bool { return new(aws.DefaultsMode).SetFromString(v) }, "legacy"},
	}
}

// overrides returns the text of a credentials file that overrides what the SDK would refuse in the profile, and in the
// profiles whose keys it uses; empty: nothing.
func (f awsFiles) overrides() string {
	var text strings.Builder
	seen := map[string]bool{}
	for profile := f.profile; profile != "" && !seen[profile]; {
		seen[profile] = true
		settings := f.settings(profile)
		fmt.Fprintf(&text, "[%s]\n", profile)
		for _, s := range foreignSettings() {
			if value, given := settings[s.name]; given && !s.known(value) {
				fmt.Fprintf(&text, "%s = %s\n", s.name, s.neutral)
			}
		}
		profile = settings["source_profile"]
	}
	if !strings.Contains(text.String(), "=") {
		return ""
	}
	return text.String()
}
