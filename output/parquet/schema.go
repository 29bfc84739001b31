package parquet

import (
	"github.com/parquet-go/parquet-go/deprecated"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"
)

// Type is the type of the values of a Column. Any value may be absent: null.
type Type uint8

const (
	Text Type = iota // UTF-8
	Int              // a whole number of 64 bits
	Bool

	// Time is in UTC, with microseconds: a LIST says milliseconds, and DuckDB, Spark and Athena have no finer type with a
	// time zone.
	Time

	Map // Texts by Text
)

// Column is a named column of a file.
type Column struct {
	Name string
	Type Type
}

// newSchema returns the schema of a file: each node of the tree before its children.
// https://github.com/apache/parquet-format/blob/master/LogicalTypes.md
func newSchema(columns []Column) []format.SchemaElement {
	schema := []format.SchemaElement{{Name: "headcount", NumChildren: thrift.New(int32(len(columns)))}}
	for _, c := range columns {
		if c.Type != Map {
			schema = append(schema, leafElement(c.Name, c.Type, format.Optional))
			continue
		}
		// https://github.com/apache/parquet-format/blob/master/LogicalTypes.md#maps
		schema = append(schema,
			format.SchemaElement{
				Name: c.Name, RepetitionType: thrift.New(format.Optional), NumChildren: thrift.New(int32(1)),
				ConvertedType: thrift.New(deprecated.Map), LogicalType: format.LogicalType{Value: new(format.MapType)},
			},
			format.SchemaElement{
				Name: mapPairs, RepetitionType: thrift.New(format.Repeated), NumChildren: thrift.New(int32(2)),
			},
			leafElement(mapKey, Text, format.Required), leafElement(mapValue, Text, format.Required))
	}
	return schema
}

// The names of the nodes below a Map, which the specification fixes.
const (
	mapPairs = "key_value"
	mapKey   = "key"
	mapValue = "value"
)

func leafElement(name string, t Type, repetition format.FieldRepetitionType) format.SchemaElement {
	e := format.SchemaElement{
		Name: name, Type: thrift.New(physicalType(t)), RepetitionType: thrift.New(repetition),
	}
	switch t {
	case Text:
		e.ConvertedType = thrift.New(deprecated.UTF8)
		e.LogicalType.Value = new(format.StringType)
	case Time:
		e.ConvertedType = thrift.New(deprecated.TimestampMicros)
		e.LogicalType.Value = &format.TimestampType{
			IsAdjustedToUTC: true, Unit: format.TimeUnit{Value: new(format.MicroSeconds)},
		}
	}
	return e
}

func physicalType(t Type) format.Type {
	switch t {
	case Int, Time:
		return format.Int64
	case Bool:
		return format.Boolean
	}
	return format.ByteArray
}
