#!/usr/bin/env python3
"""Compare the formats jsonl, csv and parquet of one scan, as DuckDB reads them, and run the SQL of output/README.md.

    pip install duckdb
    go build && python3 bench/duckdb/compare.py ./headcount [OBJECTS]

It exits with 1 if a row differs. It is run by hand: go test needs no Python.
"""

import pathlib
import re
import subprocess
import sys
import tempfile

import duckdb

HEADCOUNT = str(pathlib.Path(sys.argv[1]).resolve())
OBJECTS = sys.argv[2] if len(sys.argv) > 2 else "20000"
README = pathlib.Path(__file__).parents[2] / "output" / "README.md"
STORES = (["--attributes"], ["--shape", "nasty"], ["--shape", "unicode"])


def scan(store, folder):
    """Scan a store into a file of each format."""
    serve = [HEADCOUNT, "bench", "serve", "--addr", "127.0.0.1:0", "--objects", OBJECTS, *store]
    server = subprocess.Popen(serve, stdout=subprocess.PIPE, text=True)
    try:
        where = server.stdout.readline().split()
        for suffix in "jsonl", "csv", "parquet":
            command = [HEADCOUNT, "scan", "--quiet", "--all", "--fields", "all", "--output", f"{folder}/objects.{suffix}"]
            subprocess.run(command + where, check=True)
    finally:
        server.terminate()
        server.wait()


def selections(columns, folder):
    """Return a SELECT for each format, of equal columns: texts as they are in the columns of the table."""
    types = {name: kind for name, kind in columns}
    text = {name for name, kind in columns if kind == "VARCHAR" and name != "base64"}

    def select(source, value):
        return "SELECT " + ", ".join(value(name) for name, _ in columns if name != "base64") + " FROM " + source

    def entries(mapping):
        return f"list_sort(map_entries({mapping}))"

    def of_json(name):
        if name in text:
            return f"coalesce({name}, {name}_b64)"
        if name == "metadata":
            return entries("map_concat(metadata, metadata_b64)")
        return name

    def of_table(name):
        return entries(f"{name}::MAP(VARCHAR, VARCHAR)") if name == "metadata" else name

    json_types = dict(types) | {f"{name}_b64": "VARCHAR" for name in text} | {"metadata_b64": types["metadata"]}
    del json_types["base64"]
    csv_types = dict(types) | {"metadata": "JSON"}
    return {
        "jsonl": select(f"read_json('{folder}/objects.jsonl', columns={json_types})", of_json),
        "csv": select(f"read_csv('{folder}/objects.csv', columns={csv_types}, allow_quoted_nulls=false, "
                      "header=true, quote='\"', escape='\"')", of_table),
        "parquet": select(f"'{folder}/objects.parquet'", of_table),
    }


def compare(db, folder):
    """Return how many rows differ between the JSON lines and each table."""
    columns = [row[:2] for row in db.sql(f"DESCRIBE FROM '{folder}/objects.parquet'").fetchall()]
    formats = selections(columns, folder)
    want = db.sql(f"SELECT count(*) FROM ({formats['jsonl']})").fetchall()[0][0]
    print(f"  {want} rows, {db.sql(f'''SELECT count(base64) FROM '{folder}/objects.parquet' ''').fetchall()[0][0]} with base64")
    differ = 0
    for name in "csv", "parquet":
        for one, other in (formats[name], formats["jsonl"]), (formats["jsonl"], formats[name]):
            rows = db.sql(f"({one}) EXCEPT ALL ({other})").fetchall()
            differ += len(rows)
            for row in rows[:2]:
                print("  differs:", name, row)
    return differ


def main():
    differ = 0
    for store in STORES:
        print(*store)
        with tempfile.TemporaryDirectory() as folder:
            scan(store, folder)
            db = duckdb.connect()
            db.sql("SET TimeZone = 'UTC'")
            differ += compare(db, folder)
            for block in re.findall("```sql\n(.*?)```", README.read_text(), re.S):
                for statement in duckdb.extract_statements(block.replace("objects.parquet", f"{folder}/objects.parquet")):
                    result = db.sql(statement.query)
                    if result is not None:
                        print(result)
    print(f"{differ} rows differ")
    return 1 if differ else 0


if __name__ == "__main__":
    sys.exit(main())
