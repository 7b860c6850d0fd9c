"""Makes validators.json and validators_with_rows.json: validators of candidates by NumPy, SciPy and scikit-learn.

Usage, in the environment that make.py asks for:

    python make_validators.py

The diagonal of the similarities of soft neighbourhood density is set to -1 before they are divided by the temperature, as its
authors' code does; ours leaves it out, which differs by exp(-2 / temperature) at most.

The logistic regression of deep embedded validation has a column for each domain in ours and one column here, for which C is
twice as large. Clusters of class-ami are far apart, so that whatever k-means starts from it ends in the same ones.
"""

import numpy as np
from scipy.special import log_softmax, softmax
from scipy.stats import entropy
from sklearn.cluster import KMeans
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import adjusted_mutual_info_score
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor, NearestCentroid

from make import write


def density(p, temperature):
    f = p / np.linalg.norm(p, axis=1, keepdims=True)
    similar = f @ f.T
    np.fill_diagonal(similar, -1)
    return entropy(softmax(similar / temperature, axis=1), axis=1).mean()


def matrix_norm(p, power=4.0, threshold=5.0):
    with np.errstate(divide="ignore"):
        logits = np.log(p)
    if -np.mean(logits) > threshold:
        q = p
    else:
        logits = logits - logits.mean(1, keepdims=True)
        assert np.allclose(log_softmax(logits, axis=1), np.log(p))
        q = 1 + logits + logits**2 / 2
        q = q / q.sum(1, keepdims=True)
    return np.linalg.norm(q.ravel(), power) / p.size ** (1 / power)


def by_probabilities():
    cases = []
    for seed, (m, c) in enumerate([(12, 2), (30, 3), (25, 7)]):
        rng = np.random.default_rng(seed)
        p = softmax(rng.normal(0, 1.5, size=(m, c)), axis=1)
        if seed == 2:
            p[0] = np.eye(c)[3]  # entropies of certain rows are 0
        others = softmax(np.random.default_rng(seed + 50).normal(0, 1.5, size=(2, m, c)), axis=2)
        mean = (p + others.sum(0)) / 3
        cases.append({
            "probabilities": p.tolist(),
            "mean": mean.tolist(),
            "expected": {
                "entropy": -entropy(p, axis=1).mean(),
                "information-maximization": entropy(p.mean(0)) - entropy(p, axis=1).mean(),
                "batch-nuclear-norm": np.linalg.norm(p, "nuc") / m,
                "soft-neighborhood-density": density(p, 0.05),
                "soft-neighborhood-density(temperature=0.1)": density(p, 0.1),
                "matrix-norm": matrix_norm(p),
                "matrix-norm(power=2.5, threshold=0.5)": matrix_norm(p, 2.5, 0.5),
                "ensemble-validation": np.mean(p.argmax(1) == mean.argmax(1)),
            },
        })
    write("validators", "scores of candidates by their probabilities for target rows", cases)


def domain_weights(source, target, held):
    """Of each held-out source row the odds of being a target row."""
    kept = np.setdiff1d(np.arange(len(source)), held)
    pooled = np.vstack([source[kept], target])
    z = lambda x: (x - pooled.mean(0)) / pooled.std(0)
    domain = np.repeat([0, 1], [len(kept), len(target)])
    told = LogisticRegression(C=2.0, solver="newton-cholesky", tol=1e-14, max_iter=1000).fit(z(pooled), domain)
    slope = told.coef_[0] / 2.0 + (told.predict_proba(z(pooled))[:, 1] - domain) @ z(pooled)
    assert np.abs(slope).max() < 1e-10  # the minimum
    p = told.predict_proba(z(source[held]))
    return len(kept) / len(target) * p[:, 1] / p[:, 0]


def dev(weights, losses):
    weighted = weights * losses
    eta = -np.cov(weighted, weights)[0, 1] / np.var(weights, ddof=1)
    return weighted.mean() + eta * weights.mean() - eta


def with_rows():
    cases = []
    for seed, classes in enumerate([2, 4, 0]):
        rng = np.random.default_rng(100 + seed)
        n, m, d = 45, 38, 3
        k = max(classes, 2)
        centres = 9 * np.linalg.qr(rng.normal(size=(4, 4)))[0][:k, :d] + 7 * np.arange(k)[:, None]
        y, t = rng.permutation(np.arange(n) % k), rng.permutation(np.arange(m) % k)
        source = np.round(centres[y] + rng.normal(0, 0.7, size=(n, d)), 6)
        target = np.round(centres[t] + rng.normal(0.4, 0.8, size=(m, d)), 6)
        held = np.sort(rng.permutation(n)[: n // 3])
        ratios = np.round(rng.gamma(2.0, 0.5, size=n), 6)
        if classes:
            answers = np.where(rng.random(m) < 0.75, t, rng.integers(0, k, m))
            said = np.where(rng.random(len(held)) < 0.7, y[held], rng.integers(0, k, len(held)))
            losses = (said != y[held]).astype(float)
            taught = {"1-nn": KNeighborsClassifier(1), "class-means": NearestCentroid()}
            reverse = {name: np.mean(g.fit(target, answers).predict(source) == y) for name, g in taught.items()}
            labels = y
        else:
            labels = np.round(source @ [1.0, -2.0, 0.5] + rng.normal(0, 1, n), 6)
            answers = np.round(target @ [1.2, -1.8, 0.2] + rng.normal(0, 1, m), 6)
            said = np.round(labels[held] + rng.normal(0, 2, len(held)), 6)
            losses = (said - labels[held]) ** 2 / np.var(labels)
            back = KNeighborsRegressor(1).fit(target, answers).predict(source)
            reverse = {"1-nn": 1 - np.mean((back - labels) ** 2) / np.var(labels)}
        expected = {
            "source-accuracy": 1 - losses.mean(),
            "importance-weighted-validation": -np.mean(ratios[held] * losses),
            "deep-embedded-validation": -dev(domain_weights(source, target, held), losses),
        }
        if classes:
            clusters = KMeans(classes, n_init=50, random_state=0).fit_predict(target)
            assert adjusted_mutual_info_score(clusters, t) > 0.99
            expected["class-ami"] = adjusted_mutual_info_score(answers, clusters)
        one, other = rng.integers(0, 5, 60), rng.integers(0, 3, 60)
        other[:25] = one[:25] % 3
        cases.append({
            "classes": classes, "source": source, "target": target, "labels": labels, "answers": answers,
            "held": held, "said": said, "ratios": ratios, "expected": expected, "reverse": reverse,
            "partitions": [one, other], "ami": adjusted_mutual_info_score(one, other),
        })
    write("validators_with_rows", "scores of candidates by rows, held-out source rows and density ratios", cases)


if __name__ == "__main__":
    by_probabilities()
    with_rows()
