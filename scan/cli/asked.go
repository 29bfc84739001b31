package cli

import (
	"bytes"
	"crypto/md5"
	"encoding/base64"
	"fmt"
	"net"
	"net/url"
	"slices"

	"github.com/urfave/cli/v2"

	"headcount/output"
	"headcount/scan/command"
	"headcount/scan/durable"
	"headcount/scan/exit"
	"headcount/scan/field"
	"headcount/scan/head"
	"headcount/scan/hint"
	"headcount/scan/lookup"
	"headcount/scan/metrics"
)

// askFlags are the flags about what a HEAD asks for, about further values of its answer, and about further requests.
func askFlags() []cli.Flag {
	return command.Category("what to print",
		&cli.GenericFlag{
			Name: "header", Value: command.ParsedList(parseHeaderName),
			Usage: "print the header `NAME` of each answer too, in the field headers; may be given several times",
		},
		&cli.BoolFlag{
			Name: "checksums", Usage: "print the checksums that the store keeps too; needs kms:Decrypt for what KMS encrypts",
		},
		&cli.BoolFlag{
			Name:  "decode",
			Usage: "print metadata that is encoded (RFC 2047, or percent-encoded) decoded too, in the field metadata_decoded",
		},
		&cli.BoolFlag{
			Name: "tags", Usage: "print the tags of each printed object too, by a further request for each, unless its HEAD " +
				"says them or that there are none; needs s3:GetObjectTagging",
		},
		&cli.BoolFlag{
			Name: "annotations", Usage: "print the names and sizes of the annotations of each printed object too, by a " +
				"further request; needs s3:ListObjectAnnotations",
		},
		&cli.GenericFlag{
			Name: "sse-c-key", Value: command.FileName(),
			Usage: "send the customer's key in this `FILE` with each HEAD: 32 bytes, or their base64; AWS refuses it for " +
				"objects that another key encrypts",
		},
	)
}

// parseHeaderName reads a name of --header.
func parseHeaderName(text string) (string, error) {
	name, err := head.ParseHeaderName(text)
	if err != nil {
		return "", command.BadValue("--header x-amz-expiration", err.Error())
	}
	return name, nil
}

// askedFields returns the Fields that flags add to those that are printed.
func askedFields(c *cli.Context) (fields []field.Field) {
	if names := command.Get[[]string](c, "header"); len(names) > 0 {
		fields = append(fields, field.Headers(names))
	}
	names := map[string]string{
		"checksums": "checksums", "decode": "metadata_decoded", "tags": "tags", "annotations": "annotations",
	}
	for _, f := range field.Further() {
		for flag, name := range names {
			if f.Name == name && c.Bool(flag) {
				fields = append(fields, f)
			}
		}
	}
	return fields
}

// addFields adds Fields to those that are printed, unless the format has no room for them. One with the name of another
// replaces it.
func addFields(f *output.Format, o *output.Options, more []field.Field) {
	with := *o
	for _, fields := range []*[]field.Field{&with.Default, &with.Fields} {
		if *fields == nil {
			continue
		}
		names := field.Names(more)
		kept := slices.DeleteFunc(slices.Clone(*fields), func(f field.Field) bool { return slices.Contains(names, f.Name) })
		*fields = append(kept, more...)
	}
	if _, err := f.Fields(&with); err == nil {
		*o = with
	}
}

// parseAsked reads what the HEADs ask for, and the further requests: for what is printed, and what the filter reads.
func parseAsked(c *cli.Context, j *job) error {
	j.headers = command.Get[[]string](c, "header")
	asked := map[field.Ask]bool{}
	for _, f := range j.needHead() {
		asked[f.Ask] = true
	}
	if asked[field.AskChecksums] {
		j.scan.Headers = append(j.scan.Headers, head.RequestHeader{Name: checksumModeHeader, Value: "ENABLED"})
	}
	if asked[field.AskTags] {
		j.scan.Lookups = append(j.scan.Lookups, lookup.Tags)
	}
	if asked[field.AskAnnotations] {
		j.scan.Lookups = append(j.scan.Lookups, lookup.Annotations)
	}
	name := command.Get[string](c, "sse-c-key")
	if name == "" {
		return nil
	}
	key, err := readCustomerKey(name)
	if err != nil {
		return exit.Usagef("the file has the 32 bytes of an AES-256 key, or their base64",
			"--sse-c-key %s: %v", name, exit.WithoutPath(err))
	}
	hash := md5.Sum(key)
	j.scan.Headers = append(j.scan.Headers,
		head.RequestHeader{Name: "x-amz-server-side-encryption-customer-algorithm", Value: "AES256"},
		head.RequestHeader{Name: customerKeyHeader, Value: base64.StdEncoding.EncodeToString(key)},
		head.RequestHeader{Name: customerKeyHeader + "-md5", Value: base64.StdEncoding.EncodeToString(hash[:])},
	)
	return nil
}

// customerKeyBytes is the length of a key of AES-256.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/ServerSideEncryptionCustomerKeys.html
const customerKeyBytes = 32

const (
	customerKeyHeader  = "x-amz-server-side-encryption-customer-key"
	checksumModeHeader = "x-amz-checksum-mode"
)

func readCustomerKey(name string) ([]byte, error) {
	const mostBytes = 1 << 10
	text, err := durable.ReadFile(name, mostBytes)
	if err != nil || len(text) == customerKeyBytes {
		return text, err
	}
	key, err := base64.StdEncoding.DecodeString(string(bytes.TrimSpace(text)))
	if err != nil || len(key) != customerKeyBytes {
		return nil, fmt.Errorf("it has %d bytes, and no base64 of %d", len(text), customerKeyBytes)
	}
	return key, nil
}

// checkCustomerKey returns a usage error if the customer's key would be sent where others can read it.
func (j *job) checkCustomerKey(urls []string) error {
	if !j.asksBy(customerKeyHeader) {
		return nil
	}
	for _, text := range urls {
		if u, err := url.Parse(text); err == nil && u.Scheme == "http" && !isLoopback(u.Hostname()) {
			return exit.Usagef("use an endpoint with https://", "--sse-c-key would send the key in plain text to %s", u.Host)
		}
	}
	return nil
}

// asksBy reports whether each HEAD has a header of this name.
func (j *job) asksBy(name string) bool {
	return slices.ContainsFunc(j.scan.Headers, func(h head.RequestHeader) bool { return h.Name == name })
}

const needCustomerKey = "HEADs of objects that a customer's key encrypts need --sse-c-key FILE"

// hintIfAskedRefused returns what the user can do where HEADs were refused for what they ask for, or lack, or where
// further requests were denied; empty: that is not known. ofVersions says that HEADs of versions were answered with
// 400.
func (j *job) hintIfAskedRefused(stats *metrics.Stats, ofVersions bool) string {
	refused := stats.Requests["head"]
	switch {
	case refused["400"] > 0 && j.asksBy(customerKeyHeader):
		return "the store refuses --sse-c-key for objects that this key does not encrypt"
	case ofVersions:
		return hint.VersionRefused + "; " + needCustomerKey
	case refused["400"] > 0:
		return needCustomerKey
	case refused["403"] > 0 && j.asksBy(checksumModeHeader):
		return "the checksums of objects that a KMS key encrypts need the right kms:Decrypt"
	}
	for _, kind := range j.scan.Lookups {
		if stats.Requests[kind.String()]["403"] > 0 {
			return kind.HintIfDenied()
		}
	}
	return ""
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
