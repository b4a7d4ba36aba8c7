"""Runs one server and ends it, and only it, when whoever started this goes away.

Standard input is a pipe that the test process holds open. It closes when the test drops the
server, and also when the test process is killed, so that no server is ever left behind. A signal
on the parent's death would not do: it fires when the *thread* ends that started the child, and a
test runner gives each test a thread of its own.

Arguments: FOLDER LOG COMMAND...; FOLDER is the working directory and is removed at the end. Where
the server ends by itself, the folder stays for whoever wants to read the log, and exit code is 1.

A server of several processes is started by a script beside this one, through `start` and `watch`.
"""

import contextlib
import ctypes
import os
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
POLL_SECS = 0.2


def die_with_this_process():
    """Covers a kill of this very process, where the system offers it."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def start(command, **more):
    """Starts a process that does not outlive this one."""
    return subprocess.Popen(
        [str(part) for part in command],
        stdin=subprocess.DEVNULL,
        preexec_fn=die_with_this_process,
        **more,
    )


def watch(processes):
    """Waits until one of several ends, none of which should."""
    while all(process.poll() is None for process in processes):
        time.sleep(POLL_SECS)
    sys.exit(1)


def adopt_orphans():
    """What a server of several processes leaves becomes a child of this one, to be waited for."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1)


def end(server):
    """Ends the server with all its processes; when this returns, they write no more."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(server.pid, signal.SIGKILL)
    server.wait()
    with contextlib.suppress(ChildProcessError):
        while True:
            os.wait()


def remove_sockets(command):
    """SeaweedFS puts a socket for each port into the folder for temporary files, and leaves it there."""
    named = (re.fullmatch(r"-(\w+)\.port=(\d+)", argument) for argument in command)
    for part, port in (match.groups() for match in named if match):
        for number in (int(port), int(port) + 10_000):
            socket = Path(tempfile.gettempdir()) / f"seaweedfs-{part}-grpc-{number}.sock"
            socket.unlink(missing_ok=True)


def main(folder, log, *command):
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    adopt_orphans()
    with open(log, "ab") as output:
        server = start(
            command, cwd=folder, stdout=output, stderr=output, start_new_session=True
        )
    asked_to_end = False
    try:
        while server.poll() is None and not asked_to_end:
            readable, _, _ = select.select([sys.stdin], [], [], POLL_SECS)
            asked_to_end = bool(readable)
    finally:
        end(server)
        remove_sockets(command)
    if not asked_to_end:
        sys.exit(1)
    shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
