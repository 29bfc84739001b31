"""Compares what DuckDB reads from CSV and Parquet with the JSON lines of the same scan, value by value, and runs the SQL
of output/README.md. By hand:

    python3 -m venv /tmp/venv && /tmp/venv/bin/pip install duckdb==2.0.1
    go build -o /tmp/headcount . && /tmp/venv/bin/python bench/duckdb/compare.py /tmp/headcount [OBJECTS]

It scans synthetic buckets: one with keys and metadata that are hard to write, one with all fields, and one with Unicode.
"""

import base64
import datetime
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
from urllib.parse import quote

import duckdb

BUCKETS = {  # the flags of bench serve, and the fields
    "nasty": (["--shape", "nasty"], "key,metadata,size,last_modified,etag"),
    "attributes": (["--shape", "dated", "--attributes"], "all"),
    "unicode": (["--shape", "unicode"], "metadata,key,size"),
}
README = pathlib.Path(__file__).parents[2] / "output" / "README.md"


def main(headcount, objects="5000"):
    for name, (flags, fields) in BUCKETS.items():
        serve = subprocess.Popen([headcount, "bench", "serve", "--addr", "127.0.0.1:0", "--objects", objects, *flags],
                                 stdout=subprocess.PIPE, text=True)
        try:
            target = serve.stdout.readline().split()
            with tempfile.TemporaryDirectory() as folder:
                scan = Scan(headcount, target, folder, fields)
                compare_bucket(name, scan)
                if fields == "all":
                    run_readme(scan.write("objects.parquet"))
        finally:
            serve.terminate()


class Scan:
    def __init__(self, headcount, target, folder, fields):
        self.command = [headcount, "scan", *target, "--all", "--quiet", "--fields", fields]
        self.folder = folder

    def write(self, name, *flags):
        path = os.path.join(self.folder, name)
        done = subprocess.run([*self.command, "--output", path, *flags], stderr=subprocess.PIPE, text=True)
        if done.returncode != 0:
            sys.exit(f"{name} {flags}: {done.stderr}")
        return path


def compare_bucket(name, scan):
    with open(scan.write("x.jsonl"), encoding="utf-8") as lines:
        records = [expected(json.loads(line)) for line in lines]
    by_key = {record["key"]: record for record in records}
    assert len(by_key) == len(records) > 0
    as_text = "SELECT * FROM read_csv(?, all_varchar=true, allow_quoted_nulls=false)"
    for file, query, flags in [
        ("x.csv", as_text, []),
        ("x.csv.zst", as_text, []),
        ("x.csv.gz", as_text, []),
        ("x.csv", as_text, ["--columns", "owner,Project"]),
        ("x.csv", "SELECT * FROM read_csv(?, allow_quoted_nulls=false)", []),  # with the types that DuckDB finds
        ("x.parquet", "SELECT * FROM read_parquet(?)", []),
        ("x.parquet", "SELECT * FROM read_parquet(?)", ["--columns", "owner,Project"]),
    ]:
        table = duckdb.connect()
        table.execute("SET TimeZone = 'UTC'")
        result = table.execute(query, [scan.write(file, *flags)])
        titles = [column[0] for column in result.description]
        types = [str(column[1]) for column in result.description]
        rows = [read(dict(zip(titles, row))) for row in result.fetchall()]
        compare(rows, by_key, columns=flags[1].split(",") if flags else None)
        print(f"{name}: {file} {' '.join(flags)}: {len(rows)} rows are those of the JSON lines "
              f"({', '.join(f'{t} {k}' for t, k in list(zip(titles, types))[:4])}, …)")


def run_readme(objects):
    """Runs the blocks of SQL on a file with all fields, and prints their results."""
    db = duckdb.connect()
    for block in re.findall("```sql\n(.*?)```", README.read_text(encoding="utf-8"), re.S):
        for statement in duckdb.extract_statements(block.replace("objects.parquet", objects)):
            result = db.sql(statement.query)
            if result is not None:
                print(result)


def expected(record):
    """Returns a line as values by title: texts as bytes. The members in base64 are put back in their places."""
    values = {}
    for title, value in record.items():
        if title == "metadata":
            values["metadata"] = {k: v.encode() for k, v in value.items()} | values.get("metadata", {})
        elif title == "metadata_b64":
            texts = {k: base64.b64decode(v) for k, v in value.items()}
            values["metadata"] = values.get("metadata", {}) | texts
        elif title.endswith("_b64"):
            values[title.removesuffix("_b64")] = base64.b64decode(value)
        else:
            values[title] = plain(value)
    return values


def plain(value):
    """Returns a scalar as bytes: in CSV every value is a text."""
    if isinstance(value, bool):
        return b"true" if value else b"false"
    if isinstance(value, datetime.datetime):
        return value.astimezone(datetime.timezone.utc)
    return str(value).encode()


def read(row):
    """Returns a row as values by title. What is NULL is left out."""
    in_base64 = (row.pop("base64") or "").split(" ")
    values = {}
    for title, value in row.items():
        if value is None:
            continue
        if title == "metadata":
            texts = json.loads(value) if isinstance(value, str) else value
            values[title] = {name: decode(text, f"metadata.{quote(name)}" in in_base64) for name, text in texts.items()}
        elif isinstance(value, str):
            values[title] = decode(value, title in in_base64 or f"metadata.{title.lower()}" in in_base64)
        else:
            values[title] = plain(value)
    return values


def decode(text, in_base64):
    return base64.b64decode(text) if in_base64 else text.encode()


def compare(rows, by_key, columns):
    assert len(rows) == len(by_key), f"{len(rows)} rows, {len(by_key)} lines"
    for got in rows:
        want = dict(by_key[got["key"]])
        if columns:
            texts = want.pop("metadata", {})
            want |= {title: texts[title.lower()] for title in columns if title.lower() in texts}
        for title, value in got.items():
            if isinstance(value, datetime.datetime):  # a time has another text, and no fewer than milliseconds
                assert re.fullmatch(rb"[-0-9T:]+(\.[0-9]{1,6})?Z", want[title]), want[title]
                want[title] = plain(datetime.datetime.fromisoformat(want[title].decode()))
        assert got == want, f"\n got {got}\nwant {want}"


if __name__ == "__main__":
    main(*sys.argv[1:])
