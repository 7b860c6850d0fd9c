"""The data and the settings that both sides are given."""

import numpy as np

SEED, COLUMNS, CLASSES = 2026, 100, 10

COMPONENTS = 20  # transfer component analysis, subspace alignment
STRENGTH = 1.0  # lambda of transfer component analysis
GAMMA = 1.0  # rbf kernel exp(-GAMMA |x - y|^2) of transfer component analysis, on rows of unit length
BANDWIDTH, BOUND = 12.0, 1000.0  # kernel mean matching; about the median distance of rows
ENTROPIES = [0.05, 0.005]  # as a part of the largest squared distance
MASSES_OFF = 1e-9  # where Sinkhorn's rounds end
LABELLED = 200  # target rows that have labels, for methods that ask for some
REACH = 3.0  # bandwidth of the graphs of label propagation and label spreading
JDOT_ROUNDS = 5
REACH_GIB, REACH_ROWS = 12, 64_000  # where the search for the most rows that a peer manages ends
START_UP = 8.0  # seconds for a peer's imports and its small fit, beside the fit that is looked at
ENOUGH = 10.0  # seconds after which a side is not timed again
PENALTY = 0.1  # of unconstrained least-squares importance fitting
RIDGE = 1e-9  # our CORAL needs one above 0; skada has none
LOGISTIC_TOLERANCE = 1e-6  # scikit-learn's: objectives then agree to 1e-6


def draw(n):
    """Source and target rows and labels: classes that overlap; the target is turned, stretched and moved.

    Ten class means in 20 of 100 directions, noise in all of them. With 2,000 rows a side the nearest source row gives
    the right class to 71 % of the target rows; a classifier tells source rows from target rows in 78 % of the cases.
    """
    rng = np.random.default_rng(SEED)
    means = np.zeros((CLASSES, COLUMNS))
    means[:, :20] = 0.75 * rng.normal(size=(CLASSES, 20))
    spread = np.r_[np.full(20, 1.0), np.full(COLUMNS - 20, 0.7)] * rng.uniform(0.8, 1.2, size=COLUMNS)
    basis = np.linalg.qr(rng.normal(size=(COLUMNS, COLUMNS)))[0]
    skew = rng.normal(size=(COLUMNS, COLUMNS))
    skew = 0.02 * (skew - skew.T)
    turn = np.linalg.solve(np.eye(COLUMNS) - skew, np.eye(COLUMNS) + skew)  # orthogonal
    stretch = rng.uniform(0.75, 1.3, size=COLUMNS)

    def rows(labels):
        return means[labels] + spread * rng.normal(size=(len(labels), COLUMNS))

    ys, yt = (rng.permutation(np.arange(n) % CLASSES) for _ in range(2))
    xs = rows(ys) @ basis
    xt = (rows(yt) * stretch + 0.1 * rng.normal(size=COLUMNS)) @ turn @ basis
    return xs, ys, xt, yt


def numbers(xs, xt):
    """Labels that are numbers: one rule for both domains that bends a little, with noise. Of variance 1 in the source."""
    rng = np.random.default_rng(SEED + 1)
    slope, bend = rng.normal(size=(2, COLUMNS)) / COLUMNS**0.5
    values = [x @ slope + np.sin(x @ bend) + 0.3 * rng.normal(size=len(x)) for x in (xs, xt)]
    return [(value - values[0].mean()) / values[0].std() for value in values]


def write(folder, kind, n):
    """Writes a kind of data as plain little-endian doubles, row by row.

    plain: as drawn. centred: each domain less its mean. binary: two classes. values: numbers for labels. unit: rows of
    length 1.
    """
    if folder.exists():
        return
    folder.mkdir(parents=True)
    xs, ys, xt, yt = draw(n)
    if kind == "centred":
        xs, xt = xs - xs.mean(axis=0), xt - xt.mean(axis=0)
    if kind == "unit":
        xs, xt = (x / np.linalg.norm(x, axis=1, keepdims=True) for x in (xs, xt))
    if kind == "binary":
        ys, yt = ys // (CLASSES // 2), yt // (CLASSES // 2)
    if kind == "values":
        ys, yt = numbers(xs, xt)
    for part, values in dict(source=xs, labels=ys, target=xt, truth=yt).items():
        np.asarray(values, "<f8").tofile(folder / f"{part}.f64")


def read(folder):
    """Source rows and labels, target rows and labels."""
    xs, ys, xt, yt = (np.fromfile(folder / f"{part}.f64") for part in ("source", "labels", "target", "truth"))
    if (ys == np.round(ys)).all():
        ys, yt = ys.astype(int), yt.astype(int)
    return xs.reshape(len(ys), -1), ys, xt.reshape(len(yt), -1), yt
