"""Runs zipkeep beside restic and rustic, on the same data and the same server, and prints a table.

    cargo build --release --no-default-features --bin zipkeep-cli
    python3 tests/bench_peers/bench.py            (about 25 minutes on two cores; --small: 2)

It needs Python 3.9, a Debian with apt (restic and the data come from its mirror, in a folder of
their own), cargo (rustic is built from crates.io once, which takes half an hour) and 15 GB of disk.
All of that is kept in ZIPKEEP_PEERS_CACHE or ~/.cache/zipkeep-peers. A program that cannot be had is
named in the table. What is started is ended, also when this is interrupted.

How it is measured: each round has a fresh server, fresh buckets and fresh caches; the programs take
turns in each step, and a round begins with another one. Before each step the data is read once and
all that is unwritten is brought to the disk. Wall, CPU (user and system) and peak memory are those of
the client's process, from wait4. The table shows medians. Bytes and requests come from one more
round through a counting proxy, in which nothing is timed and every restored file is compared.
restic and rustic restore with the caches that their backups have left, as at home.
"""

import argparse
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
from pathlib import Path

# The modules beside this file leave no compiled copies in the source tree.
sys.dont_write_bytecode = True

import data
import peers
import server
from data import say

FIRST, SAME, CHANGED = "first backup", "nothing changed", "backup after a 1 % change"
RESTORE, ONE = "restore to an empty folder", "restore of one small file"
STEPS = [FIRST, CHANGED, SAME, RESTORE, ONE]
MB = 1_000_000
MEASURE = Path(__file__).resolve().with_name("measure.py")


def main():
    options = arguments()
    # Asked to end, it cleans up as after Ctrl-C.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    cache = peers.made(options.cache)
    programs, missing = find_programs(options, cache)
    files, random_mib = (1_500, 16) if options.small else (66_000, 300)
    pristine, made_of = data.prepare(cache, files, random_mib)
    work = options.work or cache / f"work-{os.getpid()}"
    copy = work / "source"
    work.mkdir(parents=True)
    try:
        shutil.copytree(pristine, copy, symlinks=True)
        bench = Bench(programs, server.program(cache), work, copy, data.Changes(pristine, copy))
        for number in range(options.runs):
            bench.round(number)
        bench.round(options.runs, counts=True)
        zipped = [time_zip(work, copy) for _ in range(options.runs)]
    finally:
        shutil.rmtree(work, ignore_errors=True)
    if options.json:
        Path(options.json).write_text(json.dumps([bench.timed, bench.counted, bench.sizes], indent=1))
    print(f"{describe(pristine)}, of {made_of} and a random file; {options.runs} runs, medians; ", end="")
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[1]:.1f}")
    print(table(bench, programs, missing, [run for run in zipped if run]))


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    default = os.environ.get("ZIPKEEP_PEERS_CACHE", Path.home() / ".cache/zipkeep-peers")
    root = Path(__file__).resolve().parents[2]
    parser.add_argument("--zipkeep", type=Path, default=root / "target/release/zipkeep-cli")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--only", default="zipkeep,restic,rustic", help="names, by commas")
    parser.add_argument("--small", action="store_true", help="few files, for a quick look")
    parser.add_argument("--cache", type=Path, default=default)
    parser.add_argument("--work", type=Path, help="scratch folder that is not there yet")
    parser.add_argument("--json", help="file for every single figure")
    return parser.parse_args()


def find_programs(options, cache):
    """The programs that can be had, and why the others cannot."""
    makers = {
        "zipkeep": lambda: peers.Zipkeep(options.zipkeep),
        "restic": lambda: peers.Restic(cache),
        "rustic": lambda: peers.Rustic(cache),
    }
    found, missing = [], {}
    for name in options.only.split(","):
        try:
            found.append(makers[name]())
            say(f"{name} {found[-1].version}")
        except KeyError:
            raise SystemExit(f"{name} is none of {', '.join(makers)}") from None
        except peers.NotToBeHad as problem:
            missing[name] = str(problem)
    return found, missing


class Bench:
    def __init__(self, programs, weed, work, source, changes):
        self.programs, self.weed, self.work = programs, weed, work
        self.source, self.changes = source, changes
        self.timed, self.counted, self.sizes = {}, {}, {}

    def round(self, number, counts=False):
        """All steps of all programs against one fresh server."""
        say(f"round {number + 1}{' (counting)' if counts else ''}")
        self.counter = None
        home = self.work / "round"
        running = server.Server(self.weed, home / "server")
        try:
            self.counter = server.Counter(running.port) if counts else None
            endpoint = self.counter.endpoint if counts else running.endpoint
            turn = number % max(1, len(self.programs))
            order = self.programs[turn:] + self.programs[:turn]
            places = {}
            for program in order:
                running.make_bucket(program.name)
                own = peers.made(home / program.name)
                place = peers.Place(running, endpoint, program.name, own, self.source)
                places[program.name] = place
                must(measure(*program.prepare(place)), f"{program.name}: prepare")
            for program in order:
                self.step(FIRST, program, program.back_up(places[program.name]))
                self.sizes[program.name] = running.bucket_bytes(program.name)
            for program in order:
                self.step(SAME, program, program.back_up(places[program.name]))
            self.changes.make()
            for program in order:
                self.step(CHANGED, program, program.back_up(places[program.name]))
            for program in order:
                self.restores(program, places[program.name])
            self.changes.take_back()
        finally:
            if self.counter:
                self.counter.close()
            running.close()
            shutil.rmtree(home, ignore_errors=True)

    def restores(self, program, place):
        for step in (RESTORE, ONE):
            target = peers.made(self.work / "restored")
            asked = program.restore(place, target)
            if step == ONE:
                asked = program.restore_one(place, target, self.changes.single)
            if asked:
                self.step(step, program, asked)
            if asked and self.counter:
                self.compare(program, step, target)
            shutil.rmtree(target)

    def compare(self, program, step, target):
        """What is restored must be what was backed up; else the figures mean nothing."""
        if step == RESTORE:
            # Each program puts the folder elsewhere below the target.
            place = next(target.rglob(data.RANDOM_FILE)).parent
            wrong = data.differences(self.source, place)
        else:
            found = data.all_files(target)
            right = (self.source / self.changes.single).read_bytes()
            wrong = [] if [path.read_bytes() for path in found] == [right] else found
        if wrong:
            raise SystemExit(f"{program.name}: {step}: {len(wrong)} files differ: {wrong[:5]}")

    def step(self, step, program, asked):
        data.warm(self.source)
        os.sync()
        if self.counter:
            self.counter.start_anew()
        figures = must(measure(*asked), f"{program.name}: {step}")
        say(f"  {step}, {program.name}: {figures['wall']:.2f} s")
        if self.counter:
            self.counted[f"{step}/{program.name}"] = dict(self.counter.counts)
        else:
            self.timed.setdefault(f"{step}/{program.name}", []).append(figures)


def measure(command, environment):
    """Runs a program to its end; the figures of its process and of those that it waited for."""
    ended = subprocess.run(
        [sys.executable, "-S", MEASURE, *command],
        env=peers.environment(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        check=True,
    )
    return json.loads(ended.stdout)


def must(figures, what):
    if figures["code"] != 0:
        raise SystemExit(f"{what} ended with {figures['code']}:\n{figures['said']}")
    return figures


def time_zip(work, source):
    """Info-ZIP on the same data: the figures, with the size."""
    program = peers.zip_program()
    if not program:
        return None
    archive = work / "peer.zip"
    data.warm(source)
    os.sync()
    figures = must(measure([program, "-6", "-r", "-q", archive, source], {}), "zip")
    figures["bytes"] = archive.stat().st_size
    archive.unlink()
    return figures


def describe(folder):
    sizes = [path.stat().st_size for path in data.all_files(folder)]
    return f"{len(sizes)} files, {sum(sizes) / MB:.0f} MB"


def table(bench, programs, missing, zipped):
    rows = [["step", "program", "wall s", "(all runs)", "CPU s", "peak MiB", "MB up", "MB down", "requests"]]
    for step in STEPS:
        for program in programs:
            runs = bench.timed.get(f"{step}/{program.name}")
            name = f"{program.name} {program.version}"
            if not runs:
                rows.append([step, name, "cannot", *[""] * 6])
                continue
            counts = bench.counted[f"{step}/{program.name}"]
            moved = [f"{counts[way] / MB:.2f}" for way in ("up", "down")]
            rows.append([step, name, *times(runs), *moved, str(counts["requests"])])
        rows += [[step, name, "not to be had", *[""] * 6] for name in missing]
    if zipped:
        rows.append(["pack to a local file", "zip -6 -r -q", *times(zipped), "", "", ""])
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    lines.insert(1, "|---|---|" + "--:|" * 7)
    lines += ["", "| stored after the first backup | MB |", "|---|--:|"]
    lines += [f"| {name} | {size / MB:.1f} |" for name, size in bench.sizes.items()]
    lines += [f"| zip -6 | {zipped[0]['bytes'] / MB:.1f} |"] if zipped else ["| zip | not to be had |"]
    lines += [f"\n{name} could not be had: {reason}" for name, reason in missing.items()]
    return "\n".join(lines)


def times(runs):
    def median(name):
        return statistics.median(run[name] for run in runs)

    walls = " ".join(f"{run['wall']:.2f}" for run in runs)
    return [f"{median('wall'):.2f}", walls, f"{median('cpu'):.2f}", f"{median('peak_mib'):.0f}"]


if __name__ == "__main__":
    sys.exit(main())
