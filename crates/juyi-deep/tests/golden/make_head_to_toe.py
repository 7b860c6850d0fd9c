"""Writes head_to_toe.json: features of all stages, those that Head2Toe takes of them, and heads on both, in NumPy.

Nothing here is shared with the program: the group lasso is minimised feature by feature below a quadratic bound (Simon,
Friedman and Hastie, 2013), heads by Newton's method, pools are loops.
"""

import json
from math import isqrt
from pathlib import Path

import numpy as np

TARGET = 20
STAGES = [(3, 7, 7), (5, 4, 4), (24, 2, 2), (9, 6), (11,)]
WIDTHS, PICTURES, CLASSES = [20, 16, 12], 45, 3
LAMBDA, SHARE, INVERSE_PENALTY, STANDARD_PENALTY = 3e-3, 0.25, 10.0, 0.1


def listed(array):
    return {"shape": list(array.shape), "values": [float(f"{v:.12g}") for v in array.ravel()]}


def hypercolumn(stage):
    """The mean of each channel."""
    if stage.ndim == 3:
        return stage.mean(axis=(1, 2))
    return stage.mean(axis=0) if stage.ndim == 2 else stage


def pooled(stage):
    """As many means as come near the target size: windows side by side, what is left at the end is dropped."""
    if stage.ndim == 1:
        return stage
    if stage.ndim == 2:
        tokens, width = stage.shape
        window = tokens if width >= TARGET else int(tokens / (TARGET / width))
        return np.concatenate([stage[k * window : (k + 1) * window].mean(axis=0) for k in range(tokens // window)])
    channels, side, _ = stage.shape
    window = side if channels >= TARGET else side // min(isqrt(TARGET // channels), side)
    places = [window * k for k in range(side // window)]
    means = [[[c[i : i + window, j : j + window].mean() for j in places] for i in places] for c in stage]
    return np.array(means).ravel()


def unit(rows, widths):
    """Each stage's part of a row with length 1; a part of zeros stays."""
    parts = np.split(rows, np.cumsum(widths)[:-1], axis=1)
    lengths = [np.linalg.norm(part, axis=1, keepdims=True) for part in parts]
    return np.hstack([part / np.where(length == 0, 1, length) for part, length in zip(parts, lengths)])


def shares(scores):
    scores = np.exp(scores - scores.max(axis=1, keepdims=True))
    return scores / scores.sum(axis=1, keepdims=True)


def group_lasso(x, of):
    """Minimum of the mean cross-entropy + LAMBDA * the lengths of the rows of the weights."""
    n, d = x.shape
    truth = np.eye(CLASSES)[of]
    weights, biases = np.zeros((d, CLASSES)), np.zeros(CLASSES)
    bounds = (x**2).sum(axis=0) / (2 * n)
    for _ in range(60_000):
        before = weights.copy(), biases.copy()
        # The second derivative by scores is nowhere above 1/2: residuals of that bound, kept as weights change.
        slope = (shares(x @ weights + biases) - truth) / n
        for j in range(d):
            point = weights[j] - x[:, j] @ slope / bounds[j]
            length = np.linalg.norm(point)
            new = point * max(0.0, 1 - LAMBDA / bounds[j] / length) if length > 0 else point
            slope += np.outer(x[:, j], new - weights[j]) / (2 * n)
            weights[j] = new
        change = -2 * slope.sum(axis=0)
        biases = biases + change
        if max(np.abs(weights - before[0]).max(), np.abs(biases - before[1]).max()) < 1e-13:
            break
    slope = x.T @ (shares(x @ weights + biases) - truth) / n
    return weights, np.linalg.norm(slope, axis=1)


def head(x, of, inverse_penalty):
    """Minimum of the sum of the cross-entropies + |weights|² / (2 inverse_penalty), by Newton's method."""
    n, d = x.shape
    wide = np.hstack([x, np.ones((n, 1))])
    point, truth = np.zeros((d + 1, CLASSES)), np.eye(CLASSES)[of]
    penalty = np.repeat(np.append(np.full(d, 1 / inverse_penalty), 1e-12), CLASSES)
    for _ in range(100):
        p = shares(wide @ point)
        slope = (wide.T @ (p - truth)).ravel() + penalty * point.ravel()
        curvature = np.einsum("ij,ik,icl->jckl", wide, wide, np.einsum("ic,cl->icl", p, np.eye(CLASSES)) - p[:, :, None] * p[:, None, :])
        curvature = curvature.reshape(point.size, point.size) + np.diag(penalty)
        step = np.linalg.solve(curvature, slope).reshape(point.shape)
        point = point - step
        if np.abs(step).max() < 1e-12:
            break
    return point[:d], point[d] - point[d].mean()


def main():
    rng = np.random.default_rng(0)
    stages = [rng.normal(size=shape) for shape in STAGES]
    of = np.arange(PICTURES) % CLASSES
    means = rng.normal(size=(CLASSES, sum(WIDTHS))) * (rng.random(sum(WIDTHS)) < 0.3)
    rows = 1.0 + means[of] + rng.normal(size=(PICTURES, sum(WIDTHS)))
    rows = rows.astype(np.float32).astype(float)

    weights, slopes = group_lasso(unit(rows, WIDTHS), of)
    lengths = np.linalg.norm(weights, axis=1)
    order = sorted(range(len(lengths)), key=lambda j: (-lengths[j], -slopes[j]))
    columns = sorted(order[: int(SHARE * len(order))])
    bounds = np.cumsum([0, *WIDTHS])
    widths = [sum(low <= j < high for j in columns) for low, high in zip(bounds, bounds[1:])]
    chosen = unit(rows[:, columns], widths)
    own, biases = head(chosen, of, INVERSE_PENALTY)

    deviations = rows.std(axis=0)
    standard, standard_biases = head((rows - rows.mean(axis=0)) / deviations, of, STANDARD_PENALTY)
    standard = standard / deviations[:, None]
    standard_biases = standard_biases - rows.mean(axis=0) @ standard
    golden = {
        "made_by": f"make_head_to_toe.py with numpy {np.__version__}",
        "target": TARGET,
        "stages": [listed(stage) for stage in stages],
        "hypercolumns": listed(np.concatenate([hypercolumn(stage) for stage in stages])),
        "pooled": listed(np.concatenate([pooled(stage) for stage in stages])),
        "widths": WIDTHS,
        "rows": listed(rows),
        "classes": of.tolist(),
        "lambda": LAMBDA,
        "lengths": listed(lengths),
        "order": order,
        "share": SHARE,
        "columns": columns,
        "chosen": listed(chosen),
        "inverse_penalty": INVERSE_PENALTY,
        "weights": listed(own.T),
        "logits": listed(chosen @ own + biases),
        "standard_penalty": STANDARD_PENALTY,
        "standard_weights": listed(standard.T),
        "standard_logits": listed(rows @ standard + standard_biases),
    }
    lines = ",\n".join(f"{json.dumps(name)}: {json.dumps(value)}" for name, value in golden.items())
    Path(__file__).with_name("head_to_toe.json").write_text("{" + lines + "}\n")


if __name__ == "__main__":
    main()
