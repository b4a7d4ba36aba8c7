"""The programs that are compared, and how each is told to do each step.

A program is an object with `name`, `version`, and a function for each step that gives a command and
its environment. `restore_one` may give `None`: the program has no way to do it.
"""

import os
import shutil
import subprocess
from pathlib import Path

import debian
from debian import NotToBeHad
from server import REGION

RUSTIC_VERSION = "0.11.4"
PASSWORD = "benchmark"


class Place:
    """Where a program works in one round: its bucket, and its own folder for settings and caches."""

    def __init__(self, server, endpoint, bucket, home, source):
        self.server, self.endpoint, self.bucket = server, endpoint, bucket
        self.home, self.source = home, source


class Zipkeep:
    name = "zipkeep"

    def __init__(self, program):
        self.program = Path(program).resolve()
        if not self.program.is_file():
            raise NotToBeHad(f"{program} is missing: build it first")
        told = output([self.program, "--version"])
        self.version = told.split()[-1]
        self.restores_one = "--only" in output([self.program, "restore", "--help"])

    def environment(self, place):
        return {
            "ZIPKEEP_SECRET_ACCESS_KEY": place.server.secret,
            "ZIPKEEP_CONFIG_DIR": str(place.home / "config"),
            "ZIPKEEP_DATA_DIR": str(place.home / "data"),
        }

    def command(self, *arguments):
        return [self.program, "--profile", "bench", "--quiet", *arguments]

    def prepare(self, place):
        add = [self.program, "profile", "add", "bench", "--provider", "s3", "--root", "r"]
        add += ["--endpoint", place.endpoint, "--region", REGION, "--bucket", place.bucket]
        add += ["--access-key-id", place.server.key_id, "--source", place.source]
        return add, self.environment(place)

    def back_up(self, place):
        return self.command("backup"), self.environment(place)

    def restore(self, place, target):
        return self.command("restore", "latest", "--to", target), self.environment(place)

    def restore_one(self, place, target, path):
        if not self.restores_one:
            return None
        only = f"{place.source.name}/{path}"
        command = self.command("restore", "latest", "--to", target, "--only", only)
        return command, self.environment(place)


class Restic:
    name = "restic"

    def __init__(self, cache):
        self.program = debian.binary(made(cache / "restic"), "restic") / "usr/bin/restic"
        self.version = output([self.program, "version"]).split()[1]

    def run(self, place, *arguments):
        repository = f"s3:{place.endpoint}/{place.bucket}"
        command = [self.program, "--quiet", "-r", repository, "-o", "s3.bucket-lookup=path"]
        environment = {
            "AWS_ACCESS_KEY_ID": place.server.key_id,
            "AWS_SECRET_ACCESS_KEY": place.server.secret,
            "AWS_DEFAULT_REGION": REGION,
            "RESTIC_PASSWORD": PASSWORD,
            "RESTIC_CACHE_DIR": str(place.home / "cache"),
        }
        return [*command, *arguments], environment

    def prepare(self, place):
        return self.run(place, "init")

    def back_up(self, place):
        return self.run(place, "backup", place.source)

    def restore(self, place, target):
        return self.run(place, "restore", "latest", "--target", target)

    def restore_one(self, place, target, path):
        inside = place.source / path
        return self.run(place, "restore", "latest", "--target", target, "--include", inside)


class Rustic:
    name = "rustic"

    def __init__(self, cache):
        root = cache / "rustic"
        self.program = root / "bin/rustic"
        if not self.program.is_file():
            # Half an hour on two cores: once, and out of the way of other work.
            install = ["nice", "-n", "15", "cargo", "install", "rustic-rs", "--locked"]
            install += ["--version", RUSTIC_VERSION, "--no-default-features", "--root", root]
            if subprocess.run(install).returncode:
                raise NotToBeHad("cargo install rustic-rs failed")
        self.version = output([self.program, "--version"]).split()[-1]

    def run(self, place, *arguments):
        profile = made(place.home) / "rustic.toml"
        profile.write_text(
            f"""[repository]
repository = "opendal:s3"
password = "{PASSWORD}"
cache-dir = "{place.home}/cache"
[repository.options]
bucket = "{place.bucket}"
root = "/"
endpoint = "{place.endpoint}"
region = "{REGION}"
access_key_id = "{place.server.key_id}"
secret_access_key = "{place.server.secret}"
enable_virtual_host_style = "false"
"""
        )
        profile = str(profile.with_suffix(""))
        return [self.program, "-P", profile, "--no-progress", "--log-level", "warn", *arguments], {}

    def prepare(self, place):
        return self.run(place, "init")

    def back_up(self, place):
        return self.run(place, "backup", place.source)

    def restore(self, place, target):
        return self.run(place, "restore", "latest", target)

    def restore_one(self, place, target, path):
        return self.run(place, "restore", f"latest:{place.source / path}", target)


def made(folder):
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def output(command):
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def zip_program():
    """Info-ZIP, or `None`."""
    return shutil.which("zip")


def environment(more):
    """This process's environment without what would steer a program, and with `more`."""
    steering = ("AWS_", "S3_", "RESTIC_", "RUSTIC_", "OPENDAL_", "ZIPKEEP_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(steering)}
    return kept | {"LC_ALL": "C.UTF-8"} | more
