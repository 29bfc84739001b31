package store

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
)

// CheckCABundle returns an error if no certificate of a PEM file can be read; nil: at least one can. As in the SDK, the
// others are ignored.
func CheckCABundle(name string) error {
	text, err := os.ReadFile(name)
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
