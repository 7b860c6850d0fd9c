"""Makes gradient_boosting.json: what scikit-learn's histogram boosting answers.

Usage, in the environment that make.py asks for:

    python make_gradient_boosting.py

Few rounds with the same leaves, penalty and bins are compared score by score: scikit-learn sums 32-bit derivatives, so the
scores differ by that much. A case is kept only where 64-bit boosting by the definition, below, comes to the same trees: no
node has two splits that are all but equally good. Of 100 rounds on data with more than 255 distinct values, of which the bins
differ, only the error on rows apart is compared.
"""

import numpy as np
from scipy.special import softmax
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

from make import write

PENALTY, SHRINKAGE = 1.0, 0.1


def data(rng, n, d, classes):
    x = np.round(rng.normal(size=(n, d)) * 64) / 64
    score = x[:, 0] + 0.7 * x[:, 1] * x[:, 2] + rng.normal(0, 0.4, n)
    y = np.digitize(score, np.quantile(score, np.arange(1, classes) / classes)) if classes else np.round(score, 6)
    return x, y


def grow(x, g, h, leaves, least):
    """Leaf-wise growth by the definition; what the tree adds to each row."""
    def best(rows):
        found = []
        for j in range(x.shape[1]):
            values = np.unique(x[rows, j])
            for v in values[:-1]:
                left, right = rows[x[rows, j] <= v], rows[x[rows, j] > v]
                if min(len(left), len(right)) < least:
                    continue
                gain = sum(g[s].sum() ** 2 / (h[s].sum() + PENALTY) for s in (left, right))
                found.append((gain - g[rows].sum() ** 2 / (h[rows].sum() + PENALTY), left, right))
        found.sort(key=lambda split: -split[0])
        return found[0] if found and found[0][0] > 0 else (0.0, rows, rows)

    open_leaves = [(np.arange(len(x)), best(np.arange(len(x))))]
    while len(open_leaves) < leaves:
        k = max(range(len(open_leaves)), key=lambda k: open_leaves[k][1][0])
        gain, left, right = open_leaves[k][1]
        if gain <= 0:
            break
        open_leaves[k : k + 1] = [(left, best(left)), (right, best(right))]
    added = np.zeros(len(x))
    for rows, _ in open_leaves:
        added[rows] = -SHRINKAGE * g[rows].sum() / (h[rows].sum() + PENALTY)
    return added


def boost(x, y, w, classes, rounds, leaves, least):
    """Scores of the training rows by the definition."""
    if not classes:
        f = np.full(len(y), w @ y / w.sum())
        for _ in range(rounds):
            f = f + grow(x, w * (f - y), w, leaves, least)
        return f[:, None]
    share = np.bincount(y, weights=w) / w.sum()
    f = np.tile(np.log(share), (len(y), 1))
    for _ in range(rounds):
        p = softmax(f, axis=1)
        for c in range(classes):
            if classes == 2 and c == 0:
                continue
            f[:, c] += grow(x, w * (p[:, c] - (y == c)), w * p[:, c] * (1 - p[:, c]), leaves, least)
    return softmax(f, axis=1)


def model(classes, rounds, leaves, least):
    make = HistGradientBoostingClassifier if classes else HistGradientBoostingRegressor
    return make(
        max_iter=rounds, learning_rate=SHRINKAGE, max_leaf_nodes=leaves, min_samples_leaf=least,
        l2_regularization=PENALTY, early_stopping=False, random_state=0,
    )


def say(fitted, x, classes):
    return fitted.predict_proba(x) if classes else fitted.predict(x)[:, None]


def score_cases():
    cases, seed = [], 0
    for classes in (0, 2, 3):
        for weighted in (False, True):
            rounds, leaves, least = 5, 6, 1 if weighted else 5
            while True:
                seed += 1
                rng = np.random.default_rng(seed)
                x, y = data(rng, 120, 3, classes)
                w = np.round(rng.uniform(0.3, 3.0, len(y)), 6) if weighted else np.ones(len(y))
                fitted = model(classes, rounds, leaves, least).fit(x, y, sample_weight=w)
                said = say(fitted, x, classes)
                if np.abs(said - boost(x, y, w, classes, rounds, leaves, least)).max() < 1e-5:
                    break
            x_test = data(rng, 30, 3, classes)[0]
            cases.append({
                "kind": "scores", "classes": classes, "rounds": rounds, "leaves": leaves, "least": least,
                "x": x, "y": y, "weights": w, "x_test": x_test,
                "expected": {"train": said, "test": say(fitted, x_test, classes)},
            })
    return cases


def error_cases():
    cases = []
    for classes in (0, 4):
        rng = np.random.default_rng(100 + classes)
        (x, y), (x_test, y_test) = data(rng, 600, 3, classes), data(rng, 300, 3, classes)
        fitted = model(classes, 100, 15, 5).fit(x, y)
        said = fitted.predict(x_test)
        cases.append({
            "kind": "error", "classes": classes, "x": x, "y": y, "x_test": x_test, "y_test": y_test,
            "expected": np.mean(said != y_test) if classes else np.mean((said - y_test) ** 2) / np.var(y_test),
        })
    return cases


if __name__ == "__main__":
    about = (
        "Histogram boosting: scores of 5 rounds, and of 100 rounds the error on rows apart (classes), or the squared error as a "
        "part of the variance (numbers)."
    )
    write("gradient_boosting", about, score_cases() + error_cases())
