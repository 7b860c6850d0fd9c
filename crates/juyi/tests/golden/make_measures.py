"""Makes domain_measures.json: measures of two domains by NumPy, SciPy, scikit-learn and POT.

Usage, in the environment that make.py asks for:

    python make_measures.py

Each expected value is found in two ways. Means over drawn directions or frequencies come with the error
that is allowed for so many of them.
"""

import math

import numpy as np
import ot
from scipy.optimize import linear_sum_assignment
from scipy.spatial import cKDTree
from scipy.spatial.distance import cdist
from scipy.special import digamma
from scipy.stats import energy_distance
from sklearn.feature_selection import mutual_info_classif
from sklearn.metrics.pairwise import rbf_kernel
from sklearn.neighbors import NearestNeighbors

from make import agree, write


def estimates(xx, yy, xy):
    """The biased and the unbiased squared distance of means."""
    n, m = len(xx), len(yy)
    biased = xx.mean() + yy.mean() - 2 * xy.mean()
    unbiased = (xx.sum() - np.trace(xx)) / (n * (n - 1)) + (yy.sum() - np.trace(yy)) / (m * (m - 1))
    return biased, unbiased - 2 * xy.mean()


def kernels(x, y, bandwidth, powers):
    widths = [bandwidth * 2.0**u for u in range(-powers, powers + 1)]
    return [np.mean([rbf_kernel(a, b, 1 / (2 * w**2)) for w in widths], axis=0) for a, b in [(x, x), (y, y), (x, y)]]


def energy(x, y):
    biased, unbiased = estimates(-cdist(x, x), -cdist(y, y), -cdist(x, y))
    if x.shape[1] == 1:
        agree(energy_distance(x[:, 0], y[:, 0]) ** 2, biased, 1e-12, "energy distance")
    return biased, unbiased


def kullback_leibler(x, y, k):
    """Of y from x: Wang, Kulkarni and Verdu 2009."""
    n, m, d = len(x), len(y), x.shape[1]
    nu = cKDTree(x).query(y, k=[k])[0][:, 0]
    rho = cKDTree(y).query(y, k=[k + 1])[0][:, 0]
    nu_2, rho_2 = np.sort(cdist(y, x), axis=1)[:, k - 1], np.sort(cdist(y, y), axis=1)[:, k]
    found = d * np.mean(np.log(nu / rho)) + math.log(n / (m - 1))
    agree(found, d * np.mean(np.log(nu_2) - np.log(rho_2)) + math.log(n / (m - 1)), 1e-10, "k-NN divergence")
    return found


def kullback_leibler_normal(x, y):
    c_s, c_t = np.cov(x.T).reshape(x.shape[1], -1), np.cov(y.T).reshape(x.shape[1], -1)
    apart = x.mean(0) - y.mean(0)
    inverse = np.linalg.inv(c_s)
    found = 0.5 * (np.trace(inverse @ c_t) + apart @ inverse @ apart - x.shape[1]
                   + np.linalg.slogdet(c_s)[1] - np.linalg.slogdet(c_t)[1])
    values = np.linalg.eigvals(inverse @ c_t).real  # the same in coordinates in which both are diagonal
    whitened = np.linalg.solve(np.linalg.cholesky(c_s), apart)
    agree(found, 0.5 * (np.sum(values - 1 - np.log(values)) + whitened @ whitened), 1e-9, "normal divergence")
    return found


def jensen_shannon(x, y, k):
    rows, domain = np.vstack([x, y]), np.repeat([0, 1], [len(x), len(y)])
    radius = np.zeros(len(rows))
    for side in (0, 1):
        own = rows[domain == side]
        radius[domain == side] = NearestNeighbors(n_neighbors=k).fit(own).kneighbors()[0][:, -1]
    place = [(np.sum(cdist(rows[[i]], rows)[0] < radius[i] * (1 - 1e-12))) for i in range(len(rows))]
    found = digamma(len(rows)) - digamma(len(x)) + digamma(k) - np.mean(digamma(place))
    if x.shape[1] == 1:
        theirs = mutual_info_classif(rows, domain, n_neighbors=k, discrete_features=False, copy=True, random_state=0)
        agree(theirs[0], max(found, 0), 1e-6, "mutual information")  # it adds noise of 1e-10 to the rows
    return min(max(found, 0.0), math.log(2))


def wasserstein(x, y):
    costs = ot.dist(x, y)
    found = ot.emd2(np.full(len(x), 1 / len(x)), np.full(len(y), 1 / len(y)), costs)
    if len(x) == len(y):
        rows, columns = linear_sum_assignment(costs)
        agree(costs[rows, columns].mean(), found, 1e-10, "optimal transport")
    return math.sqrt(found)


def sliced(x, y):
    """The mean over a fine grid of directions of a plane, and the deviation of one direction."""
    angles = (np.arange(2000) + 0.5) * math.pi / 2000
    directions = np.vstack([np.cos(angles), np.sin(angles)]) if x.shape[1] == 2 else np.ones((1, 1))
    squares = ot.wasserstein_1d(x @ directions, y @ directions, p=2)
    return math.sqrt(np.mean(squares)), np.std(squares)


def bures(x, y):
    c_s, c_t = np.cov(x.T).reshape(x.shape[1], -1), np.cov(y.T).reshape(x.shape[1], -1)
    found = ot.gaussian.bures_wasserstein_distance(x.mean(0), y.mean(0), c_s, c_t)
    cross = np.sqrt(np.linalg.eigvals(c_s @ c_t).real).sum()
    apart = np.sum((x.mean(0) - y.mean(0)) ** 2) + np.trace(c_s) + np.trace(c_t) - 2 * cross
    agree(found**2, apart, 1e-8, "Bures-Wasserstein")
    return math.sqrt(apart)


def entropic(x, y, epsilon):
    a, b, costs = np.full(len(x), 1 / len(x)), np.full(len(y), 1 / len(y)), ot.dist(x, y)
    plan, log = ot.bregman.sinkhorn_log(a, b, costs, epsilon, numItermax=100_000, stopThr=1e-14, log=True)
    dual = epsilon * (a @ (log["log_u"] - np.log(a)) + b @ (log["log_v"] - np.log(b)))
    primal = np.sum(plan * costs) + epsilon * np.sum(plan * np.log(plan / np.outer(a, b)))
    agree(dual, primal, 1e-9, "entropic transport")
    return dual


def sinkhorn(x, y, entropy):
    epsilon = entropy * 2 * np.vstack([x, y]).var(0).sum()
    return entropic(x, y, epsilon) - entropic(x, x, epsilon) / 2 - entropic(y, y, epsilon) / 2


def coral(x, y):
    d = x.shape[1]
    c = [np.cov(rows.T).reshape(d, d) for rows in (x, y)]
    found = np.linalg.norm(c[0] - c[1], "fro") ** 2 / (4 * d * d)
    c = [(rows.T @ rows - np.outer(rows.sum(0), rows.sum(0)) / len(rows)) / (len(rows) - 1) for rows in (x, y)]
    agree(found, ((c[0] - c[1]) ** 2).sum() / (4 * d * d), 1e-10, "CORAL")
    return found


def discrepancy(x, y):
    difference = x.T @ x / len(x) - y.T @ y / len(y)
    found = np.abs(np.linalg.eigvalsh(difference)).max()
    agree(found, np.linalg.norm(difference, 2), 1e-10, "linear discrepancy")
    return found


def effective(parts):
    shares = np.asarray(parts, float) / np.sum(parts)
    shares = shares[shares > 0]
    return math.exp(-np.sum(shares * np.log(shares)))


def main():
    rng = np.random.default_rng(22)
    cases = []
    for n, m, d, shift, scale in [(40, 40, 1, 0.5, 1.0), (45, 30, 2, 1.0, 1.5), (60, 60, 4, 0.3, 0.7)]:
        x = np.round(rng.normal(size=(n, d)), 6)
        y = np.round(rng.normal(size=(m, d)) * scale + shift, 6)
        classes = [rng.integers(0, 3, size=n), rng.integers(0, 3, size=m)]
        bandwidth = 1.3
        biased, unbiased = estimates(*kernels(x, y, bandwidth, 2))
        e_biased, e_unbiased = energy(x, y)
        by_class = [estimates(*kernels(x[classes[0] == c], y[classes[1] == c], bandwidth, 0)) for c in range(3)]
        mmd = estimates(*kernels(x, y, bandwidth, 0))[1]
        expected = {
            "multi-kernel-mmd": [unbiased, biased],
            "energy-distance": [e_unbiased, e_biased],
            "kullback-leibler": [kullback_leibler(x, y, 3), kullback_leibler_normal(x, y)],
            "wasserstein": [wasserstein(x, y)],
            "bures-wasserstein": [bures(x, y)],
            "sinkhorn-divergence": [sinkhorn(x, y, 0.1)],
            "coral-distance": [coral(x, y)],
            "linear-discrepancy": [discrepancy(x, y)],
            "conditional-discrepancy": [np.mean([c[1] for c in by_class]), np.mean([c[0] for c in by_class])],
            "source-diversity": [effective(np.linalg.svd(x - x.mean(0), compute_uv=False)),
                                 effective(np.bincount(classes[0]))],
        }
        if n == m:
            expected["jensen-shannon"] = [jensen_shannon(x, y, 3)]
        drawn = {"random-features-mmd": [mmd, 4 * math.sqrt(2 / 4096)]}
        if d <= 2:
            value, deviation = sliced(x, y)
            drawn["sliced-wasserstein"] = [value, 4 * deviation / math.sqrt(4000) / (2 * value) + 1e-9]
        cases.append({
            "x": x, "y": y, "classes": classes,
            "params": {
                "multi-kernel-mmd": {"bandwidth": bandwidth, "powers": 2},
                "kullback-leibler": {"neighbors": 3},
                "jensen-shannon": {"neighbors": 3},
                "sinkhorn-divergence": {"entropy": 0.1},
                "conditional-discrepancy": {"bandwidth": bandwidth},
                "random-features-mmd": {"bandwidth": bandwidth, "frequencies": 4096},
                "sliced-wasserstein": {"directions": 4000},
            },
            "expected": expected,
            "drawn": drawn,
        })
    about = (
        "expected: the values that each measure returns, the first ones. drawn: a value that a mean over 4096 drawn "
        "frequencies or 4000 drawn directions nears, and four of its standard errors. POT: emd2, wasserstein_1d, "
        "gaussian, bregman.sinkhorn_log; scikit-learn: rbf_kernel, NearestNeighbors, mutual_info_classif; SciPy: cdist, "
        "cKDTree, energy_distance."
    )
    write("domain_measures", about, cases)


if __name__ == "__main__":
    main()
