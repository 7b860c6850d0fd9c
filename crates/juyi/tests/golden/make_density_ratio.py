"""Makes the golden values of the density-ratio methods: data, and what references answer on them.

Usage, in a fresh virtual environment (Python 3.11):

    pip install numpy==2.4.6 scipy==1.17.1 scikit-learn==1.9.1 POT==0.9.7.post1 skada==0.6.0 \
        cvxopt==1.3.3
    python make_density_ratio.py                # writes every file
    python make_density_ratio.py ulsif kliep    # writes ulsif.json and kliep.json only

The conventions are those of make.py beside it, whose shared pieces it uses.
"""

import json
import sys

import numpy as np
from cvxopt import matrix, solvers
from make import agree, ridge_closed_form, write
from scipy.optimize import minimize
from scipy.stats import gaussian_kde, multivariate_normal
from skada._reweight import GaussianReweightAdapter
from sklearn.linear_model import LogisticRegression
from sklearn.metrics.pairwise import rbf_kernel
from sklearn.neighbors import KernelDensity


def two_domains(rng, ns, nt, d, scale=0.7, shift=0.5):
    xs = np.round(rng.normal(size=(ns, d)), 6)
    return xs, np.round(scale * rng.normal(size=(nt, d)) + shift, 6)


def bumps(x, centers, bandwidth):
    """exp(-|x - c|^2 / (2 bandwidth^2)) from differences."""
    gaps = ((x[:, None, :] - centers[None, :, :]) ** 2).sum(axis=2)
    return np.exp(-gaps / (2 * bandwidth**2))


# ----------------------------------------------------------------------------- least-squares ratios


def heights(phi_s, phi_t, share, penalty):
    """max(0, (H + penalty I)^-1 h) of features by rows."""
    squares = share * phi_t.T @ phi_t / len(phi_t) + (1 - share) * phi_s.T @ phi_s / len(phi_s)
    raw = np.linalg.solve(squares + penalty * np.eye(squares.shape[0]), phi_t.mean(axis=0))
    # The same stationary point by least squares: the penalised squares as rows of one system.
    rows = np.r_[
        np.sqrt(share / len(phi_t)) * phi_t,
        np.sqrt((1 - share) / len(phi_s)) * phi_s,
        np.sqrt(penalty) * np.eye(phi_s.shape[1]),
    ]
    q, r = np.linalg.qr(rows)
    agree(raw, np.linalg.solve(r, np.linalg.solve(r.T, phi_t.mean(axis=0))), 1e-8, "the two ways to heights")
    return np.maximum(raw, 0)


def refit_score(phi_s, phi_t, share, penalty, pairs):
    """The mean, over pairs, of the criterion at the pair after a fit without it."""
    total = 0.0
    for k in range(pairs):
        theta = heights(np.delete(phi_s, k, axis=0), np.delete(phi_t, k, axis=0), share, penalty)
        r_s, r_t = phi_s[k] @ theta, phi_t[k] @ theta
        total += share * r_t**2 / 2 + (1 - share) * r_s**2 / 2 - r_t
    return total / pairs


def least_squares_ratios(rng, shares):
    cases = []
    for (ns, nt, d, bandwidth, penalty), share in zip(
        [(30, 24, 2, 0.8, 0.1), (20, 35, 3, 1.5, 0.01), (25, 25, 1, 0.3, 1.0)], shares
    ):
        xs, xt = two_domains(rng, ns, nt, d)
        phi_s, phi_t = bumps(xs, xt, bandwidth), bumps(xt, xt, bandwidth)
        agree(phi_s, rbf_kernel(xs, xt, gamma=1 / (2 * bandwidth**2)), 1e-12, "the bumps and scikit-learn's")
        theta = heights(phi_s, phi_t, share, penalty)
        ratio = phi_s @ theta
        penalties = [0.001, 0.1, 3.0]
        pairs = min(ns, nt)
        scores = [refit_score(phi_s, phi_t, share, p, pairs) for p in penalties]
        data = dict(x_source=xs, x_target=xt, share=share, bandwidth=bandwidth, penalty=penalty, penalties=penalties)
        cases.append(dict(**data, expected=dict(ratio=ratio, weights=ratio / ratio.mean(), scores=scores)))
    return cases


def ulsif():
    about = (
        "Unconstrained least-squares importance fitting in numpy, all target rows as centres: the ratio at the "
        "source rows, weights of mean 1, and for each of penalties the leave-one-out score: the mean, over the "
        "first min(n_s, n_t) pairs of rows of the same number, of ratio(s)^2 / 2 - ratio(t) after a refit "
        "without the pair."
    )
    write("ulsif", about, least_squares_ratios(np.random.default_rng(1701), [0.0, 0.0, 0.0]))


def rulsif():
    about = (
        "Relative least-squares importance fitting in numpy, share = alpha, all target rows as centres: as "
        "ulsif.json, the score being share ratio(t)^2 / 2 + (1 - share) ratio(s)^2 / 2 - ratio(t)."
    )
    write("rulsif", about, least_squares_ratios(np.random.default_rng(1702), [0.1, 0.5, 0.9]))


# ------------------------------------------------------------------------------- two fitted densities


def gaussian_ratio():
    rng = np.random.default_rng(1703)
    cases = []
    plan = [(30, 24, 3, None, None), (40, 15, 2, 0.3, None), (25, 25, 4, 0.0, 3.0), (20, 12, 15, None, None)]
    plan += [(30, 40, 1, None, None)]
    for ns, nt, d, shrinkage, bound in plan:
        xs, xt = two_domains(rng, ns, nt, d)
        turn = np.eye(d) + 0.3 * rng.normal(size=(d, d))
        xs, xt = np.round(xs @ turn, 6), np.round(xt @ turn, 6)
        if shrinkage is None:
            both, domain = np.r_[xs, xt], np.r_[np.ones(ns), -np.ones(nt)]
            adapter = GaussianReweightAdapter(reg="auto").fit(both, sample_domain=domain)
            covariances = [adapter.cov_source_, adapter.cov_target_]
        else:
            covariances = []
            for x in (xs, xt):
                cov = np.atleast_2d(np.cov(x.T, ddof=0))
                covariances.append((1 - shrinkage) * cov + shrinkage * np.diag(np.diag(cov)))
        log = [multivariate_normal.logpdf(xs, x.mean(axis=0), c) for x, c in zip((xs, xt), covariances)]
        if shrinkage is None:
            weights = adapter.compute_weights(both, sample_domain=domain)[:ns]
            agree(weights, np.exp(log[1] - log[0]), 1e-8 * weights.max(), "skada's weights and scipy's densities")
        byhand = []
        for x, c in zip((xs, xt), covariances):
            gap = xs - x.mean(axis=0)
            byhand.append(-0.5 * np.einsum("ij,ji->i", gap, np.linalg.solve(c, gap.T)) - 0.5 * np.linalg.slogdet(c)[1])
        agree(log[1] - log[0], byhand[1] - byhand[0], 1e-8, "scipy's densities and the formula")
        logs = log[1] - log[0] if bound is None else np.minimum(log[1] - log[0], np.log(bound))
        if bound is not None:
            assert (log[1] - log[0]).max() > np.log(bound)
        ratio = np.exp(logs - logs.max())
        data = dict(x_source=xs, x_target=xt, shrinkage=shrinkage, bound=bound)
        cases.append(dict(**data, expected=dict(weights=ratio / ratio.mean())))
    about = (
        "Ratios of two fitted normal densities at the source rows, cut to bound where there is one, over their "
        "mean. Without shrinkage: skada GaussianReweightAdapter(reg='auto'), whose covariances are Ledoit and "
        "Wolf's of standardised columns; with it, covariances of n with the correlations times 1 - shrinkage. "
        "Densities are scipy.stats.multivariate_normal's."
    )
    write("gaussian_ratio", about, cases)


def kernel_density_ratio():
    rng = np.random.default_rng(1704)
    cases = []
    plan = [(30, 24, 3, 0.7, "scott", None), (40, 15, 2, None, "scott", None), (25, 25, 4, None, "silverman", 2.0)]
    plan += [(30, 50, 1, None, "scott", None), (35, 20, 1, None, "silverman", None)]
    for ns, nt, d, bandwidth, rule, bound in plan:
        xs, xt = two_domains(rng, ns, nt, d)
        logs = []
        for x in (xs, xt):
            n = len(x) if rule == "scott" else len(x) * (d + 2) / 4
            width = bandwidth or np.sqrt(x.var(axis=0, ddof=1).mean()) * n ** (-1 / (d + 4))
            logs.append(KernelDensity(bandwidth=width, rtol=1e-12).fit(x).score_samples(xs))
            if d == 1 and bandwidth is None:
                other = gaussian_kde(x[:, 0], bw_method=rule).logpdf(xs[:, 0])
                agree(logs[-1], other, 1e-9, "scikit-learn's density and scipy's")
            direct = np.log(bumps(xs, x, width).mean(axis=1)) - d * np.log(width * np.sqrt(2 * np.pi))
            agree(logs[-1], direct, 1e-9, "scikit-learn's density and the formula")
        ratio = np.exp(logs[1] - logs[0])
        if bound is not None:
            assert ratio.max() > bound
            ratio = np.minimum(ratio, bound)
        data = dict(x_source=xs, x_target=xt, bandwidth=bandwidth, rule=rule, bound=bound)
        cases.append(dict(**data, expected=dict(weights=ratio / ratio.mean())))
    about = (
        "Ratios of two Gaussian kernel densities at the source rows, cut to bound where there is one, over their "
        "mean: scikit-learn KernelDensity with the bandwidth, or with the rule's factor times the root of the "
        "mean column variance (n - 1) of each domain. In one column scipy.stats.gaussian_kde agrees."
    )
    write("kernel_density_ratio", about, cases)


# ----------------------------------------------------------------------------------------------- kliep


def kliep_exact(a, b):
    """alpha >= 0 with b alpha = 1 and the largest mean log(a alpha), by cvxopt, then by Newton on its support."""
    n, m = a.shape
    scaled = a / b  # by shares: gamma = b alpha, which sum to 1

    def oracle(x=None, z=None):
        if x is None:
            return 0, matrix(1.0 / m, (m, 1))
        p = scaled @ np.array(x).ravel()
        if p.min() <= 0:
            return None
        value, slope = matrix(-np.log(p).mean()), matrix(-(scaled / p[:, None]).mean(axis=0)).T
        if z is None:
            return value, slope
        part = scaled / p[:, None]
        return value, slope, matrix(z[0] * part.T @ part / n)

    solvers.options.update(show_progress=False, abstol=1e-13, reltol=1e-13, feastol=1e-13, maxiters=200)
    ones = matrix(1.0, (1, m))
    found = solvers.cp(oracle, matrix(-np.eye(m)), matrix(0.0, (m, 1)), A=ones, b=matrix(1.0))
    gamma = np.maximum(np.array(found["x"]).ravel(), 0)
    support = gamma > 1e-6
    gamma[~support] = 0
    for _ in range(50):  # Newton on the support: gradient 1 there
        p = scaled @ gamma
        part = (scaled / p[:, None])[:, support]
        gamma[support] += np.linalg.lstsq(part.T @ part / n, part.mean(axis=0) - 1, rcond=None)[0]
    gradient = (scaled / (scaled @ gamma)[:, None]).mean(axis=0)
    assert gamma.min() >= 0 and gradient.max() <= 1 + 1e-9, (gamma.min(), gradient.max() - 1)
    agree(gradient[support], 1, 1e-9, "the gradient on the support")
    agree(gamma.sum(), 1, 1e-9, "the sum of shares")
    return gamma / b


def frank_wolfe(a, b):
    """adapt's KLIEP solver: steps 2 / (k + 2) towards the best vertex, 2000 of them."""
    alpha = np.ones(a.shape[1]) / b.sum()
    for k in range(1, 2001):
        gradient = (a / (a @ alpha)[:, None]).sum(axis=0)
        best = np.argmax(gradient / b)
        vertex = np.zeros_like(alpha)
        vertex[best] = 1 / b[best]
        alpha += 2 / (k + 2) * (vertex - alpha)
    return alpha


def kliep():
    rng = np.random.default_rng(1705)
    cases = []
    for ns, nt, d, bandwidth in [(40, 30, 2, 0.6), (30, 45, 3, 1.2), (25, 20, 1, 0.3), (30, 5, 2, None)]:
        xs, xt = two_domains(rng, ns, nt, d)
        data = dict(x_source=xs, x_target=xt, bandwidth=bandwidth)
        if bandwidth is None:  # five rows in five folds: every row is left out, however they are drawn
            pooled = np.r_[xs, xt]
            gaps = np.sqrt(((pooled[:, None] - pooled) ** 2).sum(axis=2))[np.triu_indices(ns + nt, 1)]
            median = np.sort(gaps)[len(gaps) // 2]
            scores = []
            for part in (2.0, 1.2, 0.7, 0.42, 0.25):
                a, b = bumps(xt, xt, part * median), bumps(xs, xt, part * median).mean(axis=0)
                held = [np.log(a[k] @ kliep_exact(np.delete(a, k, axis=0), b)) for k in range(nt)]
                scores.append(float(np.mean(held)))
            cases.append(dict(**data, expected=dict(median=median, likelihoods=scores)))
            continue
        a, b = bumps(xt, xt, bandwidth), bumps(xs, xt, bandwidth).mean(axis=0)
        alpha = kliep_exact(a, b)
        objective, theirs = np.log(a @ alpha).mean(), np.log(a @ frank_wolfe(a, b)).mean()
        assert theirs <= objective + 1e-12
        other = minimize(
            lambda g: -np.log(a @ (g / b)).mean(),
            b * frank_wolfe(a, b),
            jac=lambda g: -(a / b / (a @ (g / b))[:, None]).mean(axis=0),
            method="SLSQP",
            bounds=[(0, 1)] * nt,
            constraints=[dict(type="eq", fun=lambda g: g.sum() - 1, jac=lambda g: np.ones(nt))],
            options=dict(ftol=1e-15, maxiter=2000),
        )
        agree(objective, -other.fun, 1e-8, "the objective and SLSQP's")
        weights = bumps(xs, xt, bandwidth) @ alpha
        print(f"  kliep: {np.sum(alpha > 0)} of {nt} centres, Frank-Wolfe is {objective - theirs:.1e} below")
        expected = dict(objective=objective, frank_wolfe=theirs, weights=weights)
        cases.append(dict(**data, expected=expected))
    about = (
        "KLIEP with all target rows as centres: alpha >= 0 with mean_s w(s) = 1 and the largest mean_t ln w(t). "
        "cvxopt finds the support, Newton's method the heights, the optimality conditions are checked, and SLSQP "
        "agrees on the objective; frank_wolfe is what adapt's default solver reaches. The last case holds, for "
        "five parts of the median distance of pooled rows (2, 1.2, 0.7, 0.42, 0.25), the mean log ratio at each "
        "target row left out of the fit."
    )
    write("kliep", about, cases)


# --------------------------------------------------------------------------------- balanced weighting


def balanced_weighting():
    rng = np.random.default_rng(1706)
    cases = []
    for ns, nl, nt, d, share, task in [
        (30, 6, 15, 3, 0.5, "regression"),
        (30, 6, 15, 3, 0.9, "regression"),
        (12, 20, 25, 2, 0.2, "regression"),
        (40, 10, 20, 3, 0.7, "classification"),
    ]:
        xs, xt = two_domains(rng, ns, nt, d)
        rule = rng.normal(size=d)
        ys, yl = xs @ rule + rng.normal(size=ns), xt[:nl] @ rule + 1 + rng.normal(size=nl)
        if task == "classification":
            ys, yl = (ys > 0).astype(int), (yl > 0.5).astype(int)
            assert len(set(ys)) == 2
        ys, yl = np.round(ys, 6), np.round(yl, 6)
        rows, labels = np.r_[xs, xt[:nl]], np.r_[ys, yl]
        weights = np.r_[np.full(ns, (1 - share) / ns), np.full(nl, share / nl)] * (ns + nl)
        data = dict(x_source=xs, y_source=ys, x_target=xt, y_target=yl, target_share=share, task=task)
        if task == "regression":
            expected = dict(values=ridge_closed_form(rows, labels, weights, xt))
            # The same without weights, from rows repeated: shares in tenths make whole numbers.
            times = np.r_[np.full(ns, round(10 * (1 - share)) * nl), np.full(nl, round(10 * share) * ns)]
            shrunk = np.sqrt(times[0] / weights[0])  # |w|^2 counts as much more
            again = np.linalg.lstsq(
                np.r_[
                    np.repeat(np.c_[rows, np.ones(ns + nl)], times, axis=0),
                    shrunk * np.eye(d, d + 1),
                ],
                np.r_[np.repeat(labels, times), np.zeros(d)],
                rcond=None,
            )[0]
            agree(expected["values"], np.c_[xt, np.ones(nt)] @ again, 1e-8, "weights and repeated rows")
        else:
            model = LogisticRegression(C=2.0, tol=1e-12, max_iter=10000, solver="newton-cholesky")
            model.fit(rows, labels, sample_weight=weights)
            p = model.predict_proba(rows)[:, 1]
            gradient = 2.0 * rows.T @ (weights * (p - labels)) + model.coef_[0]
            agree(gradient, 0, 1e-7, "the gradient of the logistic objective")
            expected = dict(probabilities=model.predict_proba(xt))
        cases.append(dict(**data, expected=expected))
    about = (
        "The learner trained on source rows and the first rows of the target, which are labelled, with weights of "
        "mean 1 of which the labelled target rows have target_share; answers on all target rows. regression: "
        "ridge with penalty 1 by the normal equations, checked with repeated rows. classification: scikit-learn "
        "LogisticRegression, C doubled as in learners.json."
    )
    write("balanced_weighting", about, cases)


SUBJECTS = [ulsif, rulsif, gaussian_ratio, kernel_density_ratio, kliep, balanced_weighting]


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
