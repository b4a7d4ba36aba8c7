"""Runs one program to its end and writes its figures as JSON to standard output.

A process of its own, because Linux counts what the parent held at the fork into a child's peak
memory: this one holds nothing but Python, less than any of the programs needs.
"""

import ctypes
import json
import os
import signal
import subprocess
import sys
import time

PR_SET_PDEATHSIG = 1


def die_with_parent():
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def main(command):
    die_with_parent()
    began = time.monotonic()
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=die_with_parent,
    )
    said = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    figures = {
        "wall": time.monotonic() - began,
        "cpu": usage.ru_utime + usage.ru_stime,
        "peak_mib": usage.ru_maxrss / 1024,
        "code": os.waitstatus_to_exitcode(status),
        "said": said[-2000:],
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main(sys.argv[1:])
