"""Fetches packages of another Debian release without touching this machine's own sources.

The mirror is the one that this machine uses; apt's state and cache live in a folder of their own.
"""

import re
import subprocess
from pathlib import Path

RELEASE = "trixie"
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
SOURCES = Path("/etc/apt")


class NotToBeHad(Exception):
    """Something that has to be fetched cannot be, with the reason."""


def binary(folder, package):
    """Unpacks a package into `folder` unless it is there."""
    if not (folder / "done").exists():
        options = prepare(folder)
        apt(folder, options, ["download", package])
        for archive in folder.glob("*.deb"):
            run(["dpkg-deb", "-x", archive.name, "."], folder)
        (folder / "done").touch()
    return folder


def source_tarball(folder, package):
    """The upstream tarball of a source package."""
    if not (folder / "done").exists():
        options = prepare(folder)
        apt(folder, options, ["source", "--download-only", "--tar-only", package])
        (folder / "done").touch()
    return next(folder.glob("*.orig.tar.*"))


def prepare(folder):
    mirror = own_mirror()
    for part in ("lists/partial", "cache/archives/partial", "parts"):
        (folder / "apt" / part).mkdir(parents=True, exist_ok=True)
    lines = [f"{kind} [signed-by={KEYRING}] {mirror} {RELEASE} main\n" for kind in ("deb", "deb-src")]
    apt_folder = (folder / "apt").resolve()
    (apt_folder / "sources.list").write_text("".join(lines))
    options = [
        f"Dir::Etc::sourcelist={apt_folder}/sources.list",
        f"Dir::Etc::sourceparts={apt_folder}/parts",
        f"Dir::State::lists={apt_folder}/lists",
        f"Dir::Cache={apt_folder}/cache",
    ]
    options = [word for option in options for word in ("-o", option)]
    apt(folder, options, ["update"])
    return options


def own_mirror():
    for file in [SOURCES / "sources.list", *sorted((SOURCES / "sources.list.d").glob("*"))]:
        for line in file.read_text().splitlines() if file.is_file() else []:
            found = re.match(r"(?:deb\s+(?:\[.*?\]\s+)?|URIs:\s*)(\S+/debian)/?(?:\s|$)", line)
            if found:
                return found[1]
    raise NotToBeHad("this machine has no Debian mirror")


def apt(folder, options, arguments):
    run(["apt-get", "-q", *options, *arguments], folder)


def run(command, folder):
    try:
        ended = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    except FileNotFoundError as problem:
        raise NotToBeHad(f"{command[0]} is missing") from problem
    if ended.returncode:
        raise NotToBeHad(f"{command[0]}: {(ended.stderr or ended.stdout).strip()[-300:]}")
