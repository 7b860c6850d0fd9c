"""Times Juyi and its peers on the same rows, checks that they solve the same problem, and writes the table.

Every timing is a process of its own, and the sides take turns. Exit status 1 if an agreement fails; a floor that is
missed is marked in the table.
"""

import argparse
import json
import os
import platform
import resource
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from statistics import median

import numpy as np

import agreement
import page
import problem
from agreement import Answers, Disagreement
from rows import ROWS

HERE = Path(__file__).resolve().parent
OURS = HERE.parent / "target" / "release" / "juyi-benchmarks"


# ---------------------------------------------------------------------------------------------- timing


@dataclass
class Side:
    """One side's timings of a row."""

    command: list
    out: Path
    seconds: list = field(default_factory=list)
    kib: list = field(default_factory=list)
    notices: list = field(default_factory=list)

    def go(self, times, environment):
        ran = self.run(times, environment)
        if ran.returncode:
            sys.exit(f"{' '.join(ran.args)}\n{ran.stderr}")
        self.hear(ran)

    def run(self, times, environment, **limits):
        command = [str(part) for part in (*self.command, times, self.out)]
        return subprocess.run(command, env=environment, capture_output=True, text=True, **limits)

    def hear(self, ran):
        said = json.loads(ran.stdout.splitlines()[-1])
        self.seconds += said["seconds"]
        self.kib.append(said["kib"])
        self.notices = said["notices"]

    def mib(self):
        return median(self.kib) / 1024


def quicker(side, environment):
    """A peer with the threads that all have, or with one if it is quicker so: small products of matrices often are."""
    tried = []
    for variables in (environment, environment | threads(1)):
        probe = Side(side.command, side.out)
        probe.go(1, variables)
        tried.append((probe.seconds[0], variables))
    return side, min(tried, key=lambda one: one[0])[1]


def threads(count):
    return {f"{name}_NUM_THREADS": str(count) for name in ("OMP", "OPENBLAS", "MKL", "RAYON")}


def time_row(row, folder, options, environment):
    n = min(options.rows, row.most or options.rows)
    data = folder / f"{row.data}-{n}"
    problem.write(data, row.data, n)
    ours = Side([OURS, data, row.labelled, row.method, json.dumps(row.parameters), row.learner], folder / "ours")
    theirs = [sys.executable, "-B", HERE / "peers.py", data, row.labelled]
    sides = [quicker(Side([*theirs, peer.name], folder / peer.name), environment) for peer in row.peers]
    for _ in range(options.rounds):
        for side, variables in [(ours, environment), *sides]:
            if sum(side.seconds) < problem.ENOUGH:
                side.go(options.fits, variables)
    sides = [side for side, _ in sides]
    agreement.data.load(data, row.labelled)
    return n, ours, sides


def reach_of(row, folder, options, environment):
    """How far each peer of a row gets with twice the rows again and again, and ours with as many: lines of a table."""
    limit, lines = options.reach, []

    def attempt(command, name, n):
        """One fit of `n` rows a domain: its side, or why it did not end well."""
        data = folder / f"{row.data}-{n}"
        if not data.exists():
            problem.write(data, row.data, n)
        side = Side([part if part != "DATA" else data for part in command], folder / name)
        bound = problem.REACH_GIB << 30
        try:
            within = lambda: resource.setrlimit(resource.RLIMIT_AS, (bound, bound))
            ran = side.run(1, environment, timeout=limit + problem.START_UP, preexec_fn=within)
        except subprocess.TimeoutExpired:
            return None, "time"
        if ran.returncode:
            memory = "MemoryError" in ran.stderr or "alloc" in ran.stderr or ran.returncode < 0
            return None, "memory" if memory else ran.stderr.strip().splitlines()[-1][:60]
        side.hear(ran)
        return (side, "") if side.seconds[0] <= limit else (None, "time")

    ours = [OURS, "DATA", row.labelled, row.method, json.dumps(row.parameters), row.learner]
    for peer in row.peers:
        theirs = [sys.executable, "-B", HERE / "peers.py", "DATA", row.labelled, peer.name]
        last, n, why = None, min(options.rows, row.most or options.rows), ""
        while n <= problem.REACH_ROWS:
            side, why = attempt(theirs, peer.name, n)
            if side is None:
                break
            last, n = (n, side), 2 * n
        if last is None:
            lines.append(f"| {row.label} | {peer.label} | none | - | {why} | - | - |")
            continue
        (most, side), why = last, why or "not ended"
        cells = [row.label, peer.label, f"{most:,}", f"{side.seconds[0]:.3g}", why]
        for count in (most, 2 * most):
            own, ended = attempt(ours, "ours", count)
            cells.append(ended if own is None else f"{own.seconds[0]:.3g}")
        lines.append(f"| {' | '.join(cells)} |")
    return lines


REACH_HEAD = """\
| problem | peer | most rows a domain | peer, s | what ended it | Juyi with as many, s | with twice as many, s |
| --- | --- | ---: | ---: | --- | ---: | ---: |"""


def lines_of(row, n, ours, sides):
    """The lines of the table, the ratios by name, and whether all agree."""
    lines, ratios, fine = [], {}, True
    for peer, side in zip(row.peers, sides):
        try:
            agrees = peer.check(Answers(ours.out), Answers(side.out))
        except Disagreement as failure:
            agrees, fine = f"**no: {failure}**", False
        ratio, best = median(side.seconds) / median(ours.seconds), min(side.seconds) / min(ours.seconds)
        floor = "" if peer.floor is None else f"{peer.floor:g}"
        missed = " (missed)" if peer.floor is not None and ratio < peer.floor else ""
        more = " (more)" if peer.floor is not None and ours.mib() > side.mib() else ""
        ratios[f"{row.label}, {peer.label}"] = ratio
        cells = [f"{row.label}: {row.problem}", peer.label, f"{n:,}"]
        cells += [f"{median(ours.seconds):.3g}", f"{median(side.seconds):.3g}"]
        cells += [f"{ratio:.1f}", f"{best:.1f}", f"{floor}{missed}", f"{ours.mib():.1f}{more}", f"{side.mib():.1f}"]
        lines.append(f"| {' | '.join([*cells, agrees])} |")
    return lines, ratios, fine


HEAD = """\
| problem | peer | rows | Juyi, s | peer, s | ratio | of the best | floor | Juyi, MiB | peer, MiB | agreement |
| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | --- |"""


def in_all(ratios):
    """The mean of the ratios, and the least."""
    least = min(ratios, key=ratios.get)
    mean, below = np.exp(np.log(list(ratios.values())).mean()), sum(ratio < 1 for ratio in ratios.values())
    return (
        f"The geometric mean of the {len(ratios)} ratios is {mean:.1f}; {below} of them are below 1. "
        f"The least is {ratios[least]:.2f}: {least}."
    )


def write_reach(rows, options):
    about = (
        f"From 2,000 rows a domain on (fewer where the table above has fewer), doubled until a fit takes more than "
        f"{options.reach:g} s or its process more than {problem.REACH_GIB} GiB of address space, or {problem.REACH_ROWS:,} rows "
        f"are reached."
    )
    page.write("reach", [about, "", REACH_HEAD, *rows])


def write_page(rows, ratios, options):
    packages = ["scikit-learn", "skada", "POT", "adapt", "numpy", "scipy"]
    versions = ", ".join(f"{name} {version(name)}" for name in packages)
    rust = subprocess.run(["rustc", "--version"], capture_output=True, text=True).stdout.split()[1]
    about = (
        f"Measured with Juyi built by Rust {rust}, {versions}, Python {platform.python_version()}, on {os.cpu_count()} "
        f"CPUs; {options.threads} threads a side, {options.rows:,} + {options.rows:,} rows at most, {options.rounds} "
        f"processes of {options.fits} fits a side."
    )
    page.write("measured", [about, "", HEAD, *rows, "", in_all(ratios)])


def main():
    about = "Times Juyi beside its peers; writes docs/benchmarks.md unless --quick or --only is given."
    parser = argparse.ArgumentParser(prog="benchmarks/run", description=about)
    parser.add_argument("--quick", action="store_true", help="few rows, one fit: whether it works, not how fast")
    parser.add_argument("--only", nargs="+", default=[], metavar="START", help="rows whose label starts so")
    parser.add_argument("--rows", type=int, default=2000, help="rows of each domain")
    parser.add_argument("--rounds", type=int, default=3, help="processes of a side")
    parser.add_argument("--fits", type=int, default=3, help="fits of a process")
    parser.add_argument("--threads", type=int, default=2, help="threads of a side")
    parser.add_argument("--reach", type=float, metavar="SECONDS", help="how many rows the peers manage, in place of times")
    options = parser.parse_args()
    if options.quick:
        options.rows, options.rounds, options.fits = 400, 1, 1
    environment = os.environ | threads(options.threads)

    table, ratios, fine = [], {}, True
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        print(REACH_HEAD if options.reach else HEAD, flush=True)
        starts = tuple(start.lower() for start in options.only) or ("",)
        wanted = [row for row in ROWS if row.label.lower().startswith(starts)]
        for at, row in enumerate(wanted, 1):
            print(f"{at} of {len(wanted)}: {row.label}", file=sys.stderr, flush=True)
            if options.reach:
                lines = reach_of(row, folder, options, environment)
                print(*lines, sep="\n", flush=True)
                table += lines
                for data in folder.glob(f"{row.data}-*"):
                    shutil.rmtree(data)
                continue
            n, ours, sides = time_row(row, folder, options, environment)
            lines, measured, agreed = lines_of(row, n, ours, sides)
            print(*lines, sep="\n", flush=True)
            for notice in {notice for side in [ours, *sides] for notice in side.notices}:
                print(f"  note: {notice}", file=sys.stderr, flush=True)
            table, ratios, fine = table + lines, ratios | measured, fine and agreed
    if options.reach:
        if not options.only:
            write_reach(table, options)
        return
    print(in_all(ratios))
    if not (options.quick or options.only):
        write_page(table, ratios, options)
    sys.exit(0 if fine else "an agreement failed")


if __name__ == "__main__":
    main()
