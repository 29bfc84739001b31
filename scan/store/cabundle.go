package store

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"

	"headcount/scan/durable"
)

// caBundleMax bounds the file of certificates. The bundle of an operating system takes some 200 KB.
const caBundleMax = 16 << 20

// readCABundle reads a bundle.
func readCABundle(name string) ([]byte, error) { return durable.ReadFile(name, caBundleMax) }

// CheckCABundle returns an error if no certificate of a PEM file can be read; nil: at least one can. As in the SDK, the
// others are ignored.
func CheckCABundle(name string) error {
	text, err := readCABundle(name)
	if err != nil {
		return err
	}
	var unreadable error
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		if block.Type != "CERTIFICATE" {
			continue
		}
		_, err := x509.ParseCertificate(block.Bytes)
		if err == nil {
			return nil
		}
		unreadable = err
	}
	if unreadable != nil {
		return fmt.Errorf("the certificate in the file cannot be read: %w", unreadable)
	}
	if _, err := x509.ParseCertificate(text); err == nil {
		return errors.New("the file is DER and not PEM: openssl x509 -inform der -outform pem converts it")
	}
	return errors.New("the file has no certificate")
}
