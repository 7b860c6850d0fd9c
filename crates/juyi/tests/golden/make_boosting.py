"""Makes boosting.json: TrAdaBoost, TrAdaBoost.R2 and two-stage TrAdaBoost.R2, round by round.

Usage, in the environment that make.py asks for:

    python make_boosting.py

The published algorithms in numpy, over scikit-learn's trees of bounded depth: these are deterministic where no node has
two equally good splits, so errors, weights and votes can be compared number by number. Cases with such a tie are passed
over. Features are multiples of 1/64, which scikit-learn's 32-bit floats hold exactly.
"""


import numpy as np
from scipy.optimize import brentq
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from make import agree, write
from make_trees import check_tree

DEPTH = 2
TINY = 1e-12


class Tie(Exception):
    """A tree that scikit-learn could have grown otherwise, or a case that shows little."""


def learn(x, y, w, classes):
    kept = w > 0
    make = DecisionTreeClassifier if classes else DecisionTreeRegressor
    model = make(max_depth=DEPTH, random_state=0).fit(x[kept], y[kept], sample_weight=w[kept])
    if not check_tree(model.tree_, x[kept], y[kept], w[kept], classes, TINY, DEPTH):
        raise Tie
    return model


def losses(model, x, y, w, classes):
    if classes:
        return (model.predict(x) != y).astype(float)
    off = np.abs(model.predict(x) - y)
    most = off[w > 0].max()
    return np.minimum(off / most, 1.0)


def tradaboost(x, y, n, classes, rounds):
    """Figure 1 of Dai et al. in logarithms of the weights; SAMME's odds for more classes, Pardoe and Stone's losses for numbers."""
    m = len(y) - n
    beta = 1 / (1 + np.sqrt(2 * np.log(n) / rounds))
    log_w = np.zeros(n + m)
    out = []
    for t in range(rounds):
        w = np.exp(log_w - log_w.max())
        w /= w.sum()
        model = learn(x, y, w, classes)
        loss = losses(model, x, y, w, classes)
        assert loss.any()
        error = (w[n:] @ loss[n:]) / w[n:].sum()
        if error >= 0.5 and not classes and t > 0:
            break
        error = min(max(error, 0.5 / (n + m)), 1 - 1 / max(classes, 2) - 0.01)
        out.append((model, w, error))
        log_w[:n] += loss[:n] * np.log(beta)
        log_w[n:] -= loss[n:] * np.log(error / ((1 - error) * (max(classes, 2) - 1)))
    return out


def hard_vote(rounds, x, classes):
    """Products of powers, as the paper writes it, for two classes; sums of logarithms for more."""
    half = rounds[int(np.ceil(len(rounds) / 2)) - 1:]
    sums = np.zeros((len(x), classes))
    for model, _, error in half:
        sums[np.arange(len(x)), model.predict(x)] += np.log((1 - error) * (classes - 1) / error)
    if classes == 2:
        left, right = np.ones(len(x)), 1.0
        for model, _, error in half:
            left *= (error / (1 - error)) ** -model.predict(x).astype(float)
            right *= (error / (1 - error)) ** -0.5
        agree(left >= right, sums.argmax(axis=1), 0, "product and sum")
    return sums / sums.sum(axis=1, keepdims=True)


def weighted_median(rounds, x):
    """The median where each answer is counted by its weight; twice: by sorting, and by asking each answer."""
    said = np.array([model.predict(x) for model, _, _ in rounds])
    weight = np.log([(1 - error) / error for _, _, error in rounds])
    out = []
    for column in said.T:
        fits = [v for v in column if weight[column <= v].sum() >= 0.5 * weight.sum()]
        order = np.argsort(column)
        upto = np.cumsum(weight[order])
        assert column[order][np.searchsorted(upto, 0.5 * upto[-1])] == min(fits)
        out.append(min(fits))
    return np.array(out)


def frozen_r2(x, y, n, start, rounds):
    """AdaBoost.R2' of Pardoe and Stone; the source rows keep their weights."""
    w, out = start.copy(), []
    for t in range(rounds):
        model = learn(x, y, w, 0)
        loss = losses(model, x, y, w, 0)
        error = w @ loss / w.sum()
        assert error > 0
        if error >= 0.5 and t > 0:
            break
        error = min(error, 0.49)
        out.append((model, w.copy(), error))
        grown = w[n:] * (error / (1 - error)) ** (1 - loss[n:])
        w = np.concatenate([w[:n], grown * w[n:].sum() / grown.sum()])
    return out


def two_stage(x, y, n, steps, rounds, folds):
    m = len(y) - n
    w = np.full(n + m, 1 / (n + m))
    schedule, errors = [], []
    order = np.lexsort(tuple(x[n:].T[::-1]) + (y[n:],))
    for t in range(1, steps + 1):
        schedule.append(w)
        squares = 0.0
        for fold in range(folds):
            held = n + order[fold::folds]
            kept = np.setdiff1d(np.arange(n + m), held)
            rounds_of = frozen_r2(x[kept], y[kept], n, w[kept] / w[kept].sum(), rounds)
            squares += ((weighted_median(rounds_of, x[held]) - y[held]) ** 2).sum()
        errors.append(squares / m)
        if t == steps:
            break
        share = m / (n + m) + t / (steps - 1) * (1 - m / (n + m))
        if t == steps - 1:
            w = np.concatenate([np.zeros(n), w[n:] / w[n:].sum()])
            continue
        loss = losses(learn(x, y, w, 0), x, y, w, 0)

        def over(log_beta):
            source = (w[:n] * np.exp(log_beta * loss[:n])).sum()
            return w[n:].sum() / (source + w[n:].sum()) - share

        beta = np.exp(brentq(over, -200, 0, xtol=1e-15))
        w = np.concatenate([w[:n] * beta ** loss[:n], w[n:]])
        w = w / w.sum()
        agree(w[n:].sum(), share, 1e-12, "the target's share")
    best = int(np.argmin(errors))
    return schedule, errors, best, frozen_r2(x, y, n, schedule[best], rounds)


def data(rng, n, m, classes):
    """A source of which a third follows another rule."""
    x = np.round(rng.normal(0, 1.3, (n + m, 3)) * 64) / 64
    score = x[:, 0] + 0.8 * x[:, 1] + rng.normal(0, 0.5, n + m)
    wrong = np.arange(n + m) < n // 3
    score[wrong] = (1.5 - x[:, 0] + 0.5 * x[:, 2])[wrong]
    if classes:
        return x, np.digitize(score, [0.0] if classes == 2 else [-0.8, 0.8])
    return x, np.round(score, 6)


def cases():
    out, seed = [], 0
    plan = [("tradaboost", 2), ("tradaboost", 3), ("tradaboost-r2", 0), ("two-stage-tradaboost-r2", 0)]
    for method, classes in plan:
        while True:
            seed += 1
            rng = np.random.default_rng(seed)
            n, m, rounds = 60, 24, 12
            x, y = data(rng, n, m, classes)
            probe = data(rng, 0, 20, classes)[0]
            try:
                if method == "two-stage-tradaboost-r2":
                    steps, rounds, folds = 5, 6, 4
                    schedule, errors, best, model = two_stage(x, y, n, steps, rounds, folds)
                    expected = {"weights": schedule, "cross_validation": errors, "best": best,
                                "answers": weighted_median(model, probe)}
                    params = {"steps": steps, "rounds": rounds, "folds": folds}
                else:
                    done = tradaboost(x, y, n, classes, rounds)
                    bounds = [0.5 / (n + m), 1 - 1 / max(classes, 2) - 0.01]
                    if sum(e in bounds for _, _, e in done) > 2:
                        raise Tie  # little to compare
                    half = done[int(np.ceil(len(done) / 2)) - 1:]
                    expected = {"weights": [w for _, w, _ in done], "errors": [e for _, _, e in done]}
                    if classes:
                        expected["shares"] = hard_vote(done, probe, classes)
                    else:
                        expected["answers"] = weighted_median(half, probe)
                    params = {"rounds": rounds}
                break
            except Tie:
                continue
        print(method, classes, "seed", seed)
        out.append({"method": method, "classes": classes, "depth": DEPTH, "params": params, "source": n,
                    "x": x, "y": y, "probe": probe, "expected": expected})
    return out


if __name__ == "__main__":
    write("boosting", "Boosted transfer round by round: weights before each round, errors, answers.", cases())
