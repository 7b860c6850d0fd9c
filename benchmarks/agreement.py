"""Whether both sides of a row have solved the same problem: a check takes their answers and says how near they are."""

import numpy as np
from scipy.special import log_softmax
from sklearn.linear_model import LogisticRegression
from sklearn.metrics.pairwise import rbf_kernel

import problem


class Data:
    """The data of the row that is being checked."""

    def load(self, folder, labelled):
        self.xs, self.ys, self.xt, self.yt = problem.read(folder)
        self.own = labelled


data = Data()


class Answers:
    """What a side has left: arrays by name."""

    def __init__(self, folder):
        self.folder = folder

    def __getitem__(self, name):
        values = np.fromfile(self.folder / f"{name}.f64")
        if name == "coefficients":
            return values.reshape(-1, len(self["bias"]))
        lengths = dict(source=len(data.xs), target=len(data.xt))
        return values.reshape(lengths[name], -1) if name in lengths else values


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
    x, y = data.xs, data.ys
    scores = x @ answers["coefficients"] + answers["bias"]
    loss = -log_softmax(scores, axis=1)[np.arange(len(y)), y].sum()
    return loss + (answers["coefficients"] ** 2).sum() / 2


def same_logistic(ours, theirs):
    a, b = logistic_objective(ours), logistic_objective(theirs)
    return f"{within('objectives agree', abs(a - b) / b, 1e-6)}, {labels(ours, theirs, 0.999)}"


def same_matching(ours, theirs):
    """Our weights meet the optimality conditions; skada's Frank-Wolfe stops after 1,000 steps, short of them."""
    xs, xt = data.xs, data.xt
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
    x, y = np.r_[data.xs, data.xt], np.r_[np.zeros(len(data.xs)), np.ones(len(data.xt))]
    exact = LogisticRegression(C=1.0, tol=1e-10, max_iter=1000, solver="newton-cholesky").fit(x, y)

    def objective(w, b):
        return np.logaddexp(0, (1 - 2 * y) * (x @ w + b)).sum() + w @ w / 2

    weights = np.exp(exact.decision_function(data.xs))
    gap = apart(ours["weights"], weights / weights.mean())
    least = objective(exact.coef_[0], exact.intercept_[0])
    above = objective(theirs["domain_coefficients"], theirs["domain_bias"][0]) / least - 1
    said = within("our weights agree with the exact ones", gap, 1e-6), within("objectives", above, 1e-6)
    return f"{', '.join(said)}, {labels(ours, theirs, 0.99)}"


def weights_of(learner_agrees=0.99, tolerance=1e-6):
    """The weights agree, entry by entry."""

    def check(ours, theirs):
        gap = apart(ours["weights"], theirs["weights"] / theirs["weights"].mean())
        return f"{within('weights agree', gap, tolerance)}, {labels(ours, theirs, learner_agrees)}"

    return check


def like_weights(least):
    """Where each side draws its own centres: weights that go together."""

    def check(ours, theirs):
        together = np.corrcoef(ours["weights"], theirs["weights"])[0, 1]
        if not together >= least:
            raise Disagreement(f"weights correlate at {together:.4f}, not {least}")
        return f"centres are drawn on each side: weights correlate at {together:.4f}, {labels(ours, theirs, 0.9)}"

    return check


def most_labels(least):
    return lambda ours, theirs: labels(ours, theirs, least)


def same_linear(tolerance):
    """The coefficients of a linear predictor, and what it says."""

    def check(ours, theirs):
        gap = apart(ours["coefficients"], theirs["coefficients"])
        said = within("coefficients agree", gap, tolerance)
        if data.ys.dtype == int:
            return f"{said}, {labels(ours, theirs, 0.99)}"
        return f"{said}, {within('numbers', apart(ours['predictions'], theirs['predictions']), tolerance)}"

    return check


def same_numbers(tolerance):
    def check(ours, theirs):
        return within("numbers agree", apart(ours["predictions"], theirs["predictions"]), tolerance)

    return check


def moved_to(tolerance, least=0.99):
    """What the source rows were moved to."""

    def check(ours, theirs):
        gap = apart(ours["source"], theirs["source"])
        return f"{within('rows agree', gap, tolerance)}, {labels(ours, theirs, least)}"

    return check


def no_worse(slack):
    """Where the two differ by design or by chance: how often, or how far, they are right on rows without a label."""

    def check(ours, theirs):
        truth = data.yt[data.own :]
        if len(truth) == 0:
            return "no row without a label"
        a, b = (side["predictions"][data.own :] for side in (ours, theirs))
        if data.ys.dtype == int:
            right, other = (a == truth).mean(), (b == truth).mean()
            if right < other - slack:
                raise Disagreement(f"{right:.1%} right, theirs {other:.1%}")
            return f"{right:.1%} right, theirs {other:.1%}; {(a == b).mean():.0%} of the labels the same"
        off, other = (((said - truth) ** 2).mean() ** 0.5 for said in (a, b))
        if off > other * (1 + slack):
            raise Disagreement(f"off by {off:.3f}, theirs by {other:.3f}")
        return f"off by {off:.3f} (root mean square), theirs by {other:.3f}"

    return check


def other_algorithm(ours, theirs):
    """Where the peer has other rules than the paper, ours and its answers are told and not held against each other."""
    return f"another algorithm (see below); {no_worse(np.inf)(ours, theirs)}"


def same_columns(ours, theirs):
    """Both keep columns of the rows: which."""

    def kept(side):
        first = side["source"][:3].T
        return {int(np.abs(data.xs[:3].T - column).sum(axis=1).argmin()) for column in first}

    a, b = kept(ours), kept(theirs)
    if not b <= a:
        raise Disagreement(f"{len(b - a)} columns that the peer keeps are dropped")
    said = f"{len(a)} columns kept, {len(b)} by the peer, all of them among ours"
    return f"{said}; {same_labels(ours, theirs):.0%} of the labels the same"
