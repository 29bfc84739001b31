"""Compares every field of every record of a scan with what boto3 says about the object. By hand:

    python3 -m venv /tmp/venv && /tmp/venv/bin/pip install -r bench/boto3/requirements.txt
    go build -o /tmp/headcount . && /tmp/venv/bin/python bench/boto3/compare.py /tmp/headcount

It starts moto and fills buckets: without versions, with versions, and with object lock. --endpoint-url compares with
another server, to be thrown away afterwards, whose credentials are in the environment. --refuses names what this server
refuses. Any other refusal is an error, and so is a name that the server does not refuse.
"""

import argparse
import base64
import contextlib
import datetime
import json
import logging
import os
import pathlib
import re
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True  # beside the source

import objects
from said import EACH_ANSWER, FIELDS, Object, Store

ENGINES = [["--engine", "sdk"], ["--engine", "direct"], ["--engine", "direct", "--pipeline", "4"]]
FIELDS_TABLE = pathlib.Path(__file__).parents[2] / "scan" / "field" / "README.md"
NOT_COMPARED = {"prefix", "request_id", "annotations", "changed", "missing_meta"}
OF_VERSIONS = {"is_latest", "delete_marker"}
ONLY_OF_LIST = {"checksum_algorithm", "object_owner"}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("headcount")
    parser.add_argument("--endpoint-url")
    parser.add_argument("--refuses", default="")
    args = parser.parse_args()
    with contextlib.ExitStack() as stack:
        endpoint = args.endpoint_url or stack.enter_context(run_moto())
        store = Store(endpoint, set(filter(None, args.refuses.split(","))))
        comparison = Comparison(store, args.headcount, stack.enter_context(tempfile.TemporaryDirectory()))
        for bucket, put in [("plain", objects.put_all), ("archived", objects.put_archived), ("versions", objects.put_versions),
                            ("locked", objects.put_locked)]:
            if store.attempt(bucket, store.client.create_bucket, Bucket=bucket, ObjectLockEnabledForBucket=bucket == "locked"):
                put(store, bucket)
                # moto, unlike AWS, refuses the tags of what is archived.
                comparison.newest(bucket, without={"tags"} if bucket == "archived" else set())
                # versitygw lists versions of which it has no HEAD; bench/e2e tests its versions apart.
                if bucket in ("versions", "locked") and not args.endpoint_url:
                    comparison.versions(bucket)
        if not args.endpoint_url:
            for size in 1, 7:
                with short_pages(size):
                    comparison.versions("versions")
        comparison.finish()


@contextlib.contextmanager
def run_moto():
    from moto.server import ThreadedMotoServer

    os.environ |= {"AWS_ACCESS_KEY_ID": "moto", "AWS_SECRET_ACCESS_KEY": "moto"}
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        yield "http://{}:{}".format(*server.get_host_and_port())
    finally:
        server.stop()


@contextlib.contextmanager
def short_pages(size):
    """Makes moto list at most size versions a page, so that pages end inside of keys."""
    from moto.s3.models import S3Backend

    whole = S3Backend.list_object_versions
    S3Backend.list_object_versions = lambda backend, bucket, max_keys, **rest: whole(
        backend, bucket, max_keys=min(max_keys, size), **rest)
    yield
    S3Backend.list_object_versions = whole


class Comparison:
    def __init__(self, store, headcount, folder):
        self.store, self.headcount, self.folder, self.differences = store, headcount, folder, 0
        rows = re.findall(r"^\| `(\w+)` \| (\w+) \| ([\w ]+) \|", FIELDS_TABLE.read_text(encoding="utf-8"), re.M)
        self.types = {name: kind for name, kind, _ in rows if name not in NOT_COMPARED}
        if self.types.keys() != FIELDS.keys():
            sys.exit(f"not in FIELDS, or not in {FIELDS_TABLE}: {self.types.keys() ^ FIELDS.keys()}")
        self.of_list = [name for name, _, origin in rows if name in self.types and origin == "LIST"]

    def newest(self, bucket, without):
        """Compares the newest versions of a bucket, without some fields."""
        names = [name for name in self.types if name not in OF_VERSIONS | without]
        of_list = [name for name in self.of_list if name in names]
        scan = ["scan", "--ordered", "--all"]
        listed = self.store.listed("list_objects_v2", Bucket=bucket, FetchOwner=True)
        want = [self.store.describe(bucket, entry, tags="tags" in names) for entry in listed]
        for engine in ENGINES:
            self.compare([*scan, *engine], bucket, want, names)
        by_v1 = zip(self.store.listed("list_objects", Bucket=bucket), want)
        self.compare([*scan, "--list-objects-v1"], bucket, [Object(entry, o.head, o.tags) for entry, o in by_v1], names)
        self.compare(["list", "--ordered"], bucket, [Object(entry, {}, {}) for entry in listed], of_list)
        names = [name for name in names if name not in ONLY_OF_LIST]
        self.keys([*scan, "--pipeline", "4"], bucket, [o.unlisted() for o in want], names)

    def keys(self, scan, bucket, want, names):
        """Compares objects whose keys come from files. A key that does not exist is among them."""
        keys = [*(o.listed["Key"] for o in want), "no such key"]
        lines = [{"key": o.listed["Key"], "etag": o.listed["ETag"].strip('"'), "size": o.listed["Size"]} for o in want]
        for form, text, flags in [
            ("txt", "".join(key + "\0" for key in keys), ["-0"]),
            ("jsonl", "\n".join(map(json.dumps, [*lines, {"key": "no such key"}])), []),
            ("csv", "\n".join(["n,name", *('1,"' + key.replace('"', '""') + '"' for key in keys)]), ["--keys-column", "name"]),
        ]:
            path, missing = os.path.join(self.folder, "keys." + form), os.path.join(self.folder, "missing.jsonl")
            pathlib.Path(path).write_text(text, encoding="utf-8")
            self.compare([*scan, "--keys", path, *flags, "--missing", missing], bucket, want, names)
            found = [json.loads(line)["key"] for line in pathlib.Path(missing).read_text(encoding="utf-8").splitlines()]
            if found != ["no such key"]:
                self.differ(path, f"missing are {found}")

    def versions(self, bucket):
        """Compares all versions of a bucket."""
        markers = self.store.listed("list_object_versions", "DeleteMarkers", Bucket=bucket)
        versions = self.store.listed("list_object_versions", "Versions", Bucket=bucket)
        want = [Object(entry | {"DeleteMarker": True}, {}, {}) for entry in markers]
        want += [self.store.describe(bucket, entry, version=entry["VersionId"]) for entry in versions]
        # One lister: behind a key that is only a marker, moto leaves out a version.
        scan = ["scan", "--all-versions", "--ordered", "--listers", "1", "--all"]
        for engine in ENGINES:
            self.compare([*scan, *engine], bucket, want, [*self.types], any_order=True)
        self.check_order(self.compare(scan, bucket, want, [*self.types], any_order=True))
        listed = [Object(o.listed, {}, {}) for o in want]
        self.check_order(self.compare(["list", *scan[1:5]], bucket, listed, [*self.of_list, "version_id"], any_order=True))

    def check_order(self, records):
        """Checks that keys are in order, and of each the newest version first."""
        for before, record in zip([{"key": ""}, *records], records):
            first = record["key"] != before["key"]
            if record["key"].encode() < before["key"].encode() or record["is_latest"] != first or (
                    not first and before["last_modified"] < record["last_modified"]):
                self.differ("order", f"{record} comes behind {before}")

    def compare(self, command, bucket, want, names, any_order=False):
        """Compares the records of a command with objects. boto3 does not say where delete markers are: in any_order."""
        title, before, said = f"{' '.join(command)} s3://{bucket}", self.differences, 0
        records = self.run(command, bucket, names)
        got = [{name: self.value(record, name) for name in names} for record in records]
        want = [{name: self.expect(o, name) for name in names} for o in want]
        if any_order:
            got, want = ({(o["key"], o["version_id"]): o for o in found} for found in (got, want))
            got, want = ([found[name] for name in sorted(found)] for found in (got, want))
        if len(got) != len(want) or len(got) != len(records):
            self.differ(title, f"{len(records)} records, {len(got)} of them distinct, and boto3 finds {len(want)} objects")
        for ours, theirs in zip(got, want):
            for name in names:
                said += ours[name] is not None
                if ours[name] != theirs[name]:
                    self.differ(title, f"{theirs['key']}: {name} is {ours[name]!r}, and boto3 says {theirs[name]!r}")
        for record in records:
            if unknown := record.keys() - {name + end for name in names for end in ("", "_b64")}:
                self.differ(title, f"unknown members {unknown} of {record}")
        print(f"{title}: {len(records)} records, {said} values, {self.differences - before} differences", flush=True)
        return records

    def run(self, command, bucket, names):
        done = subprocess.run(
            [self.headcount, *command, "--endpoint-url", self.store.endpoint, "--fields", ",".join(names), "--no-progress",
             f"s3://{bucket}"], capture_output=True, text=True, encoding="utf-8")
        if done.returncode != 0:
            sys.exit(f"{' '.join(command)} s3://{bucket}: exit {done.returncode}\n{done.stderr}")
        return [json.loads(line) for line in done.stdout.splitlines()]

    def expect(self, o, name):
        """Returns what boto3 says about a field, in the form of value."""
        if o.listed.get("DeleteMarker") and name not in [*self.of_list, "version_id"]:
            return None  # there is no HEAD
        value = FIELDS[name](o)
        return value.encode() if isinstance(value, str) else value

    def value(self, record, name):
        """Returns a field of a record: texts as bytes, and None if it is absent."""
        value, encoded = record.get(name), record.get(name + "_b64")
        if self.types[name] == "map" and (value is not None or encoded is not None):
            texts = {k: v.encode() for k, v in (value or {}).items()}
            texts |= {k: base64.b64decode(v) for k, v in (encoded or {}).items()}
            return {k: v for k, v in texts.items() if name != "headers" or k not in EACH_ANSWER}
        if encoded is not None:
            return base64.b64decode(encoded)
        if self.types[name] == "time" and value is not None:
            return datetime.datetime.fromisoformat(value.replace("Z", "+00:00"))
        return value.encode() if isinstance(value, str) else value

    def differ(self, title, text):
        self.differences += 1
        if self.differences <= 100:
            print(f"{title}: {text}", file=sys.stderr)

    def finish(self):
        if self.differences:
            sys.exit(f"{self.differences} differences")
        if unused := self.store.refuses - self.store.refused:
            sys.exit(f"no longer refused: {unused}")


if __name__ == "__main__":
    main()
