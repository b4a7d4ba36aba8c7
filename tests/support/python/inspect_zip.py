"""Looks into an archive with Python's own zipfile.

`check ARCHIVE` reads every entry, holds the archive to what a plain ZIP promises, and prints the
names as JSON. `extract ARCHIVE FOLDER` extracts. `compare ARCHIVE FOLDER` checks what another
program extracted. Problems go to standard error, with exit code 1.
"""

import json
import os
import stat
import sys
import zipfile

DATA_DESCRIPTOR = 0x08
UTF8_NAME = 0x800
CHUNK_BYTES = 1 << 20


def is_link(entry):
    return stat.S_ISLNK(entry.external_attr >> 16)


def name_problems(entry):
    name = entry.orig_filename
    if name.startswith("/") or "\\" in name or "\0" in name:
        yield "is not a plain relative name"
    if any(part in ("", ".", "..") for part in name.rstrip("/").split("/")):
        yield "has an empty or dotted part"
    if not name.isascii() and not entry.flag_bits & UTF8_NAME:
        yield "is not marked as UTF-8"


def problems_of(entry):
    yield from name_problems(entry)
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        yield f"uses method {entry.compress_type}, which not every program knows"
    if entry.compress_type == zipfile.ZIP_STORED and entry.flag_bits & DATA_DESCRIPTOR:
        yield "is stored with its size behind it, which readers of streams refuse"
    if entry.is_dir() and entry.file_size:
        yield "is a folder with content"


def check(archive):
    problems = []
    with zipfile.ZipFile(archive) as file:
        # Opening an entry compares its local header with the directory; reading checks its CRC.
        broken = file.testzip()
        if broken is not None:
            problems.append(f"{broken!r}: CRC differs")
        names = [entry.filename for entry in file.infolist()]
        if len(names) != len(set(names)):
            problems.append(f"names occur twice: {sorted(n for n in names if names.count(n) > 1)}")
        for entry in file.infolist():
            problems += [f"{entry.filename!r} {problem}" for problem in problems_of(entry)]
    return names, problems


def extract(archive, folder):
    with zipfile.ZipFile(archive) as file:
        file.extractall(folder)
    return [], []


def same_bytes(left, right):
    while True:
        one, other = left.read(CHUNK_BYTES), right.read(CHUNK_BYTES)
        if one != other:
            return False
        if not one:
            return True


def compare(archive, folder):
    problems, expected = [], set()
    with zipfile.ZipFile(archive) as file:
        for entry in file.infolist():
            path = os.path.join(folder, entry.filename)
            if entry.is_dir():
                if not os.path.isdir(path):
                    problems.append(f"folder {entry.filename!r} is missing")
                continue
            expected.add(os.path.normpath(path))
            if not os.path.lexists(path):
                problems.append(f"{entry.filename!r} is missing")
            elif os.path.islink(path):
                if not is_link(entry) or os.readlink(path) != file.read(entry).decode():
                    problems.append(f"{entry.filename!r} is a link to {os.readlink(path)!r}")
            else:
                with file.open(entry) as wanted, open(path, "rb") as found:
                    if not same_bytes(wanted, found):
                        problems.append(f"{entry.filename!r} differs")
    for parent, folders, files in os.walk(folder):
        links = [name for name in folders if os.path.islink(os.path.join(parent, name))]
        for name in files + links:
            path = os.path.normpath(os.path.join(parent, name))
            if path not in expected:
                problems.append(f"{path!r} was extracted, but is not in the archive")
    return [], problems


if __name__ == "__main__":
    verb, *arguments = sys.argv[1:]
    found, wrong = {"check": check, "extract": extract, "compare": compare}[verb](*arguments)
    print(json.dumps(found))
    for line in wrong:
        print(line, file=sys.stderr)
    sys.exit(1 if wrong else 0)
