package scripttest

import (
	"bytes"
	"encoding/json"
	"os"

	"github.com/parquet-go/parquet-go"
	"github.com/rogpeppe/go-internal/testscript"
)

// Parquet is the script command "parquet FILE LINES": it writes the rows of a Parquet file as lines of JSON, with the
// columns that are not null, sorted by name. A time is in microseconds. "! parquet FILE" wants a file that is refused.
func Parquet(ts *testscript.TestScript, neg bool, args []string) {
	file, err := os.ReadFile(ts.MkAbs(args[0]))
	ts.Check(err)
	lines, err := ParquetLines(file)
	switch {
	case neg && err == nil:
		ts.Fatalf("%s is read as a Parquet file", args[0])
	case neg:
		return
	}
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), lines, 0o666))
}

// ParquetLines returns the rows of a Parquet file as lines of JSON.
func ParquetLines(file []byte) ([]byte, error) {
	rows, err := parquet.Read[any](bytes.NewReader(file), int64(len(file)))
	if err != nil {
		return nil, err
	}
	var lines bytes.Buffer
	encoder := json.NewEncoder(&lines)
	for _, row := range rows {
		if err := encoder.Encode(withTexts(row.(map[string]any))); err != nil {
			return nil, err
		}
	}
	return lines.Bytes(), nil
}

// withTexts returns the values that are not nil, with bytes as texts.
func withTexts(values map[string]any) map[string]any {
	texts := map[string]any{}
	for name, value := range values {
		switch v := value.(type) {
		case nil:
		case []byte:
			texts[name] = string(v)
		case map[string]any:
			texts[name] = withTexts(v)
		default:
			texts[name] = v
		}
	}
	return texts
}
