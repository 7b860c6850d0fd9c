"""Times Juyi and its peers on the same rows, checks that they solve the same problem, and writes the table.

Every timing is a process of its own, and the sides take turns. Exit status 1 if an agreement fails; a floor that is
missed is marked in the table.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Callable

import numpy as np
from scipy.special import log_softmax
from sklearn.linear_model import LogisticRegression
from sklearn.metrics.pairwise import rbf_kernel

import problem

HERE = Path(__file__).resolve().parent
PAGE = HERE.parent / "docs" / "benchmarks.md"
OURS = HERE.parent / "target" / "release" / "juyi-benchmarks"
MARKS = "<!-- measured: begin -->", "<!-- measured: end -->"


# ------------------------------------------------------------------------------------------- agreement


class Answers:
    """What a side has left: arrays by name."""

    def __init__(self, folder):
        self.folder = folder

    def __getitem__(self, name):
        values = np.fromfile(self.folder / f"{name}.f64")
        widths = dict(source=len(problem_now.ys), target=len(problem_now.xt), coefficients=problem.COLUMNS)
        return values.reshape(widths[name], -1) if name in widths else values


class Now:
    """The data of the row that is being checked."""

    def load(self, folder):
        self.xs, self.ys, self.xt, self.yt = problem.read(folder)


problem_now = Now()


class Disagreement(Exception):
    pass


def within(what, gap, tolerance):
    """A line that says how far two answers are apart; fails beyond the tolerance."""
    said = f"{what} to {gap:.0e}" if gap > 0 else f"{what} exactly"
    if not gap <= tolerance:
        raise Disagreement(f"{said}, not {tolerance:.0e}")
    return said


def apart(ours, theirs):
    """The largest difference, relative to the largest entry."""
    return float(np.abs(ours - theirs).max() / np.abs(theirs).max())


def same_labels(ours, theirs):
    return float((ours["predictions"] == theirs["predictions"]).mean())


def labels(ours, theirs, least=1.0):
    share = same_labels(ours, theirs)
    if share < least:
        raise Disagreement(f"{share:.2%} of the labels are the same, not {least:.2%}")
    return "all labels the same" if share == 1 else f"{share:.2%} of the labels the same"


def same_rows(ours, theirs):
    """What the learner saw on both sides, entry by entry."""
    gap = max(apart(ours[part], theirs[part]) for part in ("source", "target"))
    return f"{within('rows agree', gap, 1e-6)}, {labels(ours, theirs)}"


def same_gram(ours, theirs):
    """What the learner saw on both sides, by inner products: directions have no sign."""
    a, b = (np.r_[side["source"], side["target"]] for side in (ours, theirs))
    return f"{within('inner products agree', apart(a @ a.T, b @ b.T), 1e-6)}, {labels(ours, theirs, 0.999)}"


def other_problem(ours, theirs):
    return f"another eigenproblem (see below); {same_labels(ours, theirs):.0%} of the labels the same"


def logistic_objective(answers):
    x, y = problem_now.xs, problem_now.ys
    scores = x @ answers["coefficients"] + answers["bias"]
    loss = -log_softmax(scores, axis=1)[np.arange(len(y)), y].sum()
    return loss + (answers["coefficients"] ** 2).sum() / 2


def same_logistic(ours, theirs):
    a, b = logistic_objective(ours), logistic_objective(theirs)
    return f"{within('objectives agree', abs(a - b) / b, 1e-6)}, {labels(ours, theirs, 0.999)}"


def same_matching(ours, theirs):
    """Our weights meet the optimality conditions; skada's Frank-Wolfe stops after 1,000 steps, short of them."""
    xs, xt = problem_now.xs, problem_now.xt
    gamma, n = 1 / (2 * problem.BANDWIDTH**2), len(xs)
    k, kappa = rbf_kernel(xs, gamma=gamma), n * rbf_kernel(xs, xt, gamma=gamma).mean(axis=1)
    # Ours are scaled to mean 1. The best scale within the slack brings them back.
    w, slack = ours["weights"], (n**0.5 - 1) / n**0.5
    w = w * np.clip(kappa @ w / (w @ k @ w), 1 - slack, 1 + slack)
    gradient = k @ w - kappa
    inside = abs(w.sum() - n) < n * slack * (1 - 1e-6)
    multiplier = 0.0 if inside else -np.median(gradient[w > 0])
    off = np.abs(np.where(w > 0, gradient + multiplier, np.minimum(gradient + multiplier, 0))).max()
    optimal = within("our optimality conditions hold", off / np.abs(kappa).max(), 1e-6)
    objective = lambda w: 0.5 * w @ k @ w - kappa @ w
    a, b = objective(w), objective(theirs["weights"])
    above = (b - a) / abs(a)
    if above < -1e-9:
        raise Disagreement(f"skada's objective is lower by {-above:.0e}")
    return f"{optimal}; skada's objective is above ours by {above:.0e}; {labels(ours, theirs, 0.9)}"


def same_odds(ours, theirs):
    """Our weights are those of the exact regression; the peer's regression is as near to it as asked for."""
    x, y = np.r_[problem_now.xs, problem_now.xt], np.r_[np.zeros(len(problem_now.xs)), np.ones(len(problem_now.xt))]
    exact = LogisticRegression(C=1.0, tol=1e-10, max_iter=1000, solver="newton-cholesky").fit(x, y)

    def objective(w, b):
        return np.logaddexp(0, (1 - 2 * y) * (x @ w + b)).sum() + w @ w / 2

    weights = np.exp(exact.decision_function(problem_now.xs))
    gap = apart(ours["weights"], weights / weights.mean())
    least = objective(exact.coef_[0], exact.intercept_[0])
    above = objective(theirs["domain_coefficients"], theirs["domain_bias"][0]) / least - 1
    said = within("our weights agree with the exact ones", gap, 1e-6), within("objectives", above, 1e-6)
    return f"{', '.join(said)}, {labels(ours, theirs, 0.99)}"


# ------------------------------------------------------------------------------------------------ rows


@dataclass
class Peer:
    name: str
    label: str
    check: Callable
    floor: float | None = None


@dataclass
class Row:
    label: str
    problem: str
    method: str
    learner: str
    peers: list
    parameters: dict = field(default_factory=dict)
    data: str = "plain"


def sinkhorn_row(entropy, *others):
    label = f"Sinkhorn transport, entropy {entropy:g}"
    peers = [Peer(f"pot_{name}_{entropy}", f"POT `{name}`", same_rows, floor) for name, floor in others]
    rounds = {"entropy": entropy, "tolerance": problem.MASSES_OFF, "iterations": 100_000}
    said = f"entropy {entropy:g} of the largest cost, until the masses are off by {problem.MASSES_OFF:g}; 1-NN"
    return Row(label, said, "sinkhorn", "1-nn", peers, rounds)


K, LAMBDA = problem.COMPONENTS, problem.STRENGTH
EMBEDDING = {"components": K, "regularization": LAMBDA}
WIDTH = (2 * problem.GAMMA) ** -0.5
ROWS = [
    Row(
        "TCA, linear kernel",
        f"unit rows, k = {K}, lambda = {LAMBDA:g}; 1-NN",
        "tca",
        "1-nn",
        [
            Peer("skada_tca_linear", "skada", other_problem, 100),
            Peer("numpy_tca_linear", "the same in numpy", same_gram, 10),
        ],
        EMBEDDING | {"kernel": "linear"},
    ),
    Row(
        "TCA, rbf kernel, exact",
        f"unit rows, gamma = {problem.GAMMA:g}, k = {K}, lambda = {LAMBDA:g}; 1-NN",
        "tca",
        "1-nn",
        [
            Peer("skada_tca_rbf", "skada", other_problem, 8),
            Peer("numpy_tca_rbf", "the same with scipy's `eigsh`", same_gram),
        ],
        EMBEDDING | {"kernel": "rbf", "bandwidth": WIDTH},
    ),
    Row(
        "KMM",
        f"bandwidth {problem.BANDWIDTH:g}, B = {problem.BOUND:g}, eps = (√n - 1) / √n; weighted logistic regression",
        "kmm",
        "logistic",
        [Peer("skada_kmm", "skada", same_matching, 5)],
        {"bandwidth": problem.BANDWIDTH, "bound": problem.BOUND},
    ),
    Row(
        "Exact transport",
        "squared distances, barycentric map; 1-NN",
        "exact-transport",
        "1-nn",
        [Peer("pot_exact", "POT `emd`", same_rows, 2)],
    ),
    sinkhorn_row(problem.ENTROPIES[0], ("sinkhorn", 5), ("sinkhorn_log", None)),
    sinkhorn_row(problem.ENTROPIES[1], ("sinkhorn", 5)),
    Row(
        "CORAL",
        "no shrinkage, domains centred beforehand; 1-NN",
        "coral",
        "1-nn",
        [Peer("skada_coral", "skada", same_rows, 8)],
        {"regularization": problem.RIDGE},
        "centred",
    ),
    Row(
        "Subspace alignment",
        f"k = {K}; 1-NN",
        "subspace-alignment",
        "1-nn",
        [Peer("skada_subspace", "skada", same_gram, 5)],
        {"components": K},
    ),
    Row(
        "Discriminative weighting",
        "C = 1; weighted logistic regression",
        "discriminative",
        "logistic",
        [Peer("skada_discriminative", "skada, its weights turned over", same_odds, 5)],
    ),
    Row("Logistic regression", "C = 1", "none", "logistic", [Peer("sklearn_logistic", "scikit-learn", same_logistic, 10)]),
    Row("1-NN", "Euclidean", "none", "1-nn", [Peer("sklearn_nearest", "scikit-learn, brute", same_rows, 1.5)]),
]


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
        command = [str(part) for part in (*self.command, times, self.out)]
        ran = subprocess.run(command, env=environment, capture_output=True, text=True)
        if ran.returncode:
            sys.exit(f"{' '.join(command)}\n{ran.stderr}")
        said = json.loads(ran.stdout.splitlines()[-1])
        self.seconds += said["seconds"]
        self.kib.append(said["kib"])
        self.notices = said["notices"]

    def mib(self):
        return median(self.kib) / 1024


def time_row(row, folder, options, environment):
    data = folder / row.data
    ours = Side([OURS, data, row.method, json.dumps(row.parameters), row.learner], folder / "ours")
    sides = [Side([sys.executable, "-B", HERE / "peers.py", data, peer.name], folder / peer.name) for peer in row.peers]
    for _ in range(options.rounds):
        for side in [ours, *sides]:
            side.go(options.fits, environment)
    problem_now.load(data)
    return ours, sides


def lines_of(row, ours, sides):
    """The lines of the table, and whether all agree."""
    lines, fine = [], True
    for peer, side in zip(row.peers, sides):
        try:
            agreement = peer.check(Answers(ours.out), Answers(side.out))
        except Disagreement as failure:
            agreement, fine = f"**no: {failure}**", False
        ratio, best = median(side.seconds) / median(ours.seconds), min(side.seconds) / min(ours.seconds)
        floor = "" if peer.floor is None else f"{peer.floor:g}"
        missed = " (missed)" if peer.floor is not None and ratio < peer.floor else ""
        more = " (more)" if peer.floor is not None and ours.mib() > side.mib() else ""
        cells = [f"{row.label}: {row.problem}", peer.label, f"{median(ours.seconds):.3g}", f"{median(side.seconds):.3g}"]
        cells += [f"{ratio:.1f}", f"{best:.1f}", f"{floor}{missed}", f"{ours.mib():.1f}{more}", f"{side.mib():.1f}"]
        lines.append(f"| {' | '.join([*cells, agreement])} |")
    return lines, fine


HEAD = """\
| problem | peer | Juyi, s | peer, s | ratio | of the best | floor | Juyi, MiB | peer, MiB | agreement |
| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | --- |"""


def write_page(rows, options):
    packages = ["scikit-learn", "skada", "POT", "numpy", "scipy"]
    versions = ", ".join(f"{name} {version(name)}" for name in packages)
    rust = subprocess.run(["rustc", "--version"], capture_output=True, text=True).stdout.split()[1]
    about = (
        f"Measured with Juyi built by Rust {rust}, {versions}, Python {platform.python_version()}, on {os.cpu_count()} "
        f"CPUs; {options.threads} threads a side, {options.rows:,} + {options.rows:,} rows, {options.rounds} processes "
        f"of {options.fits} fits a side."
    )
    text = PAGE.read_text()
    before, after = text.split(MARKS[0])[0], text.split(MARKS[1])[1]
    measured = "\n".join([MARKS[0], "", about, "", HEAD, *rows, "", MARKS[1]])
    PAGE.write_text(before + measured + after)


def main():
    about = "Times Juyi beside its peers; writes docs/benchmarks.md unless --quick or --only is given."
    parser = argparse.ArgumentParser(prog="benchmarks/run", description=about)
    parser.add_argument("--quick", action="store_true", help="few rows, one fit: whether it works, not how fast")
    parser.add_argument("--only", nargs="+", default=[], metavar="START", help="rows whose label starts so")
    parser.add_argument("--rows", type=int, default=2000, help="rows of each domain")
    parser.add_argument("--rounds", type=int, default=3, help="processes of a side")
    parser.add_argument("--fits", type=int, default=3, help="fits of a process")
    parser.add_argument("--threads", type=int, default=2, help="threads of a side")
    options = parser.parse_args()
    if options.quick:
        options.rows, options.rounds, options.fits = 400, 1, 1
    threads = {f"{name}_NUM_THREADS": str(options.threads) for name in ("OMP", "OPENBLAS", "MKL", "RAYON")}
    environment = os.environ | threads

    table, fine = [], True
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        problem.write(folder, options.rows)
        print(HEAD, flush=True)
        starts = tuple(start.lower() for start in options.only) or ("",)
        wanted = [row for row in ROWS if row.label.lower().startswith(starts)]
        for at, row in enumerate(wanted, 1):
            print(f"{at} of {len(wanted)}: {row.label}", file=sys.stderr, flush=True)
            ours, sides = time_row(row, folder, options, environment)
            lines, agreed = lines_of(row, ours, sides)
            print(*lines, sep="\n", flush=True)
            for notice in {notice for side in [ours, *sides] for notice in side.notices}:
                print(f"  note: {notice}", file=sys.stderr, flush=True)
            table, fine = table + lines, fine and agreed
    if not (options.quick or options.only):
        write_page(table, options)
    sys.exit(0 if fine else "an agreement failed")


if __name__ == "__main__":
    main()
