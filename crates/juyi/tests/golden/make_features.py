"""Makes features.json beside this file: data, and what independent calculations of the feature methods give.

Usage, in a fresh virtual environment (Python 3.11), with make.py beside this file:

    pip install numpy==2.4.6 scipy==1.17.1 scikit-learn==1.9.1 POT==0.9.7.post1 skada==0.6.0 \
        cvxopt==1.3.3
    python make_features.py

The file has the layout of the others, with one case for each subject and setting ("subject" names it). Data are
seeded and rounded to 6 decimals. Every expected value is checked a second way before it is written, and the script
stops where the two disagree.
"""


import numpy as np
import scipy.linalg
from make import agree, write
from scipy.optimize import minimize
from scipy.spatial.distance import cdist
from sklearn.cross_decomposition import CCA
from sklearn.decomposition import PCA
from sklearn.linear_model import Ridge
from sklearn.metrics import mutual_info_score

# --------------------------------------------------------------------------- feature augmentation


def augmented(x, block, blocks):
    """The rows in block 0 and in block `block`, by a Kronecker product."""
    unit = np.zeros(blocks)
    unit[[0, block]] = 1.0
    return np.kron(unit, x)


def feda_case(rng, counts, n_t, labelled, d):
    """Ridge regression on augmented rows, and the same by kernels: within a domain twice the inner product."""
    truth = rng.normal(size=d)
    xs = [np.round(rng.normal(size=(n, d)) + 0.3 * k, 6) for k, n in enumerate(counts)]
    ys = [np.round(x @ (truth + 0.4 * rng.normal(size=d)), 6) for x in xs]
    xt = np.round(rng.normal(size=(n_t, d)) - 0.5, 6)
    yt = np.round(xt[:labelled] @ truth + 1.0, 6)
    blocks = len(counts) + 2
    rows = np.vstack([augmented(x, k + 1, blocks) for k, x in enumerate(xs)]
                     + [augmented(xt[:labelled], blocks - 1, blocks)])
    y = np.r_[tuple(ys) + (yt,)]
    model = Ridge(alpha=1.0, solver="cholesky").fit(rows, y)
    expected = model.predict(augmented(xt, blocks - 1, blocks))

    plain_rows = np.vstack([*xs, xt[:labelled]])
    domain = np.repeat(np.arange(len(counts) + 1), [*counts, labelled])
    k = (plain_rows @ plain_rows.T) * (1.0 + (domain[:, None] == domain))
    n = len(y)
    system = np.block([[k + np.eye(n), np.ones((n, 1))], [np.ones((1, n)), np.zeros((1, 1))]])
    solved = np.linalg.solve(system, np.r_[y, 0.0])
    k_new = (xt @ plain_rows.T) * (1.0 + (domain == len(counts)))
    agree(k_new @ solved[:n] + solved[n], expected, 1e-9, "ridge on augmented rows and by kernels")
    return {"subject": "feda", "x_sources": xs, "y_sources": ys, "x_target": xt, "y_target": yt,
            "expected": {"predictions": expected}}


# ---------------------------------------------------- marginalised stacked denoising autoencoders


def expectations(h, p):
    """E[P] (d, d + 1) and E[Q] (d + 1, d + 1), entry by entry."""
    n, d = h.shape
    hb = np.column_stack([h, np.ones(n)])
    q = np.r_[np.full(d, 1.0 - p), 1.0]
    s = hb.T @ hb
    e_q = s * np.outer(q, q)
    np.fill_diagonal(e_q, np.diag(s) * q)
    return (s * q)[:d], e_q


def msda_case(rng, n_s, n_t, d, p, layers):
    basis = rng.normal(size=(2, d))
    x = rng.normal(size=(n_s + n_t, 2)) @ basis + 0.4 * rng.normal(size=(n_s + n_t, d))
    x[:, d - 1] = 0.0  # a column that says nothing
    x = np.round(x, 6)

    # The expectations against corruption as it is.
    e_p, e_q = expectations(x, p)
    draws = 40000
    mean_p, mean_q = np.zeros_like(e_p), np.zeros_like(e_q)
    few = x[:6]
    few_p, few_q = expectations(few, p)
    for _ in range(draws):
        c = np.column_stack([few * (rng.random(few.shape) >= p), np.ones(len(few))])
        mean_p += few.T @ c / draws
        mean_q += c.T @ c / draws
    scale = np.abs(few_q).max()
    agree(mean_p / scale, few_p / scale, 0.02, "E[P] and the mean over corrupted rows")
    agree(mean_q / scale, few_q / scale, 0.02, "E[Q] and the mean over corrupted rows")

    h, out = x, [x]
    for _ in range(layers):
        e_p, e_q = expectations(h, p)
        ridge = 1e-5
        w = e_p @ np.linalg.inv(e_q + ridge * np.eye(d + 1))
        # The same as least squares: E|h - (c, 1) W'|² = |h - q (h, 1) W'|² + Σ_j p (1 - p) S_jj |W_j|².
        n = len(h)
        hb = np.column_stack([h, np.ones(n)])
        q = np.r_[np.full(d, 1.0 - p), 1.0]
        noise = np.sqrt((hb**2).sum(axis=0) * q * (1.0 - q))
        tall = np.vstack([hb * q, np.diag(noise), np.sqrt(ridge) * np.eye(d + 1)])
        right = np.vstack([h, np.zeros((2 * (d + 1), d))])
        again = np.linalg.lstsq(tall, right, rcond=None)[0].T
        agree(w, again, 1e-7, "a layer by its equation and by least squares")
        h = np.tanh(hb @ w.T)
        out.append(h)
    hidden = np.hstack(out)
    return {"subject": "msda", "corruption": p, "layers": layers, "x_source": x[:n_s], "x_target": x[n_s:],
            "expected": {"source": hidden[:n_s], "target": hidden[n_s:]}}


# --------------------------------------------------------------- structural correspondence learning


def presence(column):
    counts = column.min() == 0.0
    return column > (0.0 if counts else np.sort(column)[(len(column) - 1) // 2])


def scl_case(xs, xt, ys, pivots, components, rescale, penalty, ranking):
    x = np.vstack([xs, xt])
    n, d = x.shape
    there = np.array([presence(column) for column in x.T])
    in_s, in_t = there[:, : len(xs)], there[:, len(xs):]
    able = [j for j in range(d)
            if min(in_s[j].sum(), in_t[j].sum()) >= 5 and not there[j].all()]
    if ranking == "information":
        rank = {j: mutual_info_score(ys, in_s[j]) for j in able}
    else:
        rank = {j: min(in_s[j].mean(), in_t[j].mean()) for j in able}
    order = sorted(able, key=lambda j: (-round(rank[j], 12), j))
    m = min(pivots, d // 2)
    chosen, others = order[:m], [j for j in range(d) if j not in order[:m]]
    if ranking == "information" and len(order) > m:
        assert rank[order[m - 1]] - rank[order[m]] > 1e-9, "a tie between the last pivot and the next"

    # A predictor at a time, as least squares with a free constant and rows for the penalty.
    rest = x[:, others]
    tall = np.vstack([np.column_stack([rest, np.ones(n)]),
                      np.sqrt(penalty) * np.eye(len(others) + 1)[:-1]])
    w = []
    for j in chosen:
        y = np.where(there[j], 1.0, -1.0)
        w.append(np.linalg.lstsq(tall, np.r_[y, np.zeros(len(others))], rcond=None)[0][:-1])
        agree(w[-1], Ridge(alpha=penalty).fit(rest, y).coef_, 1e-9, "a pivot predictor")
    w = np.array(w).T
    values, vectors = scipy.linalg.eigh(w @ w.T)
    k = min(components, np.linalg.matrix_rank(w))
    theta = vectors[:, ::-1][:, :k]
    values = values[::-1]
    assert k == len(others) or (values[: k - 1] - values[1:k] > 1e-6 * values[0]).all(), "directions that tie"
    z = rest @ theta
    z = rescale * (z - z.mean(axis=0)) / z.std(axis=0)
    return {"subject": "scl", "x_source": xs, "x_target": xt, "y": ys, "pivots": pivots,
            "components": components, "rescale": rescale, "penalty": penalty, "ranking": ranking,
            "expected": {"appended": z}}


def scl_cases(rng):
    ys = rng.permutation(np.arange(30) % 2)
    topic = np.r_[ys, rng.integers(2, size=25)]
    rate = rng.uniform(0.1, 0.9, size=(2, 12))
    counts = rng.poisson(rate[topic]).astype(float)
    counts[:30, 10:] = 0.0  # words of the target alone
    counts[30:, 8:10] = 0.0  # and of the source alone
    first = scl_case(counts[:30], counts[30:], ys, 4, 2, 1.5, 1.0, "information")
    x = np.round(rng.normal(size=(26, 3)) @ rng.normal(size=(3, 40)) + 0.5 * rng.normal(size=(26, 40)), 6)
    second = scl_case(x[:14], x[14:], np.arange(14) % 2, 5, 3, 1.0, 0.3, "frequency")
    return [first, second]


# ----------------------------------------------------------------------------- fusion of two views


def cca_case(rng, n_s, n_t, d, first, k, r, output):
    shared = rng.normal(size=(n_s + n_t, 2))
    x = shared @ rng.normal(size=(2, d)) + rng.normal(size=(n_s + n_t, d)) * rng.uniform(0.3, 2.0, size=d)
    x[:, 0] = 3.0 if r > 1e-6 else x[:, 0]  # a constant column
    x = np.round(x, 6)

    def solve(r):
        c = np.cov(x.T)
        between, own = np.zeros((d, d)), np.zeros((d, d))
        between[:first, first:] = c[:first, first:]
        between += between.T
        for view in (slice(0, first), slice(first, d)):
            block = c[view, view]
            own[view, view] = block + r * np.trace(block) / len(block) * np.eye(len(block))
        values, vectors = scipy.linalg.eigh(between, own)
        vectors = np.sqrt(2.0) * vectors[:, ::-1][:, :k]  # each half then has length 1
        return values[::-1][:k], vectors[:first], vectors[first:]

    centred = x - x.mean(axis=0)
    if r <= 1e-6:  # without a penalty it is what scikit-learn does
        values, a, _ = solve(0.0)
        model = CCA(n_components=k, scale=False, tol=1e-14, max_iter=100000)
        one, two = model.fit_transform(centred[:, :first], centred[:, first:])
        theirs = [np.corrcoef(one[:, i], two[:, i])[0, 1] for i in range(k)]
        agree(theirs, values, 1e-6, "canonical correlations and scikit-learn's")
        ours = centred[:, :first] @ a
        same = [abs(np.corrcoef(one[:, i], ours[:, i])[0, 1]) for i in range(k)]
        agree(same, 1.0, 1e-6, "canonical variates and scikit-learn's")
    _, a, b = solve(r)
    one, two = centred[:, :first] @ a, centred[:, first:] @ b
    z = np.hstack([one, two]) if output == "concatenate" else one + two
    return {"subject": "cca-fusion", "x_source": x[:n_s], "x_target": x[n_s:], "first_view": first,
            "components": k, "regularization": r, "output": output, "expected": {"gram": z @ z.T}}


# ------------------------------------------------------------------------------- feature selection


def f_mmd_case(rng, n_s, n_t, d, kernel):
    xs = np.round(rng.normal(size=(n_s, d)), 6)
    xt = np.round(rng.normal(size=(n_t, d)) * rng.uniform(0.6, 1.8, size=d) + 0.3 * rng.normal(size=d), 6)

    def mmd(w):
        """The squared discrepancy from the kernels of all pairs of rows."""
        def k(x, y):
            inner = (x * w) @ y.T
            return inner.mean() if kernel == "linear" else ((1.0 + inner) ** 2).mean()
        return k(xs, xs) + k(xt, xt) - 2.0 * k(xs, xt)

    def slope(w):
        out = np.zeros(d)
        for x, y, sign in ((xs, xs, 1.0), (xt, xt, 1.0), (xs, xt, -2.0)):
            pull = np.ones((len(x), len(y))) if kernel == "linear" else 2.0 * (1.0 + (x * w) @ y.T)
            out += sign * np.einsum("il,ij,jl->l", x, pull, y) / pull.size
        return out

    # Ascent along the sphere, w <- slope / |slope|, which never falls; from many starts.
    best = None
    for _ in range(20):
        w = rng.uniform(size=d)
        w /= np.linalg.norm(w)
        for _ in range(20000):
            w, old = slope(w), w
            w /= np.linalg.norm(w)
            if np.abs(w - old).max() < 1e-15:
                break
        if best is None or mmd(w) > mmd(best):
            best = w
    found = minimize(lambda w: -mmd(w), np.full(d, d**-0.5), bounds=[(0.0, None)] * d, method="SLSQP",
                     constraints={"type": "ineq", "fun": lambda w: 1.0 - w @ w},
                     options={"ftol": 1e-15, "maxiter": 1000})
    agree(mmd(best), -found.fun, 1e-8, "the largest discrepancy by ascent and by SLSQP")
    assert (best >= 0.0).all()
    return {"subject": "f-mmd", "x_source": xs, "x_target": xt, "kernel": kernel,
            "expected": {"weights": best}}


# --------------------------------------------------------------------- transfer subspace learning


def tsl_case(rng, base, n_s, n_t, d, k, weight, h, r):
    ys = rng.permutation(np.arange(n_s) % 3)
    means = 2.0 * rng.normal(size=(3, d))
    xs = np.round(means[ys] + rng.normal(size=(n_s, d)), 6)
    xt = means[rng.integers(3, size=n_t)] + rng.normal(size=(n_t, d)) + 1.2 * rng.normal(size=d)
    xt = np.round(xt, 6)
    s_t = np.cov(xs.T, bias=True)
    s_w = sum(np.cov(xs[ys == c].T, bias=True) * (ys == c).mean() for c in range(3))
    ridge = r * np.trace(s_t) / d * np.eye(d)

    def objective(w):
        zs, zt = xs @ w, xt @ w
        def density(a, b):
            return np.exp(-cdist(a, b, "sqeuclidean") / (2.0 * h * h)).mean()
        difference = density(zs, zs) + density(zt, zt) - 2.0 * density(zs, zt)
        if base == "pca":
            return -np.trace(w.T @ s_t @ w) / np.trace(s_t) + weight * difference
        within, total = np.trace(w.T @ (s_w + ridge) @ w), np.trace(w.T @ (s_t + ridge) @ w)
        return within / total + weight * difference

    def of(flat):
        return objective(scipy.linalg.orth(flat.reshape(d, k)))

    start = PCA(k).fit(np.vstack([xs, xt])).components_.T
    found = minimize(of, start.ravel(), method="BFGS", jac="3-point", options={"gtol": 1e-8, "maxiter": 2000})
    w = scipy.linalg.orth(found.x.reshape(d, k))
    again = minimize(of, found.x, method="Nelder-Mead", options={"xatol": 1e-10, "fatol": 1e-15, "maxiter": 20000})
    assert again.fun > found.fun - 1e-9, "a better place is near"
    return {"subject": "tsl", "base": base, "x_source": xs, "x_target": xt, "y": ys, "components": k,
            "weight": weight, "bandwidth": h, "regularization": r,
            "expected": {"objective": found.fun, "start": of(start.ravel()), "projector": w @ w.T}}


# ------------------------------------------------------------------------------------------- main


def main():
    rng = np.random.default_rng(20260401)
    cases = [
        feda_case(rng, [14], 12, 5, 3),
        feda_case(rng, [9, 7, 4], 10, 3, 4),
        msda_case(rng, 12, 9, 5, 0.5, 3),
        msda_case(rng, 6, 5, 14, 0.8, 1),
        *scl_cases(rng),
        cca_case(rng, 20, 16, 6, 2, 2, 1e-7, "concatenate"),
        cca_case(rng, 8, 7, 20, 12, 3, 0.1, "concatenate"),
        cca_case(rng, 12, 9, 7, 4, 3, 0.05, "sum"),
        f_mmd_case(rng, 15, 12, 6, "linear"),
        f_mmd_case(rng, 25, 18, 6, "quadratic"),
        f_mmd_case(rng, 10, 9, 15, "quadratic"),
        tsl_case(rng, "fisher", 24, 20, 5, 2, 1.0, 2.5, 0.01),
        tsl_case(rng, "fisher", 21, 15, 4, 1, 0.3, 1.5, 0.0),
        tsl_case(rng, "pca", 18, 22, 5, 2, 2.0, 2.0, 0.01),
    ]
    write("features", __doc__.split("\n")[0], cases)


if __name__ == "__main__":
    main()
