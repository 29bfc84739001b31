"""What a store says about its objects, as boto3 reads it. FIELDS has the value of each field of a record."""

import contextlib
import datetime
import email.header
import re
import sys
import urllib.parse

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError


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

    def listed(self, operation, member="Contents", **kwargs):
        pages = self.client.get_paginator(operation).paginate(**kwargs)
        return [entry for page in pages for entry in page.get(member, [])]

    def describe(self, bucket, listed, version=None, tags=True):
        """Returns all that the store says about a listed object."""
        name = {"Bucket": bucket, "Key": listed["Key"]} | ({"VersionId": version} if version else {})
        head = self.client.head_object(**name, ChecksumMode="ENABLED")
        tags = self.attempt("tags", self.client.get_object_tagging, **name) if tags else None
        return Object(listed, head, {tag["Key"]: tag["Value"] for tag in tags["TagSet"]} if tags else {})


class Object:
    """All that a store says about an object. A delete marker has an empty head."""

    def __init__(self, listed, head, tags):
        self.listed, self.head, self.tags = listed, head, tags

    def unlisted(self):
        """Returns the object for a scan that lists nothing."""
        listed = {"Key": self.listed["Key"], "Size": self.head["ContentLength"]}
        listed |= {name: self.head[name] for name in ("ETag", "LastModified", "StorageClass") if name in self.head}
        return Object(listed, self.head, self.tags)


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
    of_etag = re.fullmatch(r'"[0-9a-f]{32}-(\d+)"', o.listed.get("ETag", ""))
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
    "etag": lambda o: o.listed.get("ETag", "").strip('"') or None,
    "last_modified": from_list("LastModified"),
    "storage_class": from_list("StorageClass"),
    "version_id": lambda o: o.listed.get("VersionId") or o.head.get("VersionId"),
    "is_latest": from_list("IsLatest"),
    "delete_marker": lambda o: o.listed.get("DeleteMarker", False) if "IsLatest" in o.listed else None,
    "object_owner": lambda o: o.listed.get("Owner", {}).get("DisplayName") or o.listed.get("Owner", {}).get("ID"),
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
    "checksum_algorithm": lambda o: ",".join(o.listed.get("ChecksumAlgorithm", [])) or None,
    "checksum_type": lambda o: o.head.get("ChecksumType") or o.listed.get("ChecksumType") or None,
    "metadata_decoded": decoded,
    "tags": lambda o: {name: value.encode() for name, value in o.tags.items()},
    "headers": headers,
}
