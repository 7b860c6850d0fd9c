"""The data and the settings that both sides are given."""

import numpy as np

SEED, COLUMNS, CLASSES = 2026, 100, 10

COMPONENTS = 20  # transfer component analysis, subspace alignment
STRENGTH = 1.0  # lambda of transfer component analysis
GAMMA = 1.0  # rbf kernel exp(-GAMMA |x - y|^2) of transfer component analysis, on rows of unit length
BANDWIDTH, BOUND = 12.0, 1000.0  # kernel mean matching; about the median distance of rows
ENTROPIES = [0.05, 0.005]  # as a part of the largest squared distance
MASSES_OFF = 1e-9  # where Sinkhorn's rounds end
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


def write(folder, n):
    """Writes the data as plain little-endian doubles, row by row, and once more with each domain less its mean."""
    xs, ys, xt, yt = draw(n)
    for name, (a, b) in {"plain": (xs, xt), "centred": (xs - xs.mean(axis=0), xt - xt.mean(axis=0))}.items():
        (folder / name).mkdir(parents=True, exist_ok=True)
        for part, values in dict(source=a, labels=ys, target=b, truth=yt).items():
            np.asarray(values, "<f8").tofile(folder / name / f"{part}.f64")


def read(folder):
    """Source rows and labels, target rows and labels."""
    xs, ys, xt, yt = (np.fromfile(folder / f"{part}.f64") for part in ("source", "labels", "target", "truth"))
    return xs.reshape(len(ys), -1), ys.astype(int), xt.reshape(len(yt), -1), yt.astype(int)
