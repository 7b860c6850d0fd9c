"""Makes splits.json and signed_rank.json: splitters by scikit-learn, p-values by SciPy.

Usage, in the environment that make.py asks for:

    python make_splits.py

Of splits only what does not hang on how rows are drawn is kept: for each fold the number of tested rows of each class, and
for leave-one-group-out the tested rows. Classes appear in the order of their numbers, because scikit-learn deals them out in
the order of appearance. Groups are such that no two have the same size or the same spread of classes, which would leave
their order open.
"""

import numpy as np
from scipy.stats import PermutationMethod, wilcoxon
from sklearn.model_selection import GroupKFold, LeaveOneGroupOut, StratifiedGroupKFold, StratifiedKFold

from make import write


def in_order(labels):
    """Classes renamed so that they appear in the order of their numbers."""
    seen = {}
    return np.array([seen.setdefault(c, len(seen)) for c in labels])


def counts(splitter, y, groups=None, classes=1):
    folds = [test for _, test in splitter.split(np.zeros((len(y), 1)), y, groups)]
    return [np.bincount(y[test], minlength=classes).tolist() for test in folds]


def groups_apart(rng, sizes, classes):
    """Groups of these sizes with drawn classes, of which no two have the same spread of counts."""
    while True:
        y, groups = [], []
        for g, size in enumerate(sizes):
            y += rng.choice(classes, size, p=rng.dirichlet(np.ones(classes))).tolist()
            groups += [g] * size
        y, groups = np.array(y), np.array(groups)
        spread = [np.bincount(y[groups == g], minlength=classes).std() for g in range(len(sizes))]
        if len(set(np.round(spread, 9))) == len(sizes) and len(set(y)) == classes:
            order = rng.permutation(len(y))
            return in_order(y[order]), groups[order]


def main():
    cases = []
    for seed, (n, classes, folds) in enumerate([(50, 2, 5), (97, 4, 3), (203, 6, 10), (41, 3, 4)]):
        rng = np.random.default_rng(seed)
        y = in_order(rng.choice(classes, n, p=rng.dirichlet(3 * np.ones(classes))))
        cases.append({"by": f"stratified(folds={folds})", "labels": y.tolist(), "groups": [0] * n,
                      "counts": counts(StratifiedKFold(folds), y, classes=classes)})
    for seed, (number, classes, folds) in enumerate([(12, 2, 3), (20, 4, 5), (15, 3, 4)]):
        rng = np.random.default_rng(100 + seed)
        sizes = rng.permutation(np.arange(4, 4 + number))
        y, groups = groups_apart(rng, sizes, classes)
        one = {"labels": y.tolist(), "groups": groups.tolist()}
        sized = counts(GroupKFold(folds), np.zeros_like(y), groups)
        cases.append({"by": f"grouped(folds={folds})", **one, "sizes": [row[0] for row in sized]})
        cases.append({"by": f"stratified-grouped(folds={folds})", **one,
                      "counts": counts(StratifiedGroupKFold(folds), y, groups, classes)})
        out = [test.tolist() for _, test in LeaveOneGroupOut().split(y, y, groups)]
        cases.append({"by": "leave-one-domain-out", **one, "tests": out})
    write("splits", "numbers of tested rows of each class", cases)

    cases = []
    for seed, (n, kind) in enumerate([(5, "exact"), (8, "exact"), (12, "exact"), (30, "exact"), (50, "exact"),
                                      (9, "tied"), (12, "tied"), (51, "normal"), (120, "normal")]):
        rng = np.random.default_rng(200 + seed)
        d = np.round(rng.normal(0.4, 1, n), 6)
        if kind != "exact":
            d = np.round(d, 0 if kind == "tied" else 1)
        if kind == "tied":
            d = d[d != 0]
            method = PermutationMethod(n_resamples=np.inf)
        else:
            method = {"exact": "exact", "normal": "asymptotic"}[kind]
        assert kind != "exact" or len(set(np.abs(d))) == n and not (d == 0).any()
        cases.append({"differences": d.tolist(), "p_value": wilcoxon(d, method=method).pvalue})
    write("signed_rank", "two-sided p-values of the signed-rank test", cases)


if __name__ == "__main__":
    main()
