"""Sends single signed requests and tells everything about their answers, also about broken ones.

Reads one request as JSON a line from standard input and writes one answer a line; see `ask` for
their fields. Environment as for s3.py.
"""

import hashlib
import http.client
import json
import os
import sys
import time
import urllib.parse

import s3

TEXT_BYTES = 4096
KEPT = {}


def connect(asked):
    """A new connection, or the one that was kept."""
    endpoint = urllib.parse.urlsplit(asked["endpoint"])
    kept = KEPT.get(endpoint.netloc)
    if asked["keeps_connection"] and kept:
        return kept
    connection = http.client.HTTPConnection(
        endpoint.hostname, endpoint.port, timeout=asked["timeout_secs"]
    )
    connection.connect()
    if asked["keeps_connection"]:
        KEPT[endpoint.netloc] = connection
    return connection


def ask(asked):
    path = "/" + s3.quote(os.environ["S3_BUCKET"])
    if asked["key"]:
        path += "/" + s3.quote(asked["key"], safe="/")
    pairs = sorted(asked["query"].items())
    query = "&".join(f"{s3.quote(name)}={s3.quote(value)}" for name, value in pairs)
    body = asked["body"].encode() or b"x" * asked["body_bytes"]
    host = urllib.parse.urlsplit(asked["endpoint"]).netloc
    headers = s3.signed_headers(
        asked["method"], host, path, query, hashlib.sha256(body).hexdigest(), asked["headers"]
    )
    told = {"status": 0, "etag": None, "text": "", "body_bytes": 0, "problem": ""}
    began = time.monotonic()
    connection = None
    try:
        connection = connect(asked)
        connection.request(asked["method"], path + ("?" + query if pairs else ""), body, headers)
        answer = connection.getresponse()
        told["status"], told["etag"] = answer.status, answer.getheader("etag")
        content = answer.read()
        told["text"] = content[:TEXT_BYTES].decode(errors="replace")
        told["body_bytes"] = len(content)
    except http.client.RemoteDisconnected:
        told["problem"] = "closed"
    except http.client.IncompleteRead as problem:
        told["problem"] = "cut"
        told["body_bytes"] = len(problem.partial)
    except (ConnectionResetError, BrokenPipeError):
        told["problem"] = "reset"
    except TimeoutError:
        told["problem"] = "timeout"
    except (OSError, http.client.HTTPException) as problem:
        told["problem"] = f"{type(problem).__name__}: {problem}"
    told["secs"] = time.monotonic() - began
    if connection and not asked["keeps_connection"]:
        connection.close()
    return told


for line in sys.stdin:
    print(json.dumps(ask(json.loads(line))), flush=True)
