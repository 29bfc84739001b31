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
import email.header
import json
import logging
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import urllib.parse

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

import objects

FIELDS_TABLE = pathlib.Path(__file__).parents[2] / "scan" / "field" / "README.md"
ENGINES = [["--engine", "sdk"], ["--engine", "direct"], ["--engine", "direct", "--pipeline", "4"]]


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
        store.client.create_bucket(Bucket="plain")
        objects.put_all(store, "plain")
        comparison.newest("plain")
        store.client.create_bucket(Bucket="versions")
        objects.put_versions(store, "versions")
        comparison.newest("versions")
        if store.attempt("lock", store.client.create_bucket, Bucket="locked", ObjectLockEnabledForBucket=True):
            objects.put_locked(store, "locked")
            comparison.newest("locked")
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


class Store:
    """A server that speaks S3, through boto3."""

    def __init__(self, endpoint, refuses):
        self.endpoint = endpoint
        self.client = boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1", config=Config(
            s3={"addressing_style": "path"}, retries={"total_max_attempts": 1}))
        self.refuses, self.refused = refuses, set()

    def attempt(self, name, call, **kwargs):
        """Sends a request that some servers refuse. It returns None if this server does."""
        try:
            return call(**kwargs)
        except ClientError as error:
            if name not in self.refuses:
                sys.exit(f"{name} is refused: {error} ({kwargs})")
            self.refused.add(name)
            return None

    @contextlib.contextmanager
    def sending(self, headers):
        """Adds headers to each PutObject."""
        def add(params, **_):
            params["headers"].update(headers)

        self.client.meta.events.register("before-call.s3.PutObject", add)
        yield
        self.client.meta.events.unregister("before-call.s3.PutObject", add)

    def pages(self, operation, **kwargs):
        return self.client.get_paginator(operation).paginate(**kwargs)

    def describe(self, bucket, listed, version=None):
        """Returns all that the store says about a listed object."""
        name = {"Bucket": bucket, "Key": listed["Key"]} | ({"VersionId": version} if version else {})
        head = self.client.head_object(**name, ChecksumMode="ENABLED")
        archived = head.get("StorageClass") in ("GLACIER", "DEEP_ARCHIVE")  # whose tags moto, unlike AWS, refuses
        tags = None if archived else self.attempt("tags", self.client.get_object_tagging, **name)
        return Object(listed, head, {tag["Key"]: tag["Value"] for tag in tags["TagSet"]} if tags else {})


class Object:
    """All that a store says about an object."""

    def __init__(self, listed, head, tags):
        self.listed, self.head, self.tags = listed, head, tags

    def unlisted(self):
        """Returns the object for a scan that lists nothing."""
        listed = {"Key": self.listed["Key"], "Size": self.head["ContentLength"]}
        listed |= {name: self.head[name] for name in ("ETag", "LastModified", "StorageClass") if name in self.head}
        return Object(listed, self.head, self.tags)


# --- what boto3's answers say about each field ---


def from_list(member):
    return lambda o: o.listed.get(member)


def from_head(member):
    """boto3 decodes headers as Latin-1."""
    def value(o):
        found = o.head.get(member)
        return found.encode("latin-1") if isinstance(found, str) else found
    return value


def metadata(o):
    """boto3 keeps blanks at the end of a value, which HTTP does not count to it (RFC 9110, 5.5)."""
    return {name: value.encode("latin-1").strip(b" \t") for name, value in o.head["Metadata"].items()}


def decoded(o):
    texts = {}
    for name, value in metadata(o).items():
        text = value.decode("utf-8", "replace")
        if "=?" in text:
            found = "".join(part.decode(charset or "ascii") if isinstance(part, bytes) else part
                            for part, charset in email.header.decode_header(text))
        elif "%" in text and not re.search("%(?![0-9A-Fa-f]{2})", text):
            found = urllib.parse.unquote(text)
        else:
            continue
        if found != text:
            texts[name] = found.encode()
    return texts or None


def encryption_status(o):
    if o.head.get("SSECustomerAlgorithm"):
        return "SSE-C"
    words = {"AES256": "SSE-S3", "aws:kms": "SSE-KMS", "aws:kms:dsse": "DSSE-KMS", None: "NOT-SSE"}
    return words[o.head.get("ServerSideEncryption")]


def restore_expiry(o):
    found = re.search('expiry-date="(.*)"', o.head.get("Restore", ""))
    return found and datetime.datetime.strptime(found[1], "%a, %d %b %Y %H:%M:%S %Z").replace(tzinfo=datetime.timezone.utc)


def parts_count(o):
    of_etag = re.fullmatch(r'"[0-9a-f]{32}-(\d+)"', o.listed["ETag"])
    return o.head.get("PartsCount") or (int(of_etag[1]) if of_etag else None)


def checksums(o):
    sums = {name.removeprefix("Checksum").lower(): value.encode() for name, value in o.head.items()
            if name.startswith("Checksum") and name != "ChecksumType"}
    return sums or None


def headers(o):
    """All headers that are no metadata, but for those that differ in each answer, and the connection's own."""
    return {name: value.encode("latin-1") for name, value in o.head["ResponseMetadata"]["HTTPHeaders"].items()
            if not name.startswith("x-amz-meta-") and name not in EACH_ANSWER | {"connection"}}


EACH_ANSWER = {"date", "x-amz-request-id", "x-amz-id-2", "x-amzn-requestid"}
FIELDS = {
    "key": from_list("Key"),
    "metadata": metadata,
    "size": from_list("Size"),
    "etag": lambda o: o.listed["ETag"].strip('"'),
    "last_modified": from_list("LastModified"),
    "storage_class": from_list("StorageClass"),
    "version_id": from_head("VersionId"),
    "content_type": from_head("ContentType"),
    "content_encoding": from_head("ContentEncoding"),
    "content_language": from_head("ContentLanguage"),
    "content_disposition": from_head("ContentDisposition"),
    "cache_control": from_head("CacheControl"),
    "expires": from_head("ExpiresString"),
    "website_redirect_location": from_head("WebsiteRedirectLocation"),
    "server_side_encryption": from_head("ServerSideEncryption"),
    "sse_kms_key_id": from_head("SSEKMSKeyId"),
    "sse_customer_algorithm": from_head("SSECustomerAlgorithm"),
    "encryption_status": encryption_status,
    "bucket_key_enabled": from_head("BucketKeyEnabled"),
    "replication_status": from_head("ReplicationStatus"),
    "object_lock_mode": from_head("ObjectLockMode"),
    "object_lock_retain_until": from_head("ObjectLockRetainUntilDate"),
    "object_lock_legal_hold": from_head("ObjectLockLegalHoldStatus"),
    "object_lock_event_hold": from_head("ObjectLockEventHoldStatus"),
    "object_lock_event_hold_days": lambda o: o.head.get("ObjectLockEventHoldDuration", {}).get("Days"),
    "object_lock_event_hold_years": lambda o: o.head.get("ObjectLockEventHoldDuration", {}).get("Years"),
    "expiration": from_head("Expiration"),
    "restore": from_head("Restore"),
    "restore_expiry": restore_expiry,
    "archive_status": from_head("ArchiveStatus"),
    "parts_count": parts_count,
    "tag_count": from_head("TagCount"),
    "checksums": checksums,
    "checksum_type": from_head("ChecksumType"),
    "metadata_decoded": decoded,
    "headers": headers,
}
NOT_COMPARED = {"prefix", "request_id", "changed", "missing_meta"}


def fields():
    """Returns the names and types of all fields, and whether a LIST has them."""
    rows = re.findall(r"^\| `(\w+)` \| (\w+) \| (\w+) \|", FIELDS_TABLE.read_text(encoding="utf-8"), re.M)
    table = {name: (kind, origin) for name, kind, origin in rows if name not in NOT_COMPARED}
    if table.keys() != FIELDS.keys():
        sys.exit(f"fields that are compared, or in {FIELDS_TABLE}, and not in both: {table.keys() ^ FIELDS.keys()}")
    return table


# --- the comparison ---


class Comparison:
    def __init__(self, store, headcount, folder):
        self.store, self.headcount, self.folder = store, headcount, folder
        self.fields, self.differences = fields(), 0

    def newest(self, bucket):
        """Compares the newest versions of a bucket."""
        listed = [entry for page in self.store.pages("list_objects_v2", Bucket=bucket) for entry in page.get("Contents", [])]
        want = [self.store.describe(bucket, entry) for entry in listed]
        for flags in [*ENGINES, ["--list-objects-v1"]]:
            self.compare(["scan", "--ordered", "--all", *flags], bucket, want, self.fields)
        of_list = [name for name, (_, origin) in self.fields.items() if origin == "LIST"]
        self.compare(["list", "--ordered"], bucket, want, of_list)
        self.keys(bucket, [o.unlisted() for o in want])

    def keys(self, bucket, want):
        """Compares objects whose keys come from files. A key that does not exist is among them."""
        keys = [*(o.listed["Key"] for o in want), "no such key"]
        lines = [{"key": o.listed["Key"], "etag": o.listed["ETag"].strip('"'), "size": o.listed["Size"]} for o in want]
        lines.append({"key": "no such key"})
        for form, text in {
            "keys.txt": "".join(key + "\0" for key in keys), "keys.jsonl": "\n".join(map(json.dumps, lines)),
            "keys.csv": "n,name\n" + "\n".join('1,"' + key.replace('"', '""') + '"' for key in keys),
        }.items():
            path, missing = os.path.join(self.folder, form), os.path.join(self.folder, "missing.jsonl")
            pathlib.Path(path).write_text(text, encoding="utf-8")
            flags = {"keys.txt": ["-0"], "keys.csv": ["--keys-column", "name"]}.get(form, [])
            command = ["scan", "--ordered", "--all", "--keys", path, *flags, "--missing", missing]
            self.compare(command, bucket, want, self.fields)
            found = [json.loads(line)["key"] for line in pathlib.Path(missing).read_text(encoding="utf-8").splitlines()]
            if found != ["no such key"]:
                self.differ(" ".join(command), f"missing are {found}")

    def run(self, command, bucket, names):
        stats = os.path.join(self.folder, "stats.json")
        done = subprocess.run(
            [self.headcount, *command, "--endpoint-url", self.store.endpoint, "--fields", ",".join(names), "--stats", stats,
             "--no-progress", f"s3://{bucket}"], capture_output=True, text=True, encoding="utf-8")
        if done.returncode != 0:
            sys.exit(f"{' '.join(command)} s3://{bucket}: exit {done.returncode}\n{done.stderr}")
        return [json.loads(line) for line in done.stdout.splitlines()]

    def compare(self, command, bucket, want, names):
        title, before = f"{' '.join(command)} s3://{bucket}", self.differences
        records = self.run(command, bucket, names)
        if len(records) != len(want):
            self.differ(title, f"{len(records)} records, and boto3 finds {len(want)} objects")
        said = 0
        for record, o in zip(records, want):
            got = {name: self.value(record, name) for name in names}
            expected = {name: plain(FIELDS[name](o)) for name in names}
            for name in names:
                if got[name] != expected[name]:
                    self.differ(title, f"{o.listed['Key']!r}: {name} is {got[name]!r}, and boto3 says {expected[name]!r}")
            if unknown := record.keys() - {name + end for name in names for end in ("", "_b64")}:
                self.differ(title, f"{o.listed['Key']!r}: {unknown}")
            said += sum(value is not None for value in got.values())
        print(f"{title}: {len(records)} records, {said} values, {self.differences - before} differences", flush=True)

    def value(self, record, name):
        """Returns a field of a record: texts as bytes, and None if it is absent."""
        value, encoded = record.get(name), record.get(name + "_b64")
        if self.fields[name][0] == "map" and (value is not None or encoded is not None):
            texts = {k: v.encode() for k, v in (value or {}).items()}
            texts |= {k: base64.b64decode(v) for k, v in (encoded or {}).items()}
            return {k: v for k, v in texts.items() if name != "headers" or k not in EACH_ANSWER}
        if encoded is not None:
            return base64.b64decode(encoded)
        if self.fields[name][0] == "time" and value is not None:
            return datetime.datetime.fromisoformat(value.replace("Z", "+00:00"))
        return plain(value)

    def differ(self, title, text):
        self.differences += 1
        if self.differences <= 100:
            print(f"{title}: {text}", file=sys.stderr)

    def finish(self):
        if self.differences:
            sys.exit(f"{self.differences} differences")
        if unused := self.store.refuses - self.store.refused:
            sys.exit(f"no longer refused: {unused}")


def plain(value):
    return value.encode() if isinstance(value, str) else value


if __name__ == "__main__":
    main()
