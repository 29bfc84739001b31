package store

import (
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A file whose only certificate cannot be read says why. One that can be read is enough.
func TestCheckCABundle(t *testing.T) {
	block, _ := pem.Decode([]byte(testAuthority))
	const version = "\xa0\x03\x02\x01\x02"
	before, after, found := strings.Cut(string(block.Bytes), version+"\x02")
	if !found {
		t.Fatal("the certificate has no serial number")
	}
	negative := before + version + "\x02" + after[:1] + "\xff" + after[2:]
	bad := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte(negative)}))
	key := string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: []byte("key")}))
	for text, want := range map[string]string{
		testAuthority: "", bad + testAuthority: "", testAuthority + bad: "", key + testAuthority: "",
		bad: "negative serial number", string(block.Bytes): "is DER and not PEM", key: "no certificate", "": "no certificate", "no PEM": "no certificate",
	} {
		name := filepath.Join(t.TempDir(), "ca.pem")
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		for how, err := range map[string]error{"the file": CheckCABundle(name), "AWS_CA_BUNDLE": openWithBundle(t, name)} {
			if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
				t.Errorf("%s, %q: %v, want %q", how, text, err, want)
			}
		}
	}
}

func openWithBundle(t *testing.T, name string) error {
	_, err := configured(t, Config{}, map[string]string{"AWS_CA_BUNDLE": name})
	return err
}
