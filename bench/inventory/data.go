package inventory

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress"
	"github.com/parquet-go/parquet-go/deprecated"
	"github.com/parquet-go/parquet-go/format"
)

// encodeKey encodes a key as forms do, but for its slashes.
func encodeKey(key string) string { return strings.ReplaceAll(url.QueryEscape(key), "%2F", "/") }

// writeCSV returns a file in CSV. It has no header, and every value is quoted.
func writeCSV(cfg Config, columns []column, objects []Object) ([]byte, error) {
	var file bytes.Buffer
	w := gzip.NewWriter(&file)
	for i := range objects {
		for n, c := range columns {
			separator := ","
			if n == len(columns)-1 {
				separator = "\n"
			}
			text := csvText(c, c.value(&cfg, &objects[i]))
			if _, err := fmt.Fprintf(w, `"%s"%s`, strings.ReplaceAll(text, `"`, `""`), separator); err != nil {
				return nil, err
			}
		}
	}
	err := w.Close()
	return file.Bytes(), err
}

// oldType and newType are types with one of the two spellings.
type (
	oldType struct{ parquet.Type }
	newType struct{ parquet.Type }
)

func (oldType) LogicalType() *format.LogicalType         { return nil }
func (newType) ConvertedType() *deprecated.ConvertedType { return nil }

func (cfg *Config) node(c column) parquet.Node {
	var node parquet.Node
	switch c.kind {
	case number:
		return parquet.Optional(parquet.Leaf(parquet.Int64Type))
	case boolean:
		return parquet.Optional(parquet.Leaf(parquet.BooleanType))
	case moment:
		node = parquet.Timestamp(parquet.Millisecond)
	default:
		node = parquet.String()
	}
	t := parquet.Type(newType{node.Type()})
	if cfg.OldTypes {
		t = oldType{node.Type()}
	}
	node = parquet.Leaf(t)
	switch {
	case cfg.PageV2 && c.kind == moment:
		node = parquet.Encoded(node, &parquet.DeltaBinaryPacked)
	case cfg.PageV2 && c.csv == "Key":
		node = parquet.Encoded(node, &parquet.DeltaByteArray)
	case cfg.PageV2: // the writer's choice
	case c.csv == "Key" || c.csv == "ETag":
		node = parquet.Encoded(node, &parquet.Plain)
	case c.kind == text:
		node = parquet.Encoded(node, &parquet.RLEDictionary)
	}
	if c.csv == "Bucket" || c.csv == "Key" {
		return node
	}
	return parquet.Optional(node)
}

// parquetGroupRows is so few that the files of tests have several row groups.
const parquetGroupRows = 1_000

func writeParquet(cfg Config, columns []column, objects []Object) ([]byte, error) {
	group := parquet.Group{}
	for _, c := range columns {
		group[c.parquet] = cfg.node(c)
	}
	schema := parquet.NewSchema("s3.inventory", group)
	codec := map[string]compress.Codec{
		"": &parquet.Snappy, "gzip": &parquet.Gzip, "zstd": &parquet.Zstd, "none": &parquet.Uncompressed,
	}[cfg.Codec]
	pageVersion := 1
	if cfg.PageV2 {
		pageVersion = 2
	}
	var file bytes.Buffer
	w := parquet.NewWriter(&file, schema, parquet.Compression(codec), parquet.DataPageVersion(pageVersion),
		parquet.MaxRowsPerRowGroup(parquetGroupRows), parquet.PageBufferSize(8<<10))
	for i := range objects {
		row := make(parquet.Row, len(columns))
		for _, c := range columns {
			leaf, _ := schema.Lookup(c.parquet)
			row[leaf.ColumnIndex] = parquetValue(c.value(&cfg, &objects[i])).Level(0, 0, leaf.ColumnIndex)
			if !row[leaf.ColumnIndex].IsNull() && leaf.Node.Optional() {
				row[leaf.ColumnIndex] = row[leaf.ColumnIndex].Level(0, 1, leaf.ColumnIndex)
			}
		}
		if _, err := w.WriteRows([]parquet.Row{row}); err != nil {
			return nil, err
		}
	}
	err := w.Close()
	return file.Bytes(), err
}

func parquetValue(value any) parquet.Value {
	switch v := value.(type) {
	case string:
		return parquet.ValueOf([]byte(v))
	case int64:
		return parquet.ValueOf(v)
	case bool:
		return parquet.ValueOf(v)
	case time.Time:
		if !v.IsZero() {
			return parquet.ValueOf(v.UnixMilli())
		}
	}
	return parquet.NullValue()
}
