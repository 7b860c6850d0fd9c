"""Makes artl.json, meda.json, label_spreading.json, self_training.json, lin_int.json, pred.json and dasvm.json.

Usage, in the environment that make.py asks for:

    python make_classifiers.py              # writes every file
    python make_classifiers.py meda         # writes meda.json only

Files and data are as make.py says. scikit-learn's LabelSpreading and SelfTrainingClassifier are run as they are; the
other methods are written down here in numpy, as their papers state them (dense matrices, all equations at once). Every
expected value is checked a second way before it is written.
"""

import json
import sys

import numpy as np
from make import agree, fit_logistic, shifted, spread_labels, write
from scipy.optimize import minimize_scalar
from scipy.special import softmax
from sklearn.linear_model import LogisticRegression
from sklearn.metrics.pairwise import rbf_kernel
from sklearn.neighbors import KNeighborsClassifier
from sklearn.semi_supervised import LabelSpreading, SelfTrainingClassifier
from sklearn.svm import SVC, LinearSVC


def unit(x):
    return x / np.linalg.norm(x, axis=1, keepdims=True)


# ------------------------------------------------------- regularised least squares: ARTL and MEDA


def laplacian(x, p):
    """I - D^-1/2 W D^-1/2 of the p nearest by cosine."""
    cosine = x @ x.T
    w = np.zeros_like(cosine)
    for i in range(len(x)):
        order = [j for j in np.argsort(-cosine[i], kind="stable") if j != i][:p]
        w[i, order] = np.maximum(cosine[i, order], 0)
    w = np.maximum(w, w.T)
    d = w.sum(axis=1)
    assert (d > 0).all()
    return np.eye(len(x)) - w / np.sqrt(np.outer(d, d))


def discrepancy(ys, yt, share):
    """M of unit Frobenius norm, entry by entry."""
    ns, nt = len(ys), len(yt)
    classes = np.unique(ys)
    e = np.r_[np.full(ns, 1 / ns), np.full(nt, -1 / nt)]
    m = (1 - share) * len(classes) * np.outer(e, e)
    for c in classes:
        e = np.r_[(ys == c) / np.sum(ys == c), -1.0 * (yt == c) / max(1, np.sum(yt == c))]
        m += share * np.outer(e, e)
    return m / np.linalg.norm(m)


def a_distance(a, b):
    x, y = np.r_[a, b], np.r_[np.zeros(len(a)), np.ones(len(b))]
    model = LinearSVC(C=1.0, dual=False, tol=1e-12, max_iter=100000).fit(x, y)
    assert np.abs(model.decision_function(x)).min() > 1e-6  # no row on the line
    return max(0.0, 2 * (1 - 2 * np.mean(model.predict(x) != y)))


def rounds(x, ys, known, xt_new, p, kernel, share):
    """The scores of the target rows and of new rows; known is -1 for target rows without a label."""
    ns, n, classes = len(ys), len(x), p["classes"]
    zs, zt = x[:ns], x[ns:]
    nearest = KNeighborsClassifier(1).fit(np.r_[zs, zt[known >= 0]], np.r_[ys, known[known >= 0]])
    pseudo = np.where(known >= 0, known, nearest.predict(zt))
    of = np.r_[ys, known]
    y = np.eye(classes)[np.maximum(of, 0)] * (of >= 0)[:, None]
    e, k, l = np.diag(1.0 * (of >= 0)), kernel(x, x), laplacian(x, p["neighbors"])
    shares = []
    for _ in range(p["iterations"]):
        mu = share(zs, ys, zt, pseudo)
        shares.append(mu)
        m = discrepancy(ys, pseudo, mu)
        inner = e + p["discrepancy"] * m + p["manifold"] * l
        beta = np.linalg.solve(inner @ k + p["ridge"] * np.eye(n), e @ y)
        f = k @ beta
        scores = f[ns:]
        top = np.sort(scores, axis=1)
        assert (top[:, -1] - top[:, -2]).min() > 1e-6  # no tie
        pseudo = np.where(known >= 0, known, scores.argmax(axis=1))
    # The gradient of the objective, in function space: K (inner f + ridge beta - E y) = 0.
    agree(k @ (inner @ f + p["ridge"] * beta - e @ y), 0, 1e-9, "the gradient of the regularised risk")
    return scores, kernel(xt_new, x) @ beta, shares


def labels_of_few(rng, yt, count):
    known = np.full(len(yt), -1)
    which = rng.choice(len(yt), size=count, replace=False)
    known[which] = yt[which]
    return known


def rows_for(rng, ns, nt, classes, d):
    ys, yt = spread_labels(rng, ns, classes), spread_labels(rng, nt + 6, classes)
    xs, xt = shifted(rng, ys, yt, d)
    return xs, ys, xt[:nt], yt[:nt], xt[nt:]


def artl():
    rng = np.random.default_rng(601)
    cases = []
    plan = [("linear", 3, 1, 0, 6), ("linear", 3, 4, 4, 6), ("rbf", 3, 1, 0, 6), ("rbf", 2, 3, 5, 4), ("linear", 3, 2, 2, 70)]
    for kernel, classes, iterations, labelled, d in plan:
        xs, ys, xt, yt, new = rows_for(rng, 30, 24, classes, d)
        known = labels_of_few(rng, yt, labelled)
        width = 0.8
        p = dict(discrepancy=5.0, manifold=0.7, ridge=0.2, neighbors=4, iterations=iterations, classes=classes)
        inner = lambda a, b: a @ b.T
        gaussian = lambda a, b: rbf_kernel(a, b, gamma=0.5 / width**2)
        similar = inner if kernel == "linear" else gaussian
        scores, fresh, _ = rounds(unit(np.r_[xs, xt]), ys, known, unit(new), p, similar, lambda *_: 0.5)
        params = {k: p[k] for k in ["discrepancy", "manifold", "ridge", "neighbors", "iterations"]}
        params |= dict(kernel=kernel, bandwidth=width)
        data = dict(x_source=xs, y=ys, x_target=xt, known=known, x_test=new, params=params)
        cases.append(data | dict(expected=dict(scores=scores, test_scores=fresh)))
    about = (
        "Adaptation regularisation with squared loss as Long et al. 2014 state it, dense in numpy; known has -1 for "
        "target rows without a label; the first pseudo-classes are those of the nearest row. scores: the target rows by "
        "classes; test_scores: those of x_test."
    )
    write("artl", about, cases)


def flow_kernel(xs, xt, d):
    """G of Gong et al. 2012, eq. 5-6, by blocks, with the orthogonal complement of the source's directions."""
    directions = lambda x: np.linalg.svd(x - x.mean(axis=0))[2].T
    whole = directions(xs)
    ps, rs, pt = whole[:, :d], whole[:, d:], directions(xt)[:, :d]
    u1, cosine, v = np.linalg.svd(ps.T @ pt)
    theta = np.arccos(np.clip(cosine, -1, 1))
    assert theta.min() > 1e-3
    u2 = -(rs.T @ pt @ v.T) / np.sin(theta)
    s = 2 * theta
    a, b = ps @ u1, rs @ u2
    l1, l2, l3 = (1 + np.sin(s) / s) / 2, (np.cos(s) - 1) / s / 2, (1 - np.sin(s) / s) / 2
    g = a * l1 @ a.T + a * l2 @ b.T + b * l2 @ a.T + b * l3 @ b.T
    # The integral itself, by Gauss and Legendre.
    t, w = np.polynomial.legendre.leggauss(40)
    total = np.zeros_like(g)
    for t, w in zip((t + 1) / 2, w / 2):
        phi = a * np.cos(t * theta) - b * np.sin(t * theta)
        total += w * phi @ phi.T
    agree(g, total, 1e-12, "the geodesic flow kernel and its integral")
    return g


def meda():
    rng = np.random.default_rng(602)
    cases = []
    for classes, components, labelled, fixed in [(3, 3, 0, None), (3, 2, 4, None), (2, 4, 0, 0.3), (3, 3, 0, 0.0)]:
        xs, ys, xt, yt, new = rows_for(rng, 36, 30, classes, 9)
        known = labels_of_few(rng, yt, labelled)
        values, vectors = np.linalg.eigh(flow_kernel(xs, xt, components))
        root = vectors * np.sqrt(np.maximum(values, 0)) @ vectors.T
        p = dict(discrepancy=10.0, manifold=1.0, ridge=0.1, neighbors=5, iterations=4, classes=classes)

        def share(zs, ys, zt, pseudo):
            if fixed is not None:
                return fixed
            apart = a_distance(zs, zt)
            within = [a_distance(zs[ys == c], zt[pseudo == c]) for c in np.unique(ys) if (pseudo == c).any()]
            return np.mean(within) / (np.mean(within) + apart)

        z = unit(np.r_[xs, xt] @ root)
        gaussian = lambda a, b: rbf_kernel(a, b, gamma=0.5)
        scores, fresh, shares = rounds(z, ys, known, unit(new @ root), p, gaussian, share)
        print(f"  meda: shares {np.round(shares, 3)}")
        params = {k: p[k] for k in ["discrepancy", "manifold", "ridge", "neighbors", "iterations"]}
        params |= dict(components=components, share=fixed)
        data = dict(x_source=xs, y=ys, x_target=xt, known=known, x_test=new, params=params)
        cases.append(data | dict(expected=dict(scores=scores, test_scores=fresh)))
    about = (
        "Manifold embedded distribution alignment as Wang et al. 2018 state it, dense in numpy, with the geodesic flow "
        "kernel in the block form of Gong et al. 2012 (checked against its integral) and scikit-learn's LinearSVC "
        "telling the domains apart. known has -1 for target rows without a label; a share of null is estimated. scores: "
        "the target rows by classes; test_scores: those of x_test."
    )
    write("meda", about, cases)


# ------------------------------------------------------------------------------------ label spreading


def label_spreading():
    rng = np.random.default_rng(603)
    cases = []
    for classes, labelled, n, d, gamma, alpha in [(2, 6, 26, 2, 0.5, 0.2), (3, 9, 40, 3, 0.3, 0.99), (3, 12, 34, 2, 2.0, 0.9)]:
        truth = spread_labels(rng, n, classes)
        means = rng.normal(size=(classes, d)) * 1.5
        x = np.round(means[truth] + rng.normal(size=(n, d)), 6)
        known = np.arange(n) < labelled
        model = LabelSpreading(kernel="rbf", gamma=gamma, alpha=alpha, max_iter=100000, tol=1e-14)
        model.fit(x, np.where(known, truth, -1))
        w = rbf_kernel(x, gamma=gamma) - np.eye(n)
        degree = w.sum(axis=1)
        s = w / np.sqrt(np.outer(degree, degree))
        y = np.eye(classes)[truth] * known[:, None]
        f = (1 - alpha) * np.linalg.solve(np.eye(n) - alpha * s, y)
        shares = f / f.sum(axis=1, keepdims=True)
        agree(model.label_distributions_, shares, 1e-9, "LabelSpreading and its fixed point")
        # What the neighbours' answers make of a row that was not there.
        new = np.round(means[np.arange(8) % classes] + rng.normal(size=(8, d)), 6)
        fresh = rbf_kernel(new, x, gamma=gamma) @ (f / np.sqrt(degree)[:, None])
        expected = dict(shares=shares[labelled:], test_shares=fresh / fresh.sum(axis=1, keepdims=True))
        data = dict(x=x, y=truth[:labelled], gamma=gamma, spread=alpha, x_test=new)
        cases.append(data | dict(expected=expected))
    about = (
        "scikit-learn LabelSpreading, kernel exp(-gamma |x - y|^2), run to its fixed point; the first rows of x are "
        "labelled y, the others are not. shares: the rows without a label, by classes. test_shares: rows that were not "
        "there, by the kernel-weighted sum of F_j / sqrt(d_j) (not scikit-learn's, whose new rows are not "
        "answered as the fitted ones are). The fixed point is checked by solving for it."
    )
    write("label_spreading", about, cases)


# -------------------------------------------------------------------------------------- self-training


def exact_logistic():
    return LogisticRegression(C=1.0, tol=1e-12, max_iter=10000, solver="newton-cholesky")


def self_training():
    rng = np.random.default_rng(604)
    cases = []
    for threshold, per_round, most in [(0.75, None, 10), (0.9, None, 3), (0.75, 7, 4)]:
        xs, ys, xt, _, new = rows_for(rng, 30, 40, 3, 4)
        rule = dict(criterion="threshold", threshold=threshold)
        if per_round:
            rule = dict(criterion="k_best", k_best=per_round)
        model = SelfTrainingClassifier(exact_logistic(), max_iter=most, **rule)
        model.fit(np.r_[xs, xt], np.r_[ys, np.full(len(xt), -1)])
        taken = model.transduction_[len(xs) :]
        x, y, left = xs, ys, np.arange(len(xt))
        for _ in range(most):
            w, b = fit_logistic(x, y, None)
            sure = softmax(xt[left] @ w + b, axis=1)
            best = sure.max(axis=1)
            chosen = np.argsort(-best)[:per_round] if per_round else np.flatnonzero(best > threshold)
            gaps = best - threshold
            if per_round:
                gaps = np.diff(np.sort(-best)[per_round - 1 : per_round + 1])
            assert np.abs(gaps).min(initial=1) > 1e-6  # no row on the line
            if not len(chosen):
                break
            x, y = np.r_[x, xt[left[chosen]]], np.r_[y, sure[chosen].argmax(axis=1)]
            left = np.delete(left, chosen)
            if not len(left):
                break
        agree(np.flatnonzero(taken == -1), left, 0, "the rows that SelfTrainingClassifier leaves")
        w, b = fit_logistic(x, y, None)
        probabilities = model.predict_proba(new)
        agree(probabilities, softmax(new @ w + b, axis=1), 1e-8, "the probabilities of SelfTrainingClassifier")
        print(f"  self_training: {np.sum(taken >= 0)} of {len(xt)} taken in")
        params = dict(threshold=threshold, per_round=per_round, rounds=most)
        data = dict(x_source=xs, y=ys, x_target=xt, x_test=new, params=params)
        cases.append(data | dict(expected=dict(probabilities=probabilities)))
    about = "scikit-learn SelfTrainingClassifier around LogisticRegression; probabilities: x_test after the last round."
    write("self_training", about, cases)


# ------------------------------------------------------------------------------- LinInt, Pred


def proba(x, y, probe, classes):
    """Probabilities of all classes from a logistic regression on those that occur."""
    present = np.unique(y)
    out = np.zeros((len(probe), classes))
    w, b = fit_logistic(x, np.searchsorted(present, y), None)
    out[:, present] = softmax(probe @ w + b, axis=1)
    return out


def lin_int():
    rng = np.random.default_rng(605)
    cases = []
    for classes, nt in [(3, 14), (2, 9), (3, 31)]:
        xs, ys, xt, yt, new = rows_for(rng, 40, nt, classes, 4)
        keys = [xt[:, j] for j in range(3, -1, -1)] + [yt]
        order = np.lexsort(keys)
        target, source, truth = [], [], []
        for fold in range(5):
            held, kept = order[fold::5], np.sort(np.delete(order, np.s_[fold::5]))
            target.append(proba(xt[kept], yt[kept], xt[held], classes))
            source.append(proba(xs, ys, xt[held], classes))
            truth.append(np.eye(classes)[yt[held]])
        t, s, y = np.concatenate(target), np.concatenate(source), np.concatenate(truth)
        weight = np.clip(np.sum((y - s) * (t - s)) / np.sum((t - s) ** 2), 0, 1)
        score = lambda w: np.sum((w * t + (1 - w) * s - y) ** 2)
        agree(weight, minimize_scalar(score, bounds=(0, 1), method="bounded", options=dict(xatol=1e-10)).x, 1e-6, "the weight")
        mixed = weight * proba(xt, yt, new, classes) + (1 - weight) * proba(xs, ys, new, classes)
        print(f"  lin_int: weight {weight:.3f}")
        data = dict(x_source=xs, y=ys, x_target=xt, known=yt, x_test=new)
        cases.append(data | dict(expected=dict(weight=weight, probabilities=mixed)))
    about = (
        "Linear interpolation of two logistic regressions (Daume 2007), its weight of least Brier score over five folds of "
        "the target rows, all labelled, in the order of labels and features. probabilities: x_test."
    )
    write("lin_int", about, cases)


def pred():
    rng = np.random.default_rng(606)
    cases = []
    for classes, nt in [(3, 14), (2, 9)]:
        xs, ys, xt, yt, new = rows_for(rng, 40, nt, classes, 4)
        beside = lambda x: np.c_[x, proba(xs, ys, x, classes)]
        probabilities = proba(beside(xt), yt, beside(new), classes)
        if classes == 3:
            model = exact_logistic().fit(xs, ys)
            both = exact_logistic().fit(np.c_[xt, model.predict_proba(xt)], yt)
            other = both.predict_proba(np.c_[new, model.predict_proba(new)])
            agree(probabilities, other, 1e-7, "the stacked probabilities")
        data = dict(x_source=xs, y=ys, x_target=xt, known=yt, x_test=new)
        cases.append(data | dict(expected=dict(probabilities=probabilities)))
    about = (
        "Logistic regression on the target rows, all labelled, with the probabilities of one on the source rows as further "
        "columns (Daume 2007, baseline Pred). probabilities: x_test."
    )
    write("pred", about, cases)


# --------------------------------------------------------------------------------------------- DASVM


def machine(x, sign, costs, gamma):
    """The support vector machine of libsvm with a cost for each row, as a function, its dual checked."""
    model = SVC(C=1.0, gamma=gamma, tol=1e-10, cache_size=500).fit(x, sign, sample_weight=costs)
    beta = np.zeros(len(x))
    beta[model.support_] = model.dual_coef_[0]
    f = rbf_kernel(x, gamma=gamma) @ beta + model.intercept_[0]
    free = (np.abs(beta) > 1e-9) & (np.abs(beta) < costs - 1e-9)
    agree((sign * f)[free], 1, 1e-6, "the margins of free rows")
    assert ((sign * f)[beta == 0] > 1 - 1e-6).all() and free.any()
    return model.decision_function


def dasvm_side(xs, ys, xt, known, cost, gamma, rounds):
    """f for ys and known of 1 and -1, known of 0 for target rows without a label."""
    label, here = known.astype(float), np.ones(len(xs), bool)
    most = {sign: int(np.ceil(np.sum(ys == sign) / rounds)) for sign in (1, -1)}
    settled = int(np.ceil(0.03 * len(xt)))
    like = rbf_kernel(xs, xt, gamma=gamma).mean(axis=1)

    def fit(c_source, c_target):
        x, y = np.r_[xs[here], xt[label != 0]], np.r_[ys[here], label[label != 0]]
        c_own = np.where(known != 0, cost, c_target)
        return machine(x, y, np.r_[np.full(here.sum(), c_source), c_own[label != 0]], gamma)

    f = fit(cost, 0.1 * cost)
    for i in range(1, 3 * rounds + 1):
        fs, ft = f(xs), f(xt)
        assert min(np.abs(ft).min(), np.abs(np.abs(ft) - 1)[label == 0].min(initial=1)) > 1e-7  # no row on a line
        back = (known == 0) & (label * ft < 0)
        label[back] = 0
        moved = back.sum()
        for sign in (1, -1):
            may = np.flatnonzero((label == 0) & ~back & (sign * ft > 0) & (sign * ft < 1))
            come = may[np.argsort(-sign * ft[may])][: most[sign]]
            label[come] = sign
            moved += len(come)
            own = np.flatnonzero(here & (ys == sign))
            here[own[np.lexsort((like[own], -np.round(sign * fs[own], 6)))][: most[sign]]] = False
            if not (label == sign).any() and not (here & (ys == sign)).any():
                own = np.flatnonzero(ys == sign)
                here[own[np.argmin(sign * fs[own])]] = True
        q = min(1, (i / rounds) ** 2)
        f = fit(cost * (1 - 0.9 * q), cost * (0.1 + 0.9 * q))
        if i >= rounds and moved <= settled and here.sum() <= 2:
            break
    print(f"  dasvm: {i} rounds, {here.sum()} source and {np.sum(label != 0)} of {len(xt)} target rows left")
    return f


def dasvm():
    rng = np.random.default_rng(607)
    cases = []
    for classes, labelled, gamma, cost, most in [(2, 0, 0.4, 1.0, 5), (3, 0, 0.2, 2.0, 4), (3, 6, 0.3, 1.0, 6)]:
        xs, ys, xt, yt, new = rows_for(rng, 36, 40, classes, 3)
        known = labels_of_few(rng, yt, labelled)
        test = []
        for c in range(1 if classes == 2 else classes):
            signs = np.where(known < 0, 0, np.where(known == c, 1, -1))
            test.append(dasvm_side(xs, np.where(ys == c, 1, -1), xt, signs, cost, gamma, most)(new))
        test = np.column_stack([test[0], -test[0]] if classes == 2 else test)
        test -= 1e-6 * np.arange(classes) * (classes > 2)  # of equals the first
        params = dict(cost=cost, rounds=most, bandwidth=float(np.sqrt(0.5 / gamma)))
        data = dict(x_source=xs, y=ys, x_target=xt, known=known, x_test=new, params=params)
        cases.append(data | dict(expected=dict(test_scores=test)))
    about = (
        "The domain adaptation support vector machine of Bruzzone and Marconcini 2010, as the method's page states it, around "
        "scikit-learn's SVC. known has -1 for target rows without a label. test_scores: f of x_test, by classes."
    )
    write("dasvm", about, cases)


SUBJECTS = [artl, meda, label_spreading, self_training, lin_int, pred, dasvm]


def main():
    wanted = sys.argv[1:]
    unknown = set(wanted) - {subject.__name__ for subject in SUBJECTS}
    if unknown:
        sys.exit(f"no such subject: {', '.join(sorted(unknown))}")
    for subject in SUBJECTS:
        if not wanted or subject.__name__ in wanted:
            subject()


if __name__ == "__main__":
    main()
