"""Makes the golden values of the prior methods: source models, labelled target rows, and the refined models.

Usage, in a fresh virtual environment (Python 3.11): see make.py, whose conventions and shared pieces these are.

    python make_prior.py
"""


import numpy as np
from make import agree, blobs, spread_labels, write
from scipy.optimize import minimize
from scipy.special import log_softmax, softmax


def losses(kind, scores, y):
    """The loss of all rows and its derivatives by the scores (n, c); y are classes, or numbers."""
    if kind == "logistic":
        one_hot = np.eye(scores.shape[1])[y]
        return -(one_hot * log_softmax(scores, axis=1)).sum(), softmax(scores, axis=1) - one_hot
    wanted = y[:, None] if scores.shape[1] == 1 else 2 * np.eye(scores.shape[1])[y] - 1
    if kind == "squares":
        return ((scores - wanted) ** 2).sum(), 2 * (scores - wanted)
    short = np.maximum(0, 1 - wanted * scores)
    return (short**2).sum(), -2 * wanted * short


def refine(kind, x, y, w0, b0, precision, penalty):
    """W and b at the minimum of the loss plus the penalty (W - w0)' precision (W - w0) per class.

    Squares count the penalty whole, the others half, and the hinge also penalises how far its bias leaves b0: the
    conventions of ridge, logistic and svm.
    """
    d, c = w0.shape
    half = 1.0 if kind == "squares" else 0.5

    def objective(flat):
        w, b = flat[: d * c].reshape(d, c), flat[d * c :]
        value, slopes = losses(kind, x @ w + b, y)
        away = w - w0
        value += penalty * half * np.einsum("jk,ji,ik->", away, precision, away)
        gw = x.T @ slopes + 2 * penalty * half * precision @ away
        gb = slopes.sum(axis=0)
        if kind == "hinge":
            value += penalty * half * ((b - b0) ** 2).sum()
            gb = gb + 2 * penalty * half * (b - b0)
        return value, np.r_[gw.ravel(), gb]

    start = np.r_[w0.ravel(), b0]
    found = minimize(objective, start, jac=True, method="BFGS", options={"gtol": 1e-11, "maxiter": 5000})
    other = minimize(objective, 0 * start, jac=True, method="L-BFGS-B", options={"ftol": 1e-16, "gtol": 1e-9})
    agree(found.fun, other.fun, 1e-7, "the two optimisers' objectives")
    for _ in range(20):  # from where a line search ends at double precision, Newton's method with differences
        gradient = objective(found.x)[1]
        steps = 1e-6 * np.eye(found.x.size)
        hessian = np.array([(objective(found.x + e)[1] - objective(found.x - e)[1]) / 2e-6 for e in steps])
        found.x = found.x - np.linalg.lstsq((hessian + hessian.T) / 2, gradient, rcond=1e-9)[0]
    agree(objective(found.x)[1], 0, 1e-9, "the gradient")
    return found.x[: d * c].reshape(d, c), found.x[d * c :]


def source_model(rng, d, c):
    """Weights and biases rounded to 6 decimals; of two classes one is the other's opposite."""
    w, b = np.round(rng.normal(size=(d, c)), 6), np.round(rng.normal(size=c), 6)
    return (np.c_[-w[:, 1], w[:, 1]], np.r_[-b[1], b[1]]) if c == 2 else (w, b)


def rows_of(rng, kind, n, d, c):
    if c == 1:
        x = np.round(rng.normal(size=(n, d)), 6)
        return x, np.round(x @ rng.normal(size=d) + 0.3 * rng.normal(size=n), 6)
    y = spread_labels(rng, n, c)
    return blobs(rng, y, d), y


KINDS = [("squares", 1), ("squares", 2), ("squares", 3), ("logistic", 2), ("logistic", 3), ("hinge", 2), ("hinge", 3)]


def biased_regularization():
    rng = np.random.default_rng(71)
    cases = []
    for kind, c in KINDS:
        for penalty in [0.3, 5.0]:
            (w0, b0), (x, y) = source_model(rng, 5, c), rows_of(rng, kind, 24, 5, c)
            w, b = refine(kind, x, y, w0, b0, np.eye(5), penalty)
            if kind != "hinge":  # a free bias makes softmax scores, and only those, free up to a constant
                b = b - b.mean() if kind == "logistic" else b
            cases.append(
                {"loss": kind, "classes": c if c > 1 else 0, "penalty": penalty, "source": {"weights": w0, "bias": b0}}
                | {"x": x, "y": y, "expected": {"weights": w, "bias": b}}
            )
    write("biased_regularization", "minimum by BFGS over weights and biases, checked by L-BFGS-B", cases)


def gaussian_prior():
    rng = np.random.default_rng(72)
    cases = []
    for kind, c in [("squares", 1), ("logistic", 3), ("hinge", 2)]:
        for shrinkage, count in [(0.5, 3), (0.2, 1)]:
            models = [source_model(rng, 6, c) for _ in range(count)]
            x, y = rows_of(rng, kind, 30, 6, c)
            vectors = np.hstack([w for w, _ in models])
            moments = vectors @ vectors.T / vectors.shape[1]
            sigma = (1 - shrinkage) * moments + shrinkage * np.trace(moments) / 6 * np.eye(6)
            zero = np.zeros((6, c))
            w, b = refine(kind, x, y, zero, np.zeros(c), np.linalg.inv(sigma), 0.7)
            b = b - b.mean() if kind == "logistic" else b
            cases.append(
                {"loss": kind, "classes": c if c > 1 else 0, "penalty": 0.7, "shrinkage": shrinkage}
                | {"sources": [{"weights": w, "bias": b} for w, b in models]}
                | {"x": x, "y": y, "expected": {"weights": w, "bias": b}}
            )
    write("gaussian_prior", "minimum by BFGS with the inverse covariance formed, checked by L-BFGS-B", cases)


if __name__ == "__main__":
    biased_regularization()
    gaussian_prior()
