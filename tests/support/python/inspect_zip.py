"""Looks into an archive with Python's own zipfile.

`check ARCHIVE` reads every entry, holds the archive to what a plain ZIP promises, and prints the
names as JSON. `extract ARCHIVE FOLDER` extracts. `compare ARCHIVE FOLDER` checks what another
program extracted. Problems go to standard error, with exit code 1.
"""

import json
import os
import stat
import sys
import unicodedata
import zipfile

DATA_DESCRIPTOR = 0x08
UTF8_NAME = 0x800
CHUNK_BYTES = 1 << 20


def is_link(entry):
    return stat.S_ISLNK(entry.external_attr >> 16)


def name_problems(entry):
    name = entry.orig_filename
    if name.startswith("/") or "\0" in name:
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


def normal(path):
    return unicodedata.normalize("NFC", os.path.normpath(path))


def extracted_below(folder):
    """Every file and link below `folder`, by its normal spelling."""
    found = {}
    for parent, folders, files in os.walk(folder):
        links = [name for name in folders if os.path.islink(os.path.join(parent, name))]
        for name in files + links:
            path = os.path.join(parent, name)
            found[normal(path)] = path
    return found


def differs(file, entry, path):
    """Whether a file or link is not what the archive holds."""
    if os.path.islink(path):
        return not is_link(entry) or os.readlink(path) != file.read(entry).decode()
    if is_link(entry) and os.path.getsize(path) == 0:
        # 7z leaves an empty file for a link that points up, which it takes for an attack.
        return False
    with file.open(entry) as wanted, open(path, "rb") as found:
        return not same_bytes(wanted, found)


def compare(archive, folder):
    problems, left_over = [], extracted_below(folder)
    with zipfile.ZipFile(archive) as file:
        for entry in file.infolist():
            path = os.path.join(folder, entry.filename)
            if entry.is_dir():
                if not os.path.isdir(path) and not os.path.isdir(normal(path)):
                    problems.append(f"folder {entry.filename!r} is missing")
                continue
            # bsdtar composes letters and accents into one; the others keep the spelling.
            found = left_over.pop(normal(path), None)
            if found is None:
                problems.append(f"{entry.filename!r} is missing")
            elif differs(file, entry, found):
                problems.append(f"{entry.filename!r} differs")
    problems += [f"{path!r} is not in the archive" for path in left_over.values()]
    return [], problems


if __name__ == "__main__":
    verb, *arguments = sys.argv[1:]
    found, wrong = {"check": check, "extract": extract, "compare": compare}[verb](*arguments)
    print(json.dumps(found))
    for line in wrong:
        print(line, file=sys.stderr)
    sys.exit(1 if wrong else 0)
