"""The data that is backed up: made once, kept in the cache folder, the same on every machine that
gets the same source package.

66 000 source files of the Linux kernel (Debian's source package, so they are real, of real sizes
and no two alike) and one file of 300 MB that no program can compress.
"""

import hashlib
import json
import os
import random
import shutil
import subprocess
import sys
from pathlib import Path

import debian

RANDOM_FILE = "random.bin"
MIB = 1 << 20
SEED = 20261122
CHANGED, DELETED, ADDED = 0.0085, 0.002, 0.002


def say(text):
    print(text, file=sys.stderr, flush=True)


def prepare(cache, files, random_mib):
    """The folder with so many files; made unless it is there."""
    home = cache / f"data-{files}-{random_mib}"
    done = home / "done.json"
    if not done.exists():
        shutil.rmtree(home, ignore_errors=True)
        source = home / "source"
        source.mkdir(parents=True)
        tarball = debian.source_tarball(cache / "linux", "linux")
        say(f"unpacking {files} files of {tarball.name}")
        subprocess.run(["tar", "-xf", tarball, "-C", source], check=True)
        keep_some(source, files)
        write_random(source / RANDOM_FILE, random_mib)
        done.write_text(json.dumps({"made of": tarball.name}))
    made_of = json.loads(done.read_text())["made of"]
    return home / "source", made_of


def all_files(folder):
    """Every file, in an order that does not depend on the file system."""
    found = []
    for parent, folders, names in os.walk(folder):
        folders.sort()
        found += [Path(parent, name) for name in names]
    return sorted(found)


def keep_some(source, files):
    """Keeps so many regular files, chosen by the hash of their path below the package's folder."""

    def rank(path):
        inside = path.relative_to(source).parts[1:]
        return hashlib.sha256("/".join(inside).encode()).digest()

    # Links first: those to folders would be found as files once their target is gone.
    for parent, folders, names in os.walk(source):
        for path in (Path(parent, name) for name in folders + names):
            if path.is_symlink():
                path.unlink()
    found = all_files(source)
    regular = [path for path in found if path.is_file()]
    if len(regular) < files:
        raise SystemExit(f"the package has only {len(regular)} files, not {files}")
    kept = set(sorted(regular, key=rank)[:files])
    for path in regular:
        if path not in kept:
            path.unlink()
    for parent, _, _ in os.walk(source, topdown=False):
        if not os.listdir(parent):
            os.rmdir(parent)


def write_random(path, mib):
    chance = random.Random(SEED)
    with open(path, "wb") as file:
        for _ in range(mib):
            file.write(chance.randbytes(MIB))


class Changes:
    """A change of about 1 %, done to a copy of the data, and taken back for the next round."""

    def __init__(self, pristine, copy):
        self.pristine, self.copy = pristine, copy
        chance = random.Random(SEED)
        inside = [path.relative_to(pristine) for path in all_files(pristine)]
        inside = [path for path in inside if path.name != RANDOM_FILE]
        count = len(inside)
        wanted = [max(1, round(count * share)) for share in (CHANGED, DELETED, ADDED)]
        # One more: the small file that is restored alone must be as it was.
        chosen = chance.sample(inside, sum(wanted))
        self.changed = chosen[: wanted[0]]
        self.deleted = chosen[wanted[0] : wanted[0] + wanted[1]]
        self.models = chosen[wanted[0] + wanted[1] :]
        self.added = [path.with_name("new-" + path.name) for path in self.models]
        touched = set(self.changed + self.deleted)
        small = [
            path
            for path in inside
            if path not in touched and 4_000 < (pristine / path).stat().st_size < 8_000
        ]
        self.single = small[len(small) // 2]

    def make(self):
        for number, path in enumerate(self.changed):
            (self.copy / path).write_bytes(edited((self.pristine / path).read_bytes(), number))
        for path in self.deleted:
            (self.copy / path).unlink()
        for number, (path, model) in enumerate(zip(self.added, self.models)):
            (self.copy / path).write_bytes(edited((self.pristine / model).read_bytes(), ~number))

    def take_back(self):
        for path in self.changed + self.deleted:
            shutil.copy2(self.pristine / path, self.copy / path)
        for path in self.added:
            (self.copy / path).unlink()


def edited(content, number):
    """As after an hour's work: some lines repeated elsewhere, some changed, one new."""
    chance = random.Random(SEED + number)
    lines = content.splitlines(keepends=True)
    for _ in range(1 + len(lines) // 50):
        at = chance.randrange(len(lines) + 1)
        model = chance.choice(lines) if lines else b""
        lines[at : at + chance.randrange(2)] = [model.replace(b"e", b"a", 1)]
    lines.append(b"/* changed %d */\n" % number)
    return b"".join(lines)


def warm(folder):
    """Reads everything once, so that every program finds the same page cache."""
    for path in all_files(folder):
        with open(path, "rb", buffering=0) as file:
            while file.read(MIB):
                pass


def differences(left, right):
    """Files that two folders do not have alike, by name and content."""

    def contents(folder):
        return {
            path.relative_to(folder): hashlib.blake2b(path.read_bytes()).digest()
            for path in all_files(folder)
        }

    one, other = contents(left), contents(right)
    return sorted(str(path) for path in one.keys() | other.keys() if one.get(path) != other.get(path))
