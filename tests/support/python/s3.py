"""Speaks S3 with nothing but Python's standard library.

The tests look at a bucket through this, so that a mistake of the program's own client, or of the
crate below it, cannot hide itself. Signs with AWS Signature Version 4, path style.

Environment: S3_ENDPOINT, S3_REGION, S3_KEY_ID, S3_SECRET, S3_BUCKET; S3_PAGE for short pages.
Verbs: see `main`. Answers go to standard output as JSON; a refusal ends with exit code 3 and
"<status> <code> <message>" on standard error, no answer at all with exit code 4.
"""

import datetime
import hashlib
import hmac
import http.client
import json
import os
import sys
import time
import urllib.parse
import xml.etree.ElementTree

REQUEST_TIMEOUT_SECS = 20
PAGE = os.environ.get("S3_PAGE", "1000")


class Refused(Exception):
    """The server answered with an error."""


def quote(text, safe=""):
    return urllib.parse.quote(text, safe=safe + "-_.~")


def hmac_sha256(key, text):
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def signed_headers(method, host, path, query, payload_hash, more=None):
    now = datetime.datetime.now(datetime.timezone.utc)
    stamp, day = now.strftime("%Y%m%dT%H%M%SZ"), now.strftime("%Y%m%d")
    headers = {"host": host, "x-amz-content-sha256": payload_hash, "x-amz-date": stamp}
    headers.update(more or {})
    names = ";".join(sorted(headers))
    canonical = "\n".join(
        [method, path, query]
        + [f"{name}:{headers[name]}" for name in sorted(headers)]
        + ["", names, payload_hash]
    )
    region = os.environ["S3_REGION"]
    scope = f"{day}/{region}/s3/aws4_request"
    to_sign = "\n".join(
        ["AWS4-HMAC-SHA256", stamp, scope, hashlib.sha256(canonical.encode()).hexdigest()]
    )
    key = hmac_sha256(("AWS4" + os.environ["S3_SECRET"]).encode(), day)
    for part in (region, "s3", "aws4_request"):
        key = hmac_sha256(key, part)
    signature = hmac.new(key, to_sign.encode(), hashlib.sha256).hexdigest()
    headers["authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={os.environ['S3_KEY_ID']}/{scope}, "
        f"SignedHeaders={names}, Signature={signature}"
    )
    return headers


def request(method, key=None, query=None, body=b""):
    """Sends one request; returns (headers, body) or raises `Refused`."""
    endpoint = urllib.parse.urlsplit(os.environ["S3_ENDPOINT"])
    path = "/" + quote(os.environ["S3_BUCKET"])
    if key is not None:
        path += "/" + quote(key, safe="/")
    pairs = sorted((query or {}).items())
    query_text = "&".join(f"{quote(name)}={quote(value)}" for name, value in pairs)
    headers = signed_headers(
        method, endpoint.netloc, path, query_text, hashlib.sha256(body).hexdigest()
    )
    kind = http.client.HTTPSConnection if endpoint.scheme == "https" else http.client.HTTPConnection
    connection = kind(endpoint.hostname, endpoint.port, timeout=REQUEST_TIMEOUT_SECS)
    try:
        connection.request(method, path + ("?" + query_text if pairs else ""), body, headers)
        answer = connection.getresponse()
        content = answer.read()
    finally:
        connection.close()
    if answer.status // 100 != 2:
        raise Refused(refusal(answer.status, content))
    return dict(answer.getheaders()), content


def refusal(status, content):
    try:
        root = parse(content)
        return f"{status} {root.findtext('Code')} {root.findtext('Message')}"
    except xml.etree.ElementTree.ParseError:
        return f"{status} {content[:300]!r}"


def parse(content):
    root = xml.etree.ElementTree.fromstring(content)
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
    return root


def make_bucket(patience_secs):
    """Makes the bucket, waiting until the server is up and knows the keys."""
    deadline = time.monotonic() + patience_secs
    while True:
        try:
            request("PUT")
            return {}
        except Refused as problem:
            if "BucketAlreadyOwnedByYou" in str(problem):
                return {}
            failed = problem
        except OSError as problem:
            failed = problem
        except http.client.HTTPException as problem:
            failed = problem
        if time.monotonic() > deadline:
            raise failed
        time.sleep(0.05)


def keys():
    """Every key, by ListObjects version 1, whose paging all servers get right."""
    found, marker = [], ""
    while True:
        query = {"max-keys": PAGE, "encoding-type": "url"}
        if marker:
            query["marker"] = marker
        root = parse(request("GET", query=query)[1])
        decode = decoder(root)
        page = [decode(item.findtext("Key")) for item in root.findall("Contents")]
        found += page
        if root.findtext("IsTruncated") != "true" or not page:
            return found
        marker = page[-1]


def uploads():
    """Every multipart upload that was begun and neither completed nor aborted."""
    found, markers = [], {}
    while True:
        try:
            answer = request("GET", query={"uploads": "", "max-uploads": PAGE, **markers})[1]
        except Refused as problem:
            # What `rclone serve s3` says of a bucket without any.
            if str(problem).startswith("404 NoSuchUpload"):
                return found
            raise
        root = parse(answer)
        decode = decoder(root)
        page = [
            {"key": decode(item.findtext("Key")), "upload_id": item.findtext("UploadId")}
            for item in root.findall("Upload")
        ]
        found += page
        if root.findtext("IsTruncated") != "true" or not page:
            return found
        # The server's own markers: some list by upload id, not by key, and then give no key.
        next_markers = {
            "key-marker": root.findtext("NextKeyMarker"),
            "upload-id-marker": root.findtext("NextUploadIdMarker"),
        }
        markers = {name: value for name, value in next_markers.items() if value}


def decoder(root):
    if root.findtext("EncodingType") == "url":
        return urllib.parse.unquote_plus
    return str


def main(verb, *arguments):
    if verb == "make-bucket":
        return make_bucket(float(arguments[0]))
    if verb == "keys":
        return keys()
    if verb == "uploads":
        return uploads()
    if verb == "begin-upload":
        root = parse(request("POST", arguments[0], {"uploads": ""})[1])
        return root.findtext("UploadId")
    if verb == "put-part":
        key, upload_id, number = arguments
        query = {"partNumber": number, "uploadId": upload_id}
        request("PUT", key, query, sys.stdin.buffer.read())
        return {}
    if verb == "abort-upload":
        request("DELETE", arguments[0], {"uploadId": arguments[1]})
        return {}
    if verb == "put":
        request("PUT", arguments[0], body=sys.stdin.buffer.read())
        return {}
    if verb == "put-all":
        body = sys.stdin.buffer.read()
        for key in json.loads(arguments[0]):
            request("PUT", key, body=body)
        return {}
    if verb == "get":
        with open(arguments[1], "wb") as file:
            file.write(request("GET", arguments[0])[1])
        return {}
    if verb == "delete":
        request("DELETE", arguments[0])
        return {}
    raise SystemExit(f"unknown verb {verb}")


if __name__ == "__main__":
    try:
        print(json.dumps(main(*sys.argv[1:])))
    except Refused as problem:
        print(problem, file=sys.stderr)
        sys.exit(3)
    except (OSError, http.client.HTTPException) as problem:
        print(f"no answer: {problem}", file=sys.stderr)
        sys.exit(4)
