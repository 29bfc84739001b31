package list

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"
)

// simPage is a page as s3sim writes one, of keys like data/2026/11/22/part-00000880.parquet.
func simPage(keys int) []byte {
	var b bytes.Buffer
	b.WriteString(`<?xml version="1.0" encoding="UTF-8"?>` + "\n" +
		`<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>b</Name><Prefix></Prefix>` +
		`<NextContinuationToken>dG9rZW4</NextContinuationToken>`)
	fmt.Fprintf(&b, `<KeyCount>%d</KeyCount><MaxKeys>1000</MaxKeys><EncodingType>url</EncodingType><IsTruncated>true</IsTruncated>`, keys)
	for i := range keys {
		fmt.Fprintf(&b, `<Contents><Key>data/2026/11/%02d/part-%08d.parquet</Key><LastModified>2026-11-22T01:02:03.000Z</LastModified>`+
			`<ETag>&quot;%032x&quot;</ETag><Size>%d</Size><StorageClass>STANDARD</StorageClass></Contents>`, i/40, i, i, i*997)
	}
	b.WriteString(`</ListBucketResult>`)
	return b.Bytes()
}

// BenchmarkDecode compares the decoder with its twin on pages of 1,000 keys: on the usual one, and on others that are
// all but usual.
func BenchmarkDecode(b *testing.B) {
	const keys = pageKeysMax
	sim := string(simPage(keys))
	pages := []struct{ name, body string }{
		{"s3sim", sim},
		{"checksums", strings.ReplaceAll(sim, "<Size>",
			"<ChecksumAlgorithm>CRC64NVME</ChecksumAlgorithm><ChecksumType>FULL_OBJECT</ChecksumType><Size>")},
		{"escaped", strings.ReplaceAll(sim, "<Key>data/", "<Key>%E3%83%87%E3%83%BC%E3%82%BF/")},
		{"indented", strings.ReplaceAll(strings.ReplaceAll(sim, "><", ">\n    <"), "data/", "größe/")},
	}
	own := new(decoder)
	ways := []struct {
		name   string
		decode func(io.Reader, int64) (*answer, error)
	}{{"decoder", own.decode}, {"twin", twinDecode}}
	for _, page := range pages {
		for _, way := range ways {
			b.Run(page.name+"/"+way.name, func(b *testing.B) {
				b.ReportAllocs()
				b.SetBytes(int64(len(page.body)))
				for b.Loop() {
					if a, err := way.decode(strings.NewReader(page.body), bodyBytesMax); err != nil || len(a.entries) != keys {
						b.Fatal(a, err)
					}
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/keys, "ns/key")
			})
		}
	}
}
