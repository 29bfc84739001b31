package head

import "testing"

func TestOtherPrefix(t *testing.T) {
	for name, want := range map[string]string{
		"x-goog-meta-owner":               "x-goog-meta-",
		"x-object-meta-a-meta-b":          "x-object-meta-",
		"opc-meta-owner":                  "opc-meta-",
		"x-amz-meta-owner":                "",
		"x-amz-missing-meta":              "",
		"x-amz-s3-meta-owner":             "",
		"x-goog-meta-":                    "",
		"-meta-owner":                     "",
		"x-goog-metageneration":           "",
		"content-type":                    "",
		"x-" + longVendor + "-meta-owner": "",
	} {
		if got := string(OtherPrefix([]byte(name))); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

const longVendor = "vendor-with-a-name-that-nobody-would-choose-and-that-is-too-long-to-print"

func TestParseMetadataPrefix(t *testing.T) {
	for text, want := range map[string]string{
		"x-goog-meta-": "x-goog-meta-",
		"X-Oss-Meta-":  "x-oss-meta-",
		"x-bz-info-":   "x-bz-info-",
		"opc-meta-":    "opc-meta-",
	} {
		if got, err := ParseMetadataPrefix(text); got != want || err != nil {
			t.Errorf("%s: %q, error %v; want %q", text, got, err, want)
		}
	}
	for _, text := range []string{
		"", "-", "x-", "x-goog-meta", "x-goog-meta-:", "x goog-", "x-é-", "x-amz-", "x-amz-meta-", "X-AMZ-META-", "x-amz-m-",
		"content-", "content-type-", "last-", "cache-", "x-goog-\n-", "x-" + longVendor + "-",
	} {
		if got, err := ParseMetadataPrefix(text); err == nil {
			t.Errorf("%q is accepted as %q", text, got)
		}
	}
}
