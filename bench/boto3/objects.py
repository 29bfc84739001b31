"""The objects that compare.py puts into its buckets. A Store's attempt sends what a server may refuse."""

import datetime

LOCKED_UNTIL = datetime.datetime(2099, 1, 1, 12, 30, tzinfo=datetime.timezone.utc)
KEYS = [
    "plain", "folder/a b", "folder/a+b", "100%", "%41", "%2F", "#", "?", "?versionId=1", "&amp;", "a;b:c=d,e", "'\"", "<tag>",
    "ü/é/日本語/😀", "e\u0301", "dots/.../three", "-", "--help", "null", "`~^|{}[]*!$@", "tab\tin", " leading", "trailing ",
    "k" * 200, "\\", "\u2028", "\ufeff", "~", "\U0010ffff",
]
METADATA = [
    {"owner": "alice"},
    {},
    {"owner": "bob", "cost-center": "4711", "retention.days": "30", "under_score": "x", "0": "zero"},
    {"quoted": 'say "hi"', "path": "C:\\new\\table", "list": "a,b, c;d=e", "json": '{"a":[1,2],"b":"<&>"}'},
    {"long": "v" * 1900},
    {"word": "=?UTF-8?B?WsO8cmljaA==?=", "percent": "Z%C3%BCrich%20%2B", "neither": "100%"},
    {"Upper": "Case", "url": "https://example.com/?a=b&c=%41+d#e"},
]
RAW_METADATA = [  # headers, since boto3 refuses metadata that is not ASCII
    {"city": "Zürich 日本".encode(), "owner": b"alice"},
    {"latin-1": b"Z\xfcrich"},
    {"empty": b"", "outer": b"  both  "},
]
TAGS = ["env=prod", "env=prod&team=a%20b&empty=", "%C3%BCber=%E6%97%A5&a%2Bb=c%3Dd%40e", "x%2Fy=" + "v" * 256]
PROPERTIES = [  # the name of what a server may refuse, and arguments of PutObject
    ("headers", {
        "ContentType": "text/plain; charset=utf-8", "ContentEncoding": "gzip", "ContentLanguage": "de-CH, en",
        "ContentDisposition": "attachment; filename=\"a b.txt\"; filename*=UTF-8''%e2%82%ac",
        "CacheControl": "max-age=60, public", "Expires": datetime.datetime(2030, 1, 2, 3, 4, 5, tzinfo=datetime.timezone.utc),
    }),
    ("website", {"WebsiteRedirectLocation": "/other/page?x=1#y"}),
    *[("class", {"StorageClass": name}) for name in
      ["REDUCED_REDUNDANCY", "STANDARD_IA", "ONEZONE_IA", "INTELLIGENT_TIERING", "GLACIER_IR"]],
    ("sse", {"ServerSideEncryption": "AES256"}),
    ("kms", {"ServerSideEncryption": "aws:kms", "BucketKeyEnabled": True, "SSEKMSKeyId": "arn:aws:kms:us-east-1:1:key/a-b"}),
    ("kms", {"ServerSideEncryption": "aws:kms:dsse"}),
    ("checksum", {"ChecksumAlgorithm": "CRC32"}),
    ("checksum", {"ChecksumAlgorithm": "SHA1"}),
    ("checksum", {"ChecksumAlgorithm": "SHA256"}),
    *[("tags", {"Tagging": tags}) for tags in TAGS],
]


def put_all(store, bucket):
    """Puts an object for each key, and one for each property, into a bucket."""
    put = store.client.put_object
    for i, key in enumerate(KEYS):
        body = str(i) * i
        tags = {"Tagging": TAGS[i % len(TAGS)]} if i % 3 == 0 and "tags" not in store.refuses else {}
        store.attempt("keys", put, Bucket=bucket, Key=key, Body=body, Metadata=METADATA[i % len(METADATA)], **tags)
    store.attempt("folder", put, Bucket=bucket, Key="folder/", Metadata={"is": "folder"})
    for i, (name, arguments) in enumerate(PROPERTIES):
        store.attempt(name, put, Bucket=bucket, Key=f"properties/{i:02}", Body=name, **arguments)
    for i, metadata in enumerate(RAW_METADATA):
        headers = {"x-amz-meta-" + name: value.decode("latin-1") for name, value in metadata.items()}
        with store.sending(headers):
            store.attempt("raw", put, Bucket=bucket, Key=f"raw/{i}")
    put_parts(store, bucket)


def put_archived(store, bucket):
    """Puts archived objects, one of which is restored."""
    for name in ["DEEP_ARCHIVE", "GLACIER", "restored"]:
        store.client.put_object(Bucket=bucket, Key=name, StorageClass="DEEP_ARCHIVE" if name == "DEEP_ARCHIVE" else "GLACIER")
    store.attempt("restore", store.client.restore_object, Bucket=bucket, Key="restored", RestoreRequest={"Days": 3})


def put_parts(store, bucket):
    """Puts an object in two parts."""
    name = {"Bucket": bucket, "Key": "parts"}
    upload = {**name, "UploadId": store.client.create_multipart_upload(**name, Metadata={"owner": "alice"})["UploadId"]}
    parts = [{"PartNumber": n, "ETag": store.client.upload_part(**upload, PartNumber=n, Body=body)["ETag"]}
             for n, body in [(1, bytes(5 << 20)), (2, b"end")]]
    store.client.complete_multipart_upload(**upload, MultipartUpload={"Parts": parts})


def put_versions(store, bucket):
    """Puts versions, delete markers, null versions and null delete markers into a bucket."""
    def versioning(status):
        store.client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": status})

    def put(key, i):
        tags = {"Tagging": TAGS[i % len(TAGS)]} if i % 2 == 0 and "tags" not in store.refuses else {}
        store.client.put_object(Bucket=bucket, Key=key, Body="x" * i, Metadata=METADATA[i % len(METADATA)], **tags)

    for i, key in enumerate(KEYS[::2]):
        put(key, i)
    versioning("Enabled")
    for i, key in enumerate(KEYS):
        for j in range(i % 4):
            put(key, i + j)
        if i % 3 == 0:
            store.client.delete_object(Bucket=bucket, Key=key)
        if i % 6 == 0:
            put(key, i)
    for _ in range(2):
        store.client.delete_object(Bucket=bucket, Key="deleted twice, never put")
    versioning("Suspended")
    for i, key in enumerate(KEYS[::5]):
        put(key, i)
        if i % 2 == 0:
            store.client.delete_object(Bucket=bucket, Key=key)
    versioning("Enabled")
    put(KEYS[0], 3)


def put_locked(store, bucket):
    """Puts locked objects into a bucket with object lock."""
    put, named = store.client.put_object, lambda key: {"Bucket": bucket, "Key": key}
    for mode in ["GOVERNANCE", "COMPLIANCE"]:
        put(**named(mode), Body="x", ObjectLockMode=mode, ObjectLockRetainUntilDate=LOCKED_UNTIL)
    for hold in ["ON", "OFF"]:
        put(**named("hold " + hold), Body="x", ObjectLockLegalHoldStatus=hold)
    put(**named("both"), Body="x", ObjectLockLegalHoldStatus="ON", ObjectLockMode="GOVERNANCE",
        ObjectLockRetainUntilDate=LOCKED_UNTIL, Metadata={"owner": "alice"})
    put(**named("later"), Body="x")
    store.client.put_object_retention(**named("later"), Retention={"Mode": "GOVERNANCE", "RetainUntilDate": LOCKED_UNTIL})
    store.client.put_object_legal_hold(**named("later"), LegalHold={"Status": "ON"})
    put(**named("later"), Body="y")  # a version without a lock, above one with a lock
    put(**named("free"), Body="x")
