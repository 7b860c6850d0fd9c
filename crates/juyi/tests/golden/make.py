"""Makes the golden values beside this file: data, and what reference libraries answer on them.

Usage, in a fresh virtual environment (Python 3.11):

    pip install numpy==2.4.6 scipy==1.17.1 scikit-learn==1.9.1 POT==0.9.7.post1 skada==0.6.0 \
        cvxopt==1.3.3
    python make.py                # writes every file
    python make.py kmm scores     # writes kmm.json and scores.json only

Each file holds {"about": text, "made_by": Path(sys.argv[0]).name, "versions": {...}, "cases": [...]}. Data are
seeded and rounded to 6 decimals, so a file holds exactly what the reference was given; matrices are
lists of rows. Every expected value is checked a second way before it is written (an optimality
condition, a closed form or another solver), and the script stops where the two disagree. On another
processor the last digits of the expected values may differ.
"""

import json
import math
import platform
import sys
import warnings
from importlib.metadata import version
from pathlib import Path

import numpy as np
import ot
import scipy.linalg
from cvxopt import matrix, solvers
from scipy.optimize import linprog, minimize
from scipy.special import kolmogorov, log_softmax, softmax
from scipy.stats import chi2_contingency, ks_2samp
from skada import CORALAdapter, SubspaceAlignmentAdapter
from skada._reweight import NearestNeighborReweightAdapter
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression, Ridge, RidgeClassifier
from sklearn.metrics import accuracy_score, balanced_accuracy_score, f1_score
from sklearn.metrics import mean_absolute_error, r2_score, root_mean_squared_error
from sklearn.metrics.pairwise import rbf_kernel
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.semi_supervised import LabelPropagation
from sklearn.svm import SVC, LinearSVC

HERE = Path(__file__).resolve().parent
PACKAGES = ["numpy", "scipy", "scikit-learn", "POT", "skada", "cvxopt"]
VERSIONS = {"python": platform.python_version()} | {p: version(p) for p in PACKAGES}


# ------------------------------------------------------------------------------------ shared pieces


def plain(value):
    """The value with arrays and numpy numbers turned into what json writes."""
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    if isinstance(value, (np.ndarray, np.generic)):
        return value.tolist()
    return value


def write(name, about, cases):
    content = {"about": about, "made_by": Path(sys.argv[0]).name, "versions": VERSIONS, "cases": plain(cases)}
    text = json.dumps(content, separators=(",", ":"), allow_nan=False) + "\n"
    (HERE / f"{name}.json").write_text(text, encoding="ascii", newline="\n")
    print(f"{name}.json: {len(cases)} cases, {len(text)} bytes")


def agree(a, b, tolerance, what):
    """Stops unless a and b are the same to within the tolerance."""
    gap = np.max(np.abs(np.asarray(a, float) - np.asarray(b, float)), initial=0.0)
    if not gap <= tolerance:
        raise AssertionError(f"{what}: the two ways differ by {gap:.3e}, more than {tolerance:.0e}")


def blobs(rng, labels, d, spread=1.2, means=None):
    """Rows around one random mean per class, rounded to 6 decimals."""
    labels = np.asarray(labels)
    if means is None:
        means = rng.normal(size=(labels.max() + 1, d)) * spread
    return np.round(means[labels] + rng.normal(size=(len(labels), d)), 6)


def shifted(rng, ys, yt, d, shift=0.8, spread=1.5):
    """Source and target rows of the same classes, the target's moved, stretched and turned."""
    means = rng.normal(size=(max(ys.max(), yt.max()) + 1, d)) * spread
    turn = np.eye(d) + 0.25 * rng.normal(size=(d, d))
    xs = blobs(rng, ys, d, means=means)
    xt = blobs(rng, yt, d, means=means) @ turn + shift * rng.normal(size=d)
    return xs, np.round(xt, 6)


def spread_labels(rng, n, classes):
    """n labels in random order, every class present."""
    return rng.permutation(np.arange(n) % classes)


def positive_weights(rng, n):
    return np.round(rng.uniform(0.2, 3.0, size=n), 6)


def two_columns(scores):
    """Decision values as rows by classes; for two classes [-f, f]."""
    return np.column_stack([-scores, scores]) if scores.ndim == 1 else scores


# ----------------------------------------------------------------------------------------- learners


def fit_logistic(x, y, weights):
    """W and b at the minimum of sum_i s_i loss_i + |W|^2 / 2 (C = 1), with a column for each class.

    With two classes scikit-learn penalises one vector w. Two columns (-u/2, u/2) have the penalty
    |u|^2 / 4, which is that of one vector u at C = 2.
    """
    classes = y.max() + 1
    c = 2.0 if classes == 2 else 1.0
    with warnings.catch_warnings():  # a line search may report the end of double precision
        warnings.simplefilter("ignore")
        model = LogisticRegression(C=c, tol=1e-12, max_iter=10000, solver="newton-cholesky")
        model.fit(x, y, sample_weight=weights)
    w, b = model.coef_.T, model.intercept_
    if classes == 2:
        w, b = np.column_stack([-w / 2, w / 2]), np.array([-b[0] / 2, b[0] / 2])

    s = np.ones(len(y)) if weights is None else weights
    one_hot = np.eye(classes)[y]

    def objective(flat):
        w, b = flat[:-classes].reshape(-1, classes), flat[-classes:]
        scores = x @ w + b
        value = -(s * log_softmax(scores, axis=1)[np.arange(len(y)), y]).sum() + (w**2).sum() / 2
        residual = s[:, None] * (softmax(scores, axis=1) - one_hot)
        return value, np.r_[(x.T @ residual + w).ravel(), residual.sum(axis=0)]

    start = np.zeros(w.size + classes)
    found = minimize(objective, start, jac=True, method="BFGS", options={"gtol": 1e-10})
    value, gradient = objective(np.r_[w.ravel(), b])
    agree(gradient, 0, 1e-9, "the gradient of the logistic objective")
    agree(value, found.fun, 1e-9, "the logistic objective")
    return w, b


def fit_svm(x, y, weights):
    """One column (weights, then the constant) per class at the minimum of |w|^2 / 2 + sum_i s_i
    max(0, 1 - t_i f_i)^2, the constant penalised like a weight; checked against LinearSVC.

    LinearSVC's own steps end at about 6 digits. From its answer on, the equations of the rows
    inside the margin are solved as they are until those rows stay the same.
    """
    settings = dict(C=1.0, loss="squared_hinge", penalty="l2", intercept_scaling=1.0)
    settings |= dict(tol=1e-10, max_iter=1000000)
    model = LinearSVC(dual=False, **settings).fit(x, y, sample_weight=weights)
    dual = LinearSVC(dual=True, random_state=0, **settings).fit(x, y, sample_weight=weights)
    agree(model.decision_function(x), dual.decision_function(x), 1e-6, "LinearSVC and its dual")

    s = np.ones(len(y)) if weights is None else weights
    rows = np.column_stack([x, np.ones(len(x))])
    theirs = np.column_stack([model.coef_, model.intercept_]).T
    theirs = np.column_stack([-theirs, theirs]) if theirs.shape[1] == 1 else theirs
    columns = []
    for c, w in enumerate(theirs.T):
        sign = np.where(y == c, 1.0, -1.0)
        inside = None
        while inside is None or (inside != (sign * (rows @ w) < 1)).any():
            inside = sign * (rows @ w) < 1
            r, t = rows[inside], s[inside]
            curvature = np.eye(rows.shape[1]) + 2 * r.T @ (t[:, None] * r)
            w = np.linalg.solve(curvature, 2 * r.T @ (t * sign[inside]))
        slack = np.maximum(0, 1 - sign * (rows @ w))
        agree(w, 2 * rows.T @ (s * sign * slack), 1e-11, "the gradient of the squared hinge objective")
        columns.append(w)
    columns = np.array(columns).T
    agree(columns, theirs, 1e-6, "LinearSVC")
    return columns


def ridge_closed_form(x, targets, weights, x_test):
    """Predictions of ridge regression (alpha 1) with a free constant, by the normal equations."""
    s = np.ones(len(x)) if weights is None else weights
    mean_x, mean_t = s @ x / s.sum(), s @ targets / s.sum()
    weighted = ((x - mean_x) * s[:, None]).T
    gram = weighted @ (x - mean_x) + np.eye(x.shape[1])
    coefficients = np.linalg.solve(gram, weighted @ (targets - mean_t))
    return (x_test - mean_x) @ coefficients + mean_t


def learners():
    rng = np.random.default_rng(101)
    cases = []

    def add(learner, task, x, y, weights, x_test, expected):
        data = dict(x=x, y=y, weights=weights, x_test=x_test)
        cases.append(dict(learner=learner, task=task, **data, expected=expected))

    def classification(classes, n, d, weighted):
        y = spread_labels(rng, n, classes)
        means = rng.normal(size=(classes, d)) * 1.2
        x, x_test = blobs(rng, y, d, means=means), blobs(rng, np.arange(10) % classes, d, means=means)
        return x, y, positive_weights(rng, n) if weighted else None, x_test

    def regression(n, d, weighted):
        x, x_test = np.round(rng.normal(size=(n, d)) + 0.7, 6), np.round(rng.normal(size=(8, d)), 6)
        y = np.round(x @ rng.normal(size=d) + np.sin(2 * x[:, 0]) + 3, 6)
        return x, y, positive_weights(rng, n) if weighted else None, x_test

    plan = [(3, 36, 3, True), (3, 30, 4, False), (2, 28, 3, True), (2, 24, 2, False)]
    for classes, n, d, weighted in plan:
        data = x, y, weights, x_test = classification(classes, n, d, weighted)
        w, b = fit_logistic(x, y, weights)
        add("logistic", "classification", *data, {"probabilities": softmax(x_test @ w + b, axis=1)})

        data = x, y, weights, x_test = classification(classes, n, d, weighted)
        scores = np.column_stack([x_test, np.ones(len(x_test))]) @ fit_svm(x, y, weights)
        add("svm", "classification", *data, {"scores": scores})

        data = x, y, weights, x_test = classification(classes, n, d, weighted)
        model = RidgeClassifier(alpha=1.0, solver="cholesky").fit(x, y, sample_weight=weights)
        scores = two_columns(model.decision_function(x_test))
        targets = np.where(np.eye(classes)[y] == 1, 1.0, -1.0)
        agree(scores, ridge_closed_form(x, targets, weights, x_test), 1e-9, "RidgeClassifier")
        add("ridge", "classification", *data, {"scores": scores})

        data = x, y, weights, x_test = classification(classes, n, d, weighted)
        s = np.ones(n) if weights is None else weights
        means = np.array([s[y == c] @ x[y == c] / s[y == c].sum() for c in range(classes)])
        distances = np.linalg.norm(x_test[:, None] - means, axis=2)
        add("class-means", "classification", *data, {"labels": distances.argmin(axis=1)})

    for n, d, weighted in [(30, 4, True), (25, 3, False)]:
        data = x, y, weights, x_test = regression(n, d, weighted)
        values = Ridge(alpha=1.0, solver="cholesky").fit(x, y, sample_weight=weights).predict(x_test)
        agree(values, ridge_closed_form(x, y, weights, x_test), 1e-9, "Ridge")
        add("ridge", "regression", *data, {"values": values})

    data = x, y, _, x_test = classification(3, 30, 3, False)
    nearest = ((x_test[:, None] - x) ** 2).sum(axis=2).argmin(axis=1)
    labels = KNeighborsClassifier(1).fit(x, y).predict(x_test)
    agree(labels, y[nearest], 0, "KNeighborsClassifier")
    add("1-nn", "classification", *data, {"labels": labels})

    data = x, y, _, x_test = regression(25, 3, False)
    nearest = ((x_test[:, None] - x) ** 2).sum(axis=2).argmin(axis=1)
    values = KNeighborsRegressor(1).fit(x, y).predict(x_test)
    agree(values, y[nearest], 0, "KNeighborsRegressor")
    add("1-nn", "regression", *data, {"values": values})

    for classes, k in [(2, 5), (3, 4), (4, 6)]:
        data = x, y, _, x_test = classification(classes, 12 * classes, 3, False)
        order = ((x_test[:, None] - x) ** 2).sum(axis=2).argsort(axis=1)[:, :k]
        votes = np.array([np.bincount(y[near], minlength=classes) for near in order])
        labels = np.array([next(c for c in y[near] if v[c] == v.max()) for near, v in zip(order, votes)])
        model = KNeighborsClassifier(k).fit(x, y)
        agree(model.predict_proba(x_test), votes / k, 1e-15, "the shares of KNeighborsClassifier")
        alone = (votes == votes.max(axis=1)[:, None]).sum(axis=1) == 1  # scikit-learn takes the first class otherwise
        agree(model.predict(x_test)[alone], labels[alone], 0, "KNeighborsClassifier")
        expected = {"labels": labels, "confidence": votes.max(axis=1) / k}
        add(f"1-nn(k={k})", "classification", *data, expected)

    data = x, y, _, x_test = regression(25, 3, False)
    values = KNeighborsRegressor(4).fit(x, y).predict(x_test)
    order = ((x_test[:, None] - x) ** 2).sum(axis=2).argsort(axis=1)[:, :4]
    agree(values, y[order].mean(axis=1), 1e-12, "KNeighborsRegressor")
    add("1-nn(k=4)", "regression", *data, {"values": values})

    about = (
        "Fitted on x, y (labels 0..c-1) with sample weights (null: all 1), asked about x_test. "
        "logistic: probabilities, rows by classes, at the minimum of sum_i s_i loss_i + |W|_F^2 / (2 C), "
        "C = 1, softmax with a column for each class, two classes included, constants not penalised "
        "(scikit-learn LogisticRegression; for two classes with its C doubled, which is the same). "
        "svm: scores of LinearSVC (brought to full precision), squared hinge, C = 1, one class against the "
        "rest, the constant penalised like a weight; two classes as [-f, f]. ridge: Ridge and RidgeClassifier (targets -1 and 1), "
        "alpha = 1, constant not penalised; scores rows by classes, two classes as [-f, f]. 1-nn: nearest "
        "row; with k the class of most of the k nearest rows, among equals that of the nearest of them, and its share "
        "as confidence, or the mean of their values. class-means: nearest weighted class mean, Euclidean."
    )
    write("learners", about, cases)


# --------------------------------------------------------------------------------------- kernel svm


def fit_pair(x, sign, costs, gamma, start):
    """The coefficients and the constant of one pair of classes, from an SVC's coefficients.

    SVC keeps its kernel in single precision. From its answer on, the equations of the rows on the
    margin are solved as they are, and the conditions of optimality checked.
    """
    kernel = rbf_kernel(x, gamma=gamma)
    top = np.abs(start) > costs * (1 - 1e-9)
    free = (start != 0) & ~top
    beta = np.where(top, sign * costs, 0.0)
    one = np.ones((free.sum(), 1))
    system = np.block([[kernel[free][:, free], one], [one.T, np.zeros((1, 1))]])
    solution = np.linalg.solve(system, np.r_[sign[free] - kernel[free] @ beta, -beta.sum()])
    beta[free], constant = solution[:-1], solution[-1]
    agree(beta, start, 1e-5, "SVC's coefficients")
    alpha, slack = sign * beta, 1 - sign * (kernel @ beta + constant)
    agree(beta.sum(), 0, 1e-12, "the sum of the coefficients")
    assert free.any() and (alpha >= 0).all() and (alpha <= costs).all()
    assert (slack[alpha == 0] < 0).all() and (slack[top] > 0).all()
    agree(slack[free], 0, 1e-12, "free rows and the margin")
    print(f"  kernel_svm: {free.sum()} rows free, {top.sum()} at their bounds of {len(sign)}")
    return beta, constant


def kernel_svm():
    rng = np.random.default_rng(919)
    cases = []
    for classes, n, d, weighted in [(2, 40, 3, False), (2, 36, 2, True), (4, 60, 3, False), (4, 56, 4, True)]:
        y = spread_labels(rng, n, classes)
        means = rng.normal(size=(classes, d))
        x, x_test = blobs(rng, y, d, means=means), blobs(rng, np.arange(12) % classes, d, means=means)
        weights = positive_weights(rng, n) if weighted else np.ones(n)
        mean = np.average(x.mean(axis=1), weights=weights)
        gamma = 1 / (d * np.average(((x - mean) ** 2).mean(axis=1), weights=weights))
        shape = dict(C=1.0, tol=1e-10, decision_function_shape="ovo")
        model = SVC(gamma=gamma, **shape).fit(x, y, sample_weight=weights)
        if not weighted:
            scale = SVC(gamma="scale", **shape).fit(x, y).decision_function(x)
            agree(scale, model.decision_function(x), 1e-7, "gamma and its scale")
        turn = -1 if classes == 2 else 1  # of two classes SVC scores the second
        ends, margins = np.cumsum(np.r_[0, model.n_support_]), []
        won = np.zeros((len(x_test), classes))
        for a in range(classes):
            for b in range(a + 1, classes):
                start = np.zeros(n)
                for own, other in [(a, b - 1), (b, a)]:
                    of = slice(ends[own], ends[own + 1])
                    start[model.support_[of]] = turn * model.dual_coef_[other, of]
                rows = (y == a) | (y == b)
                sign = np.where(y == a, 1.0, -1.0)[rows]
                beta, constant = fit_pair(x[rows], sign, weights[rows], gamma, start[rows])
                margins.append(rbf_kernel(x_test, x[rows], gamma=gamma) @ beta + constant)
                won[np.arange(len(x_test)), np.where(margins[-1] > 0, a, b)] += 1
        margins = np.array(margins).T
        theirs = turn * model.decision_function(x_test).reshape(margins.shape)
        agree(margins, theirs, 1e-6, "SVC's margins")
        agree(won.argmax(axis=1), model.predict(x_test), 0, "SVC's vote")
        data = dict(x=x, y=y, weights=weights if weighted else None, x_test=x_test)
        cases.append(dict(**data, expected=dict(margins=margins, labels=won.argmax(axis=1))))
    about = (
        "scikit-learn SVC(C=1, tol=1e-10), kernel exp(-gamma |x - z|^2), gamma = 1 / (d variance) with the variance of "
        "all numbers of x, rows counted by their weights (gamma='scale' without weights); brought to full precision, "
        "since SVC keeps its kernel in single precision. margins: rows by pairs of classes (0, 1), (0, 2), ..., above 0 "
        "for the lower class (two classes: the decision function with its sign turned); labels: the class that wins "
        "the most pairs, the lowest among equals."
    )
    write("kernel_svm", about, cases)


# -------------------------------------------------------------------------------------------- coral


def symmetric_power(matrix, power):
    values, vectors = np.linalg.eigh(matrix)
    return (vectors * values**power) @ vectors.T


def coral_map(xs, xt, regularization):
    ridge = regularization * np.eye(xs.shape[1])
    whiten = symmetric_power(np.cov(xs, rowvar=False) + ridge, -0.5)
    return whiten @ symmetric_power(np.cov(xt, rowvar=False) + ridge, 0.5)


def coral():
    rng = np.random.default_rng(202)
    cases = []
    plan = [(30, 24, 3, 1.0), (20, 32, 4, 0.5), (25, 25, 3, 0.001), (5, 7, 8, 1.0)]
    for ns, nt, d, regularization in plan:
        ys, yt = spread_labels(rng, ns, 3), spread_labels(rng, nt, 3)
        xs, xt = shifted(rng, ys, yt, d)
        transform = coral_map(xs, xt, regularization)
        if min(ns, nt) > d:  # skada agrees at regularization 0, after its centring and its n for n - 1
            both, domain = np.r_[xs, xt], np.r_[np.ones(ns), -np.ones(nt)]
            theirs = CORALAdapter(reg=None).fit_transform(both, sample_domain=domain)[:ns]
            ours = (xs - xs.mean(axis=0)) @ coral_map(xs, xt, 0.0)
            scale = np.sqrt((nt - 1) / nt / ((ns - 1) / ns))
            agree(theirs, ours * scale, 1e-9, "skada's CORAL without regularization")
        ridge = regularization * np.eye(d)
        mapped_cov = transform.T @ (np.cov(xs, rowvar=False) + ridge) @ transform
        agree(mapped_cov, np.cov(xt, rowvar=False) + ridge, 1e-9, "the covariance after CORAL")
        data = dict(x_source=xs, x_target=xt, regularization=regularization)
        cases.append(dict(**data, expected=dict(map=transform, mapped=xs @ transform)))
    about = (
        "map = (cov_s + r I)^(-1/2) (cov_t + r I)^(1/2), covariances with n - 1, symmetric roots; mapped = "
        "x_source map, rows not centred. By numpy. The last case has fewer rows than columns. skada 0.6.0's "
        "CORALAdapter differs: it divides by n, shrinks towards tr(cov)/d I (Ledoit-Wolf unless told) "
        "instead of adding r I, and takes the means off both the source and the target rows; at r = 0 the two "
        "agree after undoing that, which make.py checks."
    )
    write("coral", about, cases)


# ---------------------------------------------------------------------------------------- transport


def transport_by_linear_programme(supply, demand, cost):
    """The cost and the plan that HiGHS finds."""
    n, m = cost.shape
    rows = np.kron(np.eye(n), np.ones(m))
    columns = np.kron(np.ones(n), np.eye(m))
    found = linprog(
        cost.ravel(), A_eq=np.r_[rows, columns], b_eq=np.r_[supply, demand], method="highs-ds"
    )
    assert found.status == 0, found.message
    return found.fun, found.x.reshape(n, m)


def masses(rng, n, zeros):
    """n masses that are whole 1024ths and sum to exactly 1."""
    live = np.arange(n)
    if zeros and n > 1:
        live = np.sort(rng.choice(n, size=n - rng.integers(1, n), replace=False))
    out = np.zeros(n)
    out[live] = 1 + rng.multinomial(1024 - len(live), rng.dirichlet(np.ones(len(live))))
    return out / 1024


def transport_problem(rng, kind, n, m):
    if kind == "assignment":
        m, cost = n, rng.integers(0, 10, size=(n, n)).astype(float)
    elif kind == "integer":
        cost = rng.integers(0, 6, size=(n, m)).astype(float)
    elif kind == "points":  # squared distances, so that the plans have the structure of real uses
        a, b = rng.normal(size=(n, 2)), rng.normal(size=(m, 2)) + 0.5
        cost = np.round(((a[:, None] - b) ** 2).sum(axis=2), 3)
    else:
        cost = np.round(rng.uniform(0, 2, size=(n, m)), 3)
    if kind in ("random", "zeros", "integer"):
        supply, demand = masses(rng, n, kind == "zeros"), masses(rng, m, kind == "zeros")
    else:
        supply, demand = np.full(n, 1 / n), np.full(m, 1 / m)
    return supply, demand, cost


def transport():
    rng = np.random.default_rng(303)
    fixed = [("uniform", 1, 1), ("random", 1, 9), ("random", 9, 1), ("uniform", 30, 30), ("points", 30, 20)]
    fixed += [("assignment", 30, 30), ("assignment", 2, 2), ("zeros", 30, 12), ("integer", 20, 30)]
    kinds = ["uniform", "random", "zeros", "assignment", "integer", "points"]
    sizes = [(kinds[i % 6], *rng.integers(2, 15, size=2).tolist()) for i in range(50 - len(fixed))]
    cases = []
    for kind, n, m in fixed + sizes:
        supply, demand, cost = transport_problem(rng, kind, n, m)
        value = ot.emd2(supply, demand, cost, check_marginals=True)
        agree(value, transport_by_linear_programme(supply, demand, cost)[0], 1e-9, f"emd2, {kind}")
        data = dict(supply=supply, demand=demand, cost=cost)
        cases.append(dict(kind=kind, **data, expected=dict(cost=float(value))))

    for ns, nt, d in [(18, 18, 3), (14, 21, 2)]:
        xs, xt = shifted(rng, spread_labels(rng, ns, 3), spread_labels(rng, nt, 3), d)
        x_new = blobs(rng, np.zeros(7, int), d, means=xs.mean(axis=0)[None])
        adapter = ot.da.EMDTransport(metric="sqeuclidean", norm=None).fit(Xs=xs, Xt=xt)
        mapped, mapped_new = adapter.transform(Xs=xs), adapter.transform(Xs=x_new)
        cost = ((xs[:, None] - xt) ** 2).sum(axis=2)
        plan = transport_by_linear_programme(np.full(ns, 1 / ns), np.full(nt, 1 / nt), cost)[1]
        agree(mapped, ns * plan @ xt, 1e-9, "EMDTransport")
        nearest = ((x_new[:, None] - xs) ** 2).sum(axis=2).argmin(axis=1)
        agree(mapped_new, x_new + (mapped - xs)[nearest], 1e-12, "EMDTransport of new rows")
        data = dict(x_source=xs, x_target=xt, x_new=x_new)
        cases.append(dict(kind="mapping", **data, expected=dict(mapped=mapped, mapped_new=mapped_new)))
    about = (
        "Exact optimal transport by POT. Cases of every kind but mapping: supply, demand and cost, and the "
        "least cost (ot.emd2); uniform, points and assignment have equal masses, random and integer have whole "
        "1024ths, zeros has masses of 0 too. Kind mapping: ot.da.EMDTransport with squared Euclidean cost, not "
        "scaled; mapped are the source rows moved to their share of the target rows, mapped_new rows outside "
        "the source, each moved by the displacement of its nearest source row. HiGHS found the same."
    )
    write("transport", about, cases)


# ----------------------------------------------------------------------------------------- sinkhorn


def sinkhorn():
    rng = np.random.default_rng(313)
    cases = []
    # With a tiny entropy the rounds come to an end only where no share of the rows has equal masses.
    plan = [(18, 18, 3, 0.1), (14, 21, 2, 0.02), (24, 10, 5, 0.005), (12, 17, 3, 0.001)]
    plan += [(7, 11, 2, 1e-4), (8, 13, 3, 1e-4), (11, 7, 4, 1e-5)]
    for ns, nt, d, entropy in plan:
        xs, xt = shifted(rng, spread_labels(rng, ns, 3), spread_labels(rng, nt, 3), d)
        cost = ((xs[:, None] - xt) ** 2).sum(axis=2)
        reg = entropy * cost.max()
        supply, demand = np.full(ns, 1 / ns), np.full(nt, 1 / nt)
        settings = dict(method="sinkhorn_log", numItermax=200000, stopThr=1e-13, log=True)
        with np.errstate(over="ignore"):  # of factors that are not used
            flow, log = ot.sinkhorn(supply, demand, cost, reg, **settings)
        # Masses that are right and the form exp((f_i + g_j - cost_ij) / reg) make a plan the optimal one.
        agree(flow.sum(axis=0), demand, 2e-13, "the masses received")
        agree(flow.sum(axis=1), supply, 2e-13, "the masses sent")
        f, g = log["log_u"], log["log_v"]
        agree(flow, np.exp(f[:, None] + g - cost / reg), 1e-12, "the plan and its form")
        if entropy >= 0.1:
            adapter = ot.da.SinkhornTransport(entropy, tol=1e-14, max_iter=100000, norm="max")
            mapped = adapter.fit(Xs=xs, Xt=xt).transform(Xs=xs)
            agree(mapped, ns * flow @ xt, 1e-9, "SinkhornTransport")
        data = dict(x_source=xs, x_target=xt, entropy=entropy)
        cases.append(dict(**data, expected=dict(plan=flow, mapped=ns * flow @ xt)))
    about = (
        "Entropic optimal transport by POT's ot.sinkhorn, method sinkhorn_log, run to masses that are off by 1e-13: "
        "squared Euclidean cost, equal masses, reg = entropy times the largest cost. plan: rows are source rows. "
        "mapped: source rows moved to their share of the target rows. make.py checks the masses, the form of the "
        "plan, which together make it the optimal one, and ot.da.SinkhornTransport with norm='max'."
    )
    write("sinkhorn", about, cases)


# -------------------------------------------------------------------------------- label propagation


def label_propagation():
    rng = np.random.default_rng(404)
    cases = []
    plan = [(2, 6, 26, 2, 0.5), (3, 9, 30, 3, 0.3), (3, 6, 28, 2, 2.0), (2, 4, 24, 1, 20.0)]
    for classes, labelled, n, d, gamma in plan:
        truth = spread_labels(rng, n, classes)
        means = rng.normal(size=(classes, d)) * (0.4 if gamma > 10 else 1.5)
        noise = 0.2 if gamma > 10 else 1.0
        x = np.round(means[truth] + noise * rng.normal(size=(n, d)), 6)
        x_test = np.round(means[np.arange(8) % classes] + noise * rng.normal(size=(8, d)), 6)
        known = np.zeros(n, bool)
        for i in range(labelled):  # each class in turn
            known[rng.choice(np.flatnonzero(~known & (truth == i % classes)))] = True
        with warnings.catch_warnings():  # the last bit may keep flipping; the check below decides
            warnings.simplefilter("ignore", ConvergenceWarning)
            model = LabelPropagation(kernel="rbf", gamma=gamma, max_iter=100000, tol=1e-14)
            model.fit(x, np.where(known, truth, -1))
        kernel = rbf_kernel(x, gamma=gamma)
        walk = kernel / kernel.sum(axis=1, keepdims=True)
        inner = np.eye((~known).sum()) - walk[~known][:, ~known]
        solved = np.linalg.solve(inner, walk[~known][:, known] @ np.eye(classes)[truth[known]])
        probabilities = model.label_distributions_[~known]
        agree(probabilities, solved, 1e-10, "LabelPropagation and its fixed point")
        y = [int(c) if k else None for c, k in zip(truth, known)]
        expected = dict(probabilities=probabilities, test_probabilities=model.predict_proba(x_test))
        cases.append(dict(gamma=gamma, x=x, y=y, x_test=x_test, expected=expected))
    about = (
        "scikit-learn LabelPropagation, kernel exp(-gamma |x - y|^2) between all rows, run to its fixed point. y "
        "has null for rows without a label. probabilities: the rows without a label, in the order of x, by "
        "classes; test_probabilities: x_test, the kernel-weighted mean of the distributions of all rows of x "
        "(labelled rows as given). make.py checks the fixed point by solving for it."
    )
    write("label_propagation", about, cases)


# ---------------------------------------------------------------------------------------------- kmm


def kmm_exact(k, kappa, bound, slack):
    """The weights that minimise w'Kw / 2 - kappa'w over 0 <= w <= bound, |sum w - n| <= n slack.

    cvxopt finds which constraints bind; the equations that then hold are solved as they are, and
    the optimality conditions checked, so the answer does not rest on cvxopt's tolerance.
    """
    n = len(kappa)
    limits = np.r_[np.full(n, bound), np.zeros(n), n * (1 + slack), -n * (1 - slack)]
    sides = np.r_[np.eye(n), -np.eye(n), np.ones((1, n)), -np.ones((1, n))]
    options = dict(show_progress=False, abstol=1e-12, reltol=1e-12, feastol=1e-12, maxiters=500)
    found = solvers.qp(matrix(k), matrix(-kappa), matrix(sides), matrix(limits), options=options)
    rough = np.array(found["x"]).ravel()
    binding = np.array(found["z"]).ravel() > np.array(found["s"]).ravel()
    top, bottom = binding[:n], binding[n : 2 * n]
    free = ~(top | bottom)
    sum_sign = int(binding[2 * n]) - int(binding[2 * n + 1])

    w = np.where(top, bound, 0.0)
    right = kappa[free] - k[free] @ w
    system = k[free][:, free]
    if sum_sign:
        total = n * (1 + sum_sign * slack)
        one = np.ones((free.sum(), 1))
        system = np.block([[system, one], [one.T, np.zeros((1, 1))]])
        right = np.r_[right, total - w.sum()]
    solution = np.linalg.solve(system, right)
    w[free] = solution[: free.sum()]
    multiplier = solution[-1] if sum_sign else 0.0

    gradient = k @ w - kappa + multiplier
    assert (w >= 0).all() and (w <= bound).all() and abs(w.sum() - n) <= n * slack * (1 + 1e-12)
    assert (gradient[bottom] > -1e-10).all() and (gradient[top] < 1e-10).all()
    assert multiplier * sum_sign >= 0
    agree(gradient[free], 0, 1e-9, "the gradient of the free weights")
    agree(w, rough, 1e-4, "the KMM weights and cvxopt's")
    condition = round(float(np.linalg.cond(k[free][:, free])))
    return w, dict(zero=int(bottom.sum()), top=int(top.sum()), sum=sum_sign, condition=condition)


def kmm():
    rng = np.random.default_rng(505)
    cases = []
    wide = lambda n: float((np.sqrt(n) - 1) / np.sqrt(n))
    plan = [(45, 30, 3, 1.0, 1000.0, wide(45)), (45, 30, 3, 1.0, 3.0, 0.1), (45, 30, 3, 1.0, 2.0, 0.01)]
    plan += [(60, 40, 2, 0.5, 1000.0, wide(60)), (40, 25, 5, 1.5, 3.0, 0.1), (50, 35, 4, 2.0, 2.0, 0.01)]
    for i, (ns, nt, d, bandwidth, bound, slack) in enumerate(plan):
        if i in (0, 3, 4, 5):  # the first three cases share their rows
            xs = np.round(rng.normal(size=(ns, d)), 6)
            xt = np.round(0.6 * rng.normal(size=(nt, d)) + 0.5, 6)
        gamma = 1 / (2 * bandwidth**2)
        k, kappa = rbf_kernel(xs, gamma=gamma), ns / nt * rbf_kernel(xs, xt, gamma=gamma).sum(axis=1)
        w, shape = kmm_exact(k, kappa, bound, slack)
        objective = lambda v: 0.5 * v @ k @ v - kappa @ v
        value = float(objective(w))
        other = minimize(
            objective,
            np.ones(ns),
            jac=lambda v: k @ v - kappa,
            method="SLSQP",
            bounds=[(0, bound)] * ns,
            constraints=[
                dict(type="ineq", fun=lambda v: ns * (1 + slack) - v.sum(), jac=lambda v: -np.ones(ns)),
                dict(type="ineq", fun=lambda v: v.sum() - ns * (1 - slack), jac=lambda v: np.ones(ns)),
            ],
            options=dict(ftol=1e-14, maxiter=5000),
        )
        agree(value, other.fun, 1e-7 * abs(value), "the KMM objective and SLSQP's")
        print(f"  kmm: {shape}")
        data = dict(x_source=xs, x_target=xt, bandwidth=bandwidth, B=bound, eps=slack)
        cases.append(dict(**data, expected=dict(objective=value, weights=w)))
    about = (
        "Kernel mean matching: min w'Kw / 2 - kappa'w, kappa_i = (n_s / n_t) sum_j k(x_i, t_j), 0 <= w <= B, "
        "|sum w - n_s| <= n_s eps, k = exp(-|x - y|^2 / (2 bandwidth^2)). cvxopt finds which constraints bind, "
        "the equations that hold there are solved directly and the optimality conditions checked; SLSQP agrees "
        "on the objective."
    )
    write("kmm", about, cases)


# ----------------------------------------------------------------------- nearest neighbor weighting


def nearest_neighbor_weighting():
    rng = np.random.default_rng(606)
    by_hand = (np.array([[0.0], [1.0], [4.0]]), np.array([[-3.0], [0.25], [0.75], [3.0], [9.0]]))
    pairs = [by_hand]
    for ns, nt, d in [(20, 35, 2), (30, 12, 3), (24, 24, 2)]:
        pairs.append((np.round(rng.normal(size=(ns, d)), 6), np.round(rng.normal(size=(nt, d)) + 0.6, 6)))
    cases = []
    for xs, xt in pairs:
        for smoothing in (False, True):
            adapter = NearestNeighborReweightAdapter(n_neighbors=1, laplace_smoothing=smoothing)
            with warnings.catch_warnings():  # row numbers stand for classes there, and are many
                warnings.simplefilter("ignore", UserWarning)
                weights = adapter._get_weights(xs, xt)
                if len(xs) == len(xt):
                    both, domain = np.r_[xs, xt], np.r_[np.ones(len(xs)), -np.ones(len(xt))]
                    adapter.fit(both, sample_domain=domain)
                    public = adapter.compute_weights(both, sample_domain=domain)[: len(xs)]
                    agree(weights, public, 0, "skada's public answer for equal sizes")
            nearest = ((xt[:, None] - xs) ** 2).sum(axis=2).argmin(axis=1)
            counts = np.bincount(nearest, minlength=len(xs)) + int(smoothing)
            agree(weights, counts, 0, "nearest neighbour weights")
            data = dict(x_source=xs, x_target=xt, laplace_smoothing=smoothing)
            cases.append(dict(**data, expected=dict(weights=weights)))
    agree(cases[0]["expected"]["weights"], [2, 1, 2], 0, "the weights counted by hand")
    about = (
        "skada NearestNeighborReweightAdapter with one neighbour: a source row's weight is the number of target "
        "rows to which it is the nearest source row, plus 1 with laplace_smoothing; not scaled. The first two "
        "cases can be counted by hand: 2, 1, 2 and 3, 2, 3. The answers are those of skada 0.6.0's _get_weights: "
        "its public compute_weights takes the target rows as X[~indices], the last n_s rows, which are the "
        "target rows only if n_s = n_t (the last two cases, where make.py checks that both agree)."
    )
    write("nearest_neighbor_weighting", about, cases)


# --------------------------------------------------------------------------- discriminative weighting


def discriminative():
    rng = np.random.default_rng(616)
    cases = []
    plan = [(30, 24, 3, 1.0, None), (20, 45, 2, 0.1, None), (25, 25, 4, 100.0, 2.0), (12, 9, 30, 1.0, None)]
    for ns, nt, d, cost, bound in plan:
        xs = np.round(rng.normal(size=(ns, d)), 6)
        xt = np.round(rng.normal(size=(nt, d)) * 0.8 + 0.6, 6)
        x, y = np.r_[xs, xt], np.r_[np.zeros(ns), np.ones(nt)]
        with warnings.catch_warnings():  # a line search may report the end of double precision
            warnings.simplefilter("ignore")
            model = LogisticRegression(C=cost, tol=1e-12, max_iter=10000, solver="newton-cholesky")
            probability = model.fit(x, y).predict_proba(x)
        residual = probability[:, 1] - y
        gradient = np.r_[cost * x.T @ residual + model.coef_[0], residual.sum()]
        agree(gradient, 0, 1e-9, "the gradient of the logistic objective")
        ratio = probability[:ns, 1] / probability[:ns, 0] * ns / nt
        agree(ratio, np.exp(model.decision_function(xs)) * ns / nt, 1e-9, "odds and scores")
        if bound is not None:
            assert ratio.max() > bound
            ratio = np.minimum(ratio, bound)
        data = dict(x_source=xs, x_target=xt, cost=cost, bound=bound)
        cases.append(dict(**data, expected=dict(weights=ratio / ratio.mean())))
    about = (
        "scikit-learn LogisticRegression of source against target rows, C = cost, the constant not penalised: "
        "weights are p(target | x) / p(source | x) n_s / n_t of the source rows, cut to bound where there is one, "
        "over their mean."
    )
    write("discriminative", about, cases)


# -------------------------------------------------------------------------------------- tca and jda


def unit_rows(x):
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def nearest_label(source, y, target):
    """The label of each target row's nearest source row; stops where that is nearly a tie."""
    distances = (source**2).sum(axis=1)[None] - 2 * target @ source.T
    labels = y[distances.argmin(axis=1)]
    other = np.where(labels[:, None] == y[None], np.inf, distances).min(axis=1)
    assert (other - distances.min(axis=1)).min() > 1e-6, "a label hangs on the last digits"
    return labels


def joint_adaptation(xs, ys, xt, dimensions, strength, kernel, gamma, iterations):
    """Joint distribution adaptation (one iteration: transfer component analysis): the target's
    labels and the embedding with unit rows, source rows first."""
    x = unit_rows(np.r_[xs, xt])
    ns, nt, n = len(xs), len(xt), len(xs) + len(xt)
    if kernel == "rbf":
        p = rbf_kernel(x, gamma=gamma)
    else:
        _, s, vt = np.linalg.svd(x.T, full_matrices=False)
        rank = (s > 1e-5 * s[0]).sum()
        p = vt[:rank] * (s[:rank] ** 2 if kernel == "linear" else s[:rank])[:, None]
    centred = p - p.mean(axis=1, keepdims=True)
    scatter = centred @ centred.T
    classes, y = np.unique(ys), None
    for _ in range(iterations):
        differences = [np.sqrt(len(classes)) * np.r_[np.ones(ns) / ns, -np.ones(nt) / nt]]
        for c in classes if y is not None else []:
            e = np.zeros(n)
            e[:ns][ys == c] = 1 / (ys == c).sum()
            if (y == c).any():
                e[ns:][y == c] = -1 / (y == c).sum()
            differences.append(e)
        v = np.array(differences).T
        m = p @ v
        m = m @ m.T / np.linalg.norm(v.T @ v)
        values, vectors = scipy.linalg.eigh(scatter, m + strength * np.eye(len(p)))
        top = values[::-1][: dimensions + 1]
        assert (top[:-1] - top[1:]).min() > 1e-3 * top[dimensions - 1], "eigenvalues too close"
        a = vectors[:, ::-1][:, :dimensions]
        a = a / np.linalg.norm(a, axis=0)
        z = unit_rows((a.T @ p).T)
        y = nearest_label(z[:ns], ys, z[ns:])
    return y, z


def adaptation_cases(rng, plan):
    cases = []
    for kernel, gamma, ns, nt, d, classes, dimensions, strength, iterations in plan:
        ys, yt = spread_labels(rng, ns, classes), spread_labels(rng, nt, classes)
        xs, xt = shifted(rng, ys, yt, d, shift=1.0)
        labels, z = joint_adaptation(xs, ys, xt, dimensions, strength, kernel, gamma, iterations)
        first, _ = joint_adaptation(xs, ys, xt, dimensions, strength, kernel, gamma, 1)
        print(f"  {kernel}: right {np.mean(labels == yt):.2f}, changed after the first {(labels != first).sum()}")
        data = {"kernel": kernel, "gamma": gamma, "dimensions": dimensions, "lambda": strength}
        if iterations > 1:
            data["iterations"] = iterations
        data |= dict(x_source=xs, y=ys, x_target=xt, expected=dict(predictions=labels, gram=z @ z.T))
        cases.append(data)
    return cases


EMBEDDING = (
    "Rows of source and target to unit length; P = S^2 V' (linear) or S V' (primal) from the singular values "
    "S > 1e-5 S_1 of the pooled rows' matrix U S V' (columns are rows of data), or the kernel matrix "
    "exp(-gamma |x - y|^2) (rbf). Largest of P H P' a = mu (P M P' + lambda I) a, each a to unit length, Z = "
    "P'A, rows of Z to unit length; predictions: the 1-NN labels of the target rows; gram: Z Z', source rows "
    "first. By numpy and scipy, no library's code. "
)


def tca():
    plan = [  # kernel, gamma, rows of source and target, columns, classes, dimensions, lambda, iterations
        ("linear", None, 14, 12, 6, 3, 3, 1.0, 1),
        ("primal", None, 15, 11, 6, 3, 3, 0.1, 1),
        ("primal", None, 9, 7, 20, 2, 4, 1.0, 1),
        ("rbf", 1.0, 14, 12, 5, 3, 4, 0.1, 1),
    ]
    about = EMBEDDING + "M = v v' / |v|^2 with v = 1/n_s on the source rows and -1/n_t on the target rows."
    write("tca", about, adaptation_cases(np.random.default_rng(707), plan))


def jda():
    plan = [
        ("linear", None, 15, 13, 6, 3, 3, 0.1, 10),
        ("primal", None, 15, 13, 6, 3, 3, 0.1, 10),
        ("primal", None, 12, 12, 5, 4, 3, 0.01, 5),
        ("rbf", 1.0, 14, 12, 5, 3, 4, 0.1, 10),
    ]
    about = EMBEDDING + (
        "The first iteration has M as for TCA; each later one M = V V' / |V V'|_F, V's columns being sqrt(classes) "
        "times TCA's v and, for every class, 1/count on the class's source rows and -1/count on the target "
        "rows given that label before (nothing there if there is none)."
    )
    write("jda", about, adaptation_cases(np.random.default_rng(812), plan))


# ------------------------------------------------------------------------------- subspace alignment


def subspace_alignment():
    rng = np.random.default_rng(818)
    cases = []
    for ns, nt, d, components in [(14, 12, 5, 2), (10, 9, 4, 4), (9, 7, 20, 3), (15, 6, 8, 5)]:
        xs, xt = shifted(rng, spread_labels(rng, ns, 3), spread_labels(rng, nt, 3), d)
        both, domain = np.r_[xs, xt], np.r_[np.ones(ns), -np.ones(nt)]
        adapter = SubspaceAlignmentAdapter(n_components=components, random_state=0)
        z = adapter.fit_transform(both, sample_domain=domain)
        bases = []
        for x in (xs, xt):
            _, s, vt = np.linalg.svd(x - x.mean(axis=0), full_matrices=False)
            assert components == len(s) or s[components] < 0.97 * s[components - 1], "values too close"
            bases.append(vt[:components].T)
        ps, pt = bases
        by_hand = np.r_[(xs - xs.mean(axis=0)) @ ps @ ps.T @ pt, (xt - xt.mean(axis=0)) @ pt]
        agree(z @ z.T, by_hand @ by_hand.T, 1e-9, "skada's subspace alignment")
        data = dict(x_source=xs, y=None, x_target=xt, components=components)
        cases.append(dict(**data, expected=dict(gram=z @ z.T)))
    about = (
        "skada SubspaceAlignmentAdapter: both domains less their own means, projected as in Fernando et al. 2013; gram: "
        "Z Z', source rows first. numpy's singular value decomposition gives the same."
    )
    write("subspace_alignment", about, cases)


# ------------------------------------------------------------------------------------------- easytl


def easytl_solve(distances):
    """HiGHS's answer to the programme: labels and objective (distances: classes by rows)."""
    classes, n = distances.shape
    each_row = np.kron(np.ones(classes), np.eye(n))
    each_class = np.kron(np.eye(classes), np.ones(n))
    found = linprog(
        distances.ravel(),
        A_ub=-each_class,
        b_ub=-np.ones(classes),
        A_eq=each_row,
        b_eq=np.ones(n),
        bounds=(0, 1),
        method="highs-ds",
    )
    assert found.status == 0, found.message
    share = found.x.reshape(classes, n)
    agree(share, np.round(share), 1e-9, "whole shares")
    return share.argmax(axis=0), float(found.fun)


def easytl():
    rng = np.random.default_rng(909)
    cases = []
    plan = [(0, 3, 18, 3), (1, 3, 14, 2), (2, 4, 12, 3), (1, 5, 20, 4), (2, 5, 5, 3), (0, 2, 10, 1)]
    for empty, classes, nt, d in plan:
        for _ in range(10000):  # until the nearest means leave as many classes empty as wanted
            ys, yt = spread_labels(rng, 5 * classes, classes), rng.integers(0, classes, size=nt)
            yt[0] = classes - 1
            xs, xt = shifted(rng, ys, yt, d, shift=1.5)
            means = np.array([xs[ys == c].mean(axis=0) for c in range(classes)])
            distances = np.linalg.norm(means[:, None] - xt, axis=2)
            nearest = distances.argmin(axis=0)
            if classes - len(np.unique(nearest)) == empty:
                break
        else:
            raise AssertionError("no such case found")
        labels, objective = easytl_solve(distances)
        for _ in range(5):  # the answer is the only one
            nudged, _ = easytl_solve(distances + 1e-6 * rng.normal(size=distances.shape))
            agree(labels, nudged, 0, "EasyTL labels")
        print(f"  easytl: {empty} classes empty, {(labels != nearest).sum()} labels not the nearest mean's")
        assert (labels != nearest).any() == (empty > 0)
        expected = dict(labels=labels, objective=objective)
        cases.append(dict(x_source=xs, y=ys, x_target=xt, empty_classes=empty, expected=expected))
    about = (
        "EasyTL's programme without alignment: min sum_cj D_cj M_cj, D the Euclidean distance (not squared) of "
        "target row j to the mean of class c, sum_c M_cj = 1, sum_j M_cj >= 1, 0 <= M <= 1; labels: argmax over c. By "
        "HiGHS (scipy linprog); nudging D by 1e-6 leaves the labels. empty_classes: how many classes are the "
        "nearest mean of no target row, so that the second constraint moves labels."
    )
    write("easytl", about, cases)


# ------------------------------------------------------------------------------------------- scores


def scores():
    rng = np.random.default_rng(111)
    cases = []

    def classification(truth, predicted):
        truth, predicted = np.asarray(truth), np.asarray(predicted)
        with warnings.catch_warnings():  # sklearn remarks on classes missing from the truth
            warnings.simplefilter("ignore")
            expected = dict(
                accuracy=float(accuracy_score(truth, predicted)),
                balanced_accuracy=float(balanced_accuracy_score(truth, predicted)),
                macro_f1=float(f1_score(truth, predicted, average="macro", zero_division=0)),
            )
        recalls = [np.mean(predicted[truth == c] == c) for c in np.unique(truth)]
        f1 = []
        for c in np.union1d(truth, predicted):
            hits = ((truth == c) & (predicted == c)).sum()
            f1.append(2 * hits / ((truth == c).sum() + (predicted == c).sum()))
        by_hand = [np.mean(truth == predicted), np.mean(recalls), np.mean(f1)]
        agree(list(expected.values()), by_hand, 1e-12, "classification scores")
        cases.append(dict(kind="classification", truth=truth, predicted=predicted, expected=expected))

    def regression(truth, predicted):
        error = truth - predicted
        expected = dict(
            rmse=float(root_mean_squared_error(truth, predicted)),
            mae=float(mean_absolute_error(truth, predicted)),
            r2=float(r2_score(truth, predicted)),
        )
        r2 = 1 - (error**2).sum() / ((truth - truth.mean()) ** 2).sum()
        by_hand = [np.sqrt(np.mean(error**2)), np.mean(np.abs(error)), r2]
        agree(list(expected.values()), by_hand, 1e-12, "regression scores")
        cases.append(dict(kind="regression", truth=truth, predicted=predicted, expected=expected))

    for n, classes in [(30, 3), (40, 5), (25, 2)]:
        truth = rng.integers(0, classes, size=n)
        wrong = rng.random(n) < 0.4
        classification(truth, np.where(wrong, rng.integers(0, classes, size=n), truth))
    truth = rng.choice([0, 1, 3], size=30)  # class 2 is predicted but never true
    classification(truth, np.where(rng.random(30) < 0.5, rng.integers(0, 4, size=30), truth))
    truth = rng.integers(0, 4, size=30)  # class 1 is true but never predicted
    classification(truth, np.where(truth == 1, rng.choice([0, 2, 3], size=30), truth))
    classification([0, 0, 1, 1], [2, 2, 3, 3])  # nothing in common
    classification([0, 1, 2, 2], [0, 1, 2, 2])  # all right
    classification([1, 1, 1], [1, 0, 1])  # one class in the truth

    truth = np.round(3 + 2 * rng.normal(size=20), 6)
    regression(truth, np.round(truth + 0.5 * rng.normal(size=20), 6))
    regression(truth, np.round(5 * rng.normal(size=20) - 4, 6))  # worse than the mean
    regression(truth, truth)
    about = (
        "scikit-learn: accuracy_score, balanced_accuracy_score (mean recall over the classes of the truth), "
        "f1_score(average='macro', zero_division=0) over every label in the truth or the predictions, "
        "root_mean_squared_error, mean_absolute_error, r2_score. make.py checks each by its definition."
    )
    write("scores", about, cases)


# ------------------------------------------------------------------------------------------ measures


def measures():
    """Distances between samples: MMD from scikit-learn's kernel, tests of columns from SciPy."""
    rng = np.random.default_rng(77)
    cases = []
    for n, m, d, shift, bandwidth in [(30, 20, 3, 0.0, 1.5), (25, 40, 2, 1.0, 0.8), (12, 9, 6, 0.4, 3.0)]:
        x = np.round(rng.normal(size=(n, d)), 6)
        y = np.round(rng.normal(size=(m, d)) + shift, 6)
        gamma = 1 / (2 * bandwidth**2)
        xx, yy, xy = rbf_kernel(x, x, gamma), rbf_kernel(y, y, gamma), rbf_kernel(x, y, gamma)
        biased = xx.mean() + yy.mean() - 2 * xy.mean()
        unbiased = (xx.sum() - n) / (n * (n - 1)) + (yy.sum() - m) / (m * (m - 1)) - 2 * xy.mean()
        by_hand = sum(math.exp(-gamma * sum((a - b) ** 2)) for a in x for b in y) / (n * m)
        agree(by_hand, xy.mean(), 1e-12, "mean of the kernel")
        cases.append({"kind": "mmd", "x": x, "y": y, "bandwidth": bandwidth,
                      "expected": {"biased": biased, "unbiased": unbiased}})
    for n, m, digits, shift in [(50, 30, 6, 0.5), (40, 200, 1, 0.2), (300, 300, 6, 0.0), (5, 4, 0, 0.0)]:
        x, y = np.round(rng.normal(size=n), digits), np.round(rng.normal(size=m) + shift, digits)
        statistic = ks_2samp(x, y).statistic
        grid = np.union1d(x, y)
        gap = [abs((x <= v).mean() - (y <= v).mean()) for v in grid]
        agree(max(gap), statistic, 1e-12, "Kolmogorov-Smirnov statistic")
        root = math.sqrt(n * m / (n + m))
        p = kolmogorov((root + 0.12 + 0.11 / root) * statistic)
        cases.append({"kind": "ks", "x": x, "y": y, "expected": {"distance": statistic, "p": p}})
    for shares_x, shares_y in [([0.5, 0.3, 0.2], [0.4, 0.4, 0.2]), ([0.5, 0.5, 0.0], [0.2, 0.3, 0.5])]:
        x, y = rng.choice(3, size=80, p=shares_x), rng.choice(3, size=120, p=shares_y)
        table = np.array([[np.sum(v == c) for c in range(3)] for v in (x, y)])
        found = chi2_contingency(table, correction=False)
        expected = table.sum(1, keepdims=True) * table.sum(0) / table.sum()
        agree(found.statistic, ((table - expected) ** 2 / expected).sum(), 1e-10, "chi-square")
        variation = 0.5 * np.abs(table[0] / 80 - table[1] / 120).sum()
        cases.append({"kind": "chi-square", "x": x, "y": y,
                      "expected": {"distance": variation, "p": found.pvalue}})
    about = (
        "mmd: sums of sklearn.metrics.pairwise.rbf_kernel. ks: scipy.stats.ks_2samp's statistic, and "
        "scipy.special.kolmogorov of Stephens' argument. chi-square: scipy.stats.chi2_contingency without "
        "correction, and the total variation distance of the shares. P-values of one column."
    )
    write("measures", about, cases)


SUBJECTS = [learners, kernel_svm, coral, transport, sinkhorn, label_propagation, kmm]
SUBJECTS += [nearest_neighbor_weighting, discriminative, tca, jda, subspace_alignment, easytl, scores, measures]


def main():
    print(", ".join(f"{name} {number}" for name, number in VERSIONS.items()))
    wanted = sys.argv[1:]
    unknown = set(wanted) - {subject.__name__ for subject in SUBJECTS}
    if unknown:
        sys.exit(f"no such subject: {', '.join(sorted(unknown))}")
    for subject in SUBJECTS:
        if not wanted or subject.__name__ in wanted:
            subject()


if __name__ == "__main__":
    main()
