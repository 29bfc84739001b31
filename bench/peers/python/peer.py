"""peer.py CLIENT ENDPOINT BUCKET CONCURRENCY: prints a JSON line for every object of the bucket that has metadata.

The clients: one, threads, processes, asyncio. The credentials come from the environment.
"""

import json
import os
import sys

REGION = "us-east-1"


def emit(key, metadata):
    if metadata:
        line = {"key": key, "metadata": metadata}
        sys.stdout.write(json.dumps(line, sort_keys=True, ensure_ascii=False, separators=(",", ":")) + "\n")


# --- boto3 ---


def new_client(endpoint, connections):
    import boto3
    from botocore.config import Config

    return boto3.client(
        "s3",
        endpoint_url=endpoint,
        region_name=REGION,
        config=Config(
            max_pool_connections=connections,
            parameter_validation=False,
            signature_version="s3v4",
            s3={"addressing_style": "path"},
        ),
    )


def list_keys(client, bucket):
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=bucket):
        for entry in page.get("Contents", ()):
            yield entry["Key"]


def one(endpoint, bucket, _):
    client = new_client(endpoint, 1)
    for key in list_keys(client, bucket):
        emit(key, client.head_object(Bucket=bucket, Key=key)["Metadata"])


def threads(endpoint, bucket, concurrency):
    from concurrent.futures import ThreadPoolExecutor

    client = new_client(endpoint, concurrency)  # threads may share a client

    def head(key):
        return key, client.head_object(Bucket=bucket, Key=key)["Metadata"]

    with ThreadPoolExecutor(concurrency) as pool:
        for key, metadata in pool.map(head, list_keys(client, bucket)):
            emit(key, metadata)


# The number of keys that a process gets at a time: a tenth of a page.
CHUNK = 100


def processes(endpoint, bucket, concurrency):
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor

    # A forked process need not import boto3 again. Forking is safe here: no thread runs yet.
    context = multiprocessing.get_context("fork")
    client = new_client(endpoint, 1)
    with ProcessPoolExecutor(concurrency, context, start_process, (endpoint, bucket)) as pool:
        for key, metadata in pool.map(head_in_process, list_keys(client, bucket), chunksize=CHUNK):
            emit(key, metadata)


def start_process(endpoint, bucket):
    if sys.platform == "linux":  # a process of a pool does not notice the end of its parent
        import ctypes
        import signal

        PR_SET_PDEATHSIG = 1
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    global process_client, process_bucket
    process_client, process_bucket = new_client(endpoint, 1), bucket


def head_in_process(key):
    return key, process_client.head_object(Bucket=process_bucket, Key=key)["Metadata"]


# --- aiohttp, with a signature of our own ---
# https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html


class Signer:
    """Signs requests without a body. The parts that all requests of a second share are computed once."""

    EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"  # SHA-256 of no body
    SIGNED = "host;x-amz-content-sha256;x-amz-date"

    def __init__(self, host):
        import hashlib
        import hmac
        import time

        self.hmac, self.sha256, self.time = hmac.digest, hashlib.sha256, time
        self.host = host
        self.access_key, self.secret_key = os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"]
        self.second, self.day = None, None

    def start_second(self, second):
        self.second = second
        self.date = self.time.strftime("%Y%m%dT%H%M%SZ", self.time.gmtime(second))
        if self.date[:8] != self.day:
            self.day = self.date[:8]
            key = b"AWS4" + self.secret_key.encode()
            for part in (self.day, REGION, "s3", "aws4_request"):
                key = self.hmac(key, part.encode(), "sha256")
            self.key = key
        self.scope = f"{self.day}/{REGION}/s3/aws4_request"
        self.headers = f"host:{self.host}\nx-amz-content-sha256:{self.EMPTY}\nx-amz-date:{self.date}\n\n{self.SIGNED}\n{self.EMPTY}"
        self.begin = f"AWS4-HMAC-SHA256 Credential={self.access_key}/{self.scope}, SignedHeaders={self.SIGNED}, Signature="

    def sign(self, method, path, query=""):
        """Returns the headers of a request. Its path and query must be percent-encoded."""
        second = int(self.time.time())
        if second != self.second:
            self.start_second(second)
        request = self.sha256(f"{method}\n{path}\n{query}\n{self.headers}".encode()).hexdigest()
        text = f"AWS4-HMAC-SHA256\n{self.date}\n{self.scope}\n{request}"
        signature = self.hmac(self.key, text.encode(), "sha256").hex()
        return {"x-amz-content-sha256": self.EMPTY, "x-amz-date": self.date, "Authorization": self.begin + signature}


def with_asyncio(endpoint, bucket, concurrency):
    import asyncio
    from urllib.parse import quote, unquote_plus
    from xml.etree import ElementTree

    import aiohttp
    from yarl import URL

    signer = Signer(URL(endpoint).authority)
    meta = "x-amz-meta-"

    async def pages(session):
        """Yields the keys of the bucket, a page at a time."""
        token = None
        while True:
            query = "encoding-type=url&list-type=2"
            if token is not None:
                query = f"continuation-token={quote(token, safe='')}&{query}"
            headers = signer.sign("GET", f"/{bucket}", query)
            async with session.get(URL(f"{endpoint}/{bucket}?{query}", encoded=True), headers=headers) as answer:
                root = ElementTree.fromstring(await answer.read())
            encoded = root.findtext("{*}EncodingType") == "url"
            keys = [e.text for e in root.iterfind("{*}Contents/{*}Key")]
            yield [unquote_plus(k) for k in keys] if encoded else keys
            token = root.findtext("{*}NextContinuationToken")
            if root.findtext("{*}IsTruncated") != "true":
                return

    async def heads(session, queue):
        while (key := await queue.get()) is not None:
            path = f"/{bucket}/{quote(key, safe='/~')}"
            async with session.head(URL(endpoint + path, encoded=True), headers=signer.sign("HEAD", path)) as answer:
                emit(key, {n[len(meta):].lower(): v for n, v in answer.headers.items() if n.lower().startswith(meta)})

    async def scan():
        connector = aiohttp.TCPConnector(limit=concurrency + 1)  # one for the LISTs
        async with aiohttp.ClientSession(connector=connector, raise_for_status=True) as session, asyncio.TaskGroup() as tasks:
            queue = asyncio.Queue(2 * concurrency)
            for _ in range(concurrency):
                tasks.create_task(heads(session, queue))
            async for page in pages(session):
                for key in page:
                    await queue.put(key)
            for _ in range(concurrency):
                await queue.put(None)

    asyncio.run(scan())


CLIENTS = {"one": one, "threads": threads, "processes": processes, "asyncio": with_asyncio}


def main():
    if len(sys.argv) != 5 or sys.argv[1] not in CLIENTS:
        sys.exit(f"usage: peer.py {'|'.join(CLIENTS)} ENDPOINT BUCKET CONCURRENCY")
    client, endpoint, bucket, concurrency = sys.argv[1:]
    CLIENTS[client](endpoint, bucket, int(concurrency))


if __name__ == "__main__":
    main()
