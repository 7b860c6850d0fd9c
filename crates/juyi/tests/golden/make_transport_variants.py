"""Makes transport_variants.json and transport_classes.json beside this file: transport methods and what POT and skada
answer on the same rows.

Usage: as make.py, in the same environment (the versions are at its head):

    python make_transport_variants.py

Plans are given as n_s by n_t matrices or through what the source rows are moved to ("mapped") and what the target rows
receive ("received": the mean of the source rows, by mass, for each target row). Costs are squared distances divided by
the largest one, so that entropy, strength and relaxation are parts of it.
"""

import sys
import warnings

import numpy as np
import ot
from make import agree, blobs, plain, shifted, spread_labels, transport_by_linear_programme, write
from scipy.linalg import sqrtm
from scipy.special import logsumexp
from skada.utils import source_target_merge
from sklearn.linear_model import Ridge
from sklearn.metrics.pairwise import rbf_kernel
from skada._ot import OTLabelPropAdapter, solve_jdot_regression

sys.stdout.reconfigure(line_buffering=True)
UNKNOWN = -1


def costs_of(xs, xt):
    """Squared distances by differences, and the largest."""
    cost = ((xs[:, None] - xt) ** 2).sum(axis=2)
    return cost, cost.max()


def uniform(n):
    return np.full(n, 1 / n)


def barred(cost, ys, yt):
    """Ten times the largest cost where the class of the target row is known and another."""
    return np.where((yt != UNKNOWN) & (ys[:, None] != yt), 10 * cost.max(), cost)


def some_labels(rng, yt, every):
    return np.where(np.arange(len(yt)) % every == 0, yt, UNKNOWN)


def scaled(cost, entropy):
    """The entropic plan for equal masses, in logarithms, by turns."""
    n, m = cost.shape
    f, g = np.zeros(n), np.zeros(m)
    for _ in range(200000):
        f = -entropy * logsumexp((g - cost) / entropy - np.log(m), axis=1)
        g = -entropy * logsumexp((f[:, None] - cost) / entropy - np.log(n), axis=0)
        plan = np.exp((f[:, None] + g - cost) / entropy) / (n * m)
        if np.abs(plan.sum(axis=1) - 1 / n).max() < 1e-15:
            break
    return plan


def problem(rng, ns, nt, d):
    ys, yt = spread_labels(rng, ns, 3), spread_labels(rng, nt, 3)
    xs, xt = shifted(rng, ys, yt, d)
    return xs, ys, xt, yt


def linear(rng):
    for ns, nt, d, reg in [(40, 30, 3, 1e-3), (25, 60, 5, 1e-6), (8, 10, 14, 0.1)]:
        xs, _, xt, _ = problem(rng, ns, nt, d)
        adapter = ot.da.LinearTransport(reg=reg, bias=True).fit(Xs=xs, Xt=xt)
        cs, ct = (np.cov(x.T, bias=True) + reg * np.eye(d) for x in (xs, xt))
        # The map is the positive definite A with A cs A = ct.
        agree(adapter.A_ @ cs @ adapter.A_, ct, 1e-7, "A and the covariances")
        root = np.real(sqrtm(ct))
        other = root @ np.linalg.inv(np.real(sqrtm(root @ cs @ root))) @ root
        agree(adapter.A_, other, 1e-7, "A and its other form")
        mapped = xt.mean(axis=0) + (xs - xs.mean(axis=0)) @ other
        agree(adapter.transform(Xs=xs), mapped, 1e-7, "LinearTransport")
        x_new = blobs(rng, np.zeros(5, int), d, means=xs.mean(axis=0)[None])
        data = dict(x_source=xs, x_target=xt, x_new=x_new, regularization=reg)
        expected = dict(mapped=adapter.transform(Xs=xs), mapped_new=adapter.transform(Xs=x_new))
        yield dict(kind="linear", **data, expected=expected)


def labelled(rng):
    """Plans that labelled target rows bar from pairs of other classes."""
    for ns, nt, d, every, entropy in [(18, 18, 3, 3, 0), (14, 21, 2, 2, 0), (20, 15, 3, 4, 0.05), (16, 16, 2, 2, 0.02)]:
        xs, ys, xt, yt = problem(rng, ns, nt, d)
        known = some_labels(rng, yt, every)
        cost, most = costs_of(xs, xt)
        limited = barred(cost, ys, known)
        if entropy == 0:
            adapter = ot.da.EMDTransport(limit_max=10).fit(Xs=xs, ys=ys, Xt=xt, yt=known)
            plan = transport_by_linear_programme(uniform(ns), uniform(nt), limited)[1]
        else:
            adapter = ot.da.SinkhornTransport(entropy, norm="max", limit_max=10, tol=1e-14, max_iter=200000)
            adapter.fit(Xs=xs, ys=ys, Xt=xt, yt=known)
            plan = scaled(limited / most, entropy)
        agree(adapter.coupling_, plan, 1e-10, "a barred plan")
        if entropy == 0:  # the map of SinkhornTransport is that of new rows, which knows no labels
            agree(adapter.transform(Xs=xs), ns * plan @ xt, 1e-8, "its map")
        sent = plan[(known != UNKNOWN) & (ys[:, None] != known)].sum()
        print(f"  barred pairs get {sent:.1e}")
        data = dict(x_source=xs, y_source=ys, x_target=xt, y_target=known, entropy=entropy)
        yield dict(kind="labelled", **data, expected=dict(plan=plan, mapped=ns * plan @ xt))


def lengths(plan, ys):
    return np.array([np.sqrt((plan[ys == c] ** 2).sum(axis=0)) for c in range(ys.max() + 1)])


def group_sparse(cost, ys, entropy, strength):
    """The plan with the group lasso: damped fixed point, then the conditions of the minimum are looked at."""
    plan = scaled(cost, entropy)
    pull = plan / lengths(plan, ys)[ys]
    damping = 1 / (1 + strength / entropy)
    for _ in range(5000):
        before, plan = plan, scaled(cost + strength * pull, entropy)
        now = plan / lengths(plan, ys)[ys]
        change = np.abs(now - pull).max()
        pull = pull + damping * (now - pull)
        if change < 1e-13:
            break
    slope = cost + entropy * np.log(plan) + strength * plan / lengths(plan, ys)[ys]
    corners = slope - slope[:1] - slope[:, :1] + slope[0, 0]
    agree(corners, 0, 1e-9, "the conditions of the minimum")
    return plan


def by_conditional_gradient(cost, ys, entropy, strength):
    """POT's loop with the entropy in the objective that its steps are chosen by."""

    def f(plan):
        return strength * lengths(plan, ys).sum() + entropy * (plan * np.log(plan)).sum()

    def df(plan):
        return strength * plan / lengths(plan, ys)[ys]

    def inner(a, b, slope, **_):
        return scaled(slope, entropy), {}

    def search(cost_of, plan, way, slope, now, df_now, **_):
        slope = slope + entropy * (1 + np.log(plan))
        return ot.optim.line_search_armijo(cost_of, plan, way, slope, now)

    n, m = cost.shape
    return ot.optim.generic_conditional_gradient(
        uniform(n), uniform(m), cost, f, df, 1.0, None, inner, search, numItermax=300, stopThr=1e-15, stopThr2=1e-15
    )


def classes(rng):
    sizes = [(18, 18, 3, 0.1, 0.01, 0), (16, 23, 2, 0.05, 0.1, 0), (20, 14, 3, 0.05, 0.2, 3)]
    for ns, nt, d, entropy, strength, every in sizes:
        xs, ys, xt, yt = problem(rng, ns, nt, d)
        known = some_labels(rng, yt, every) if every else np.full(nt, UNKNOWN)
        cost, most = costs_of(xs, xt)
        limited = barred(cost, ys, known) / most
        plan = group_sparse(limited, ys, entropy, strength)
        agree(plan, by_conditional_gradient(limited, ys, entropy, strength), 1e-5, "conditional gradients")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            adapter = ot.da.SinkhornL1l2Transport(
                entropy, strength, max_iter=50, max_inner_iter=20000, tol=1e-14, norm="max", limit_max=10
            ).fit(Xs=xs, ys=ys, Xt=xt, yt=known)
        gap = np.abs(adapter.coupling_ - plan).max() * ns * nt
        print(f"  POT's group lasso is off by {gap:.1e} of a mean entry (strength {strength}, entropy {entropy})")
        if strength <= entropy / 10:
            agree(adapter.coupling_, plan, 1e-6, "SinkhornL1l2Transport")
        data = dict(x_source=xs, y_source=ys, x_target=xt, y_target=known, entropy=entropy, strength=strength)
        yield dict(kind="group-lasso", **data, expected=dict(plan=plan, mapped=ns * plan @ xt))

        adapter = ot.da.SinkhornLpl1Transport(
            entropy, strength, max_iter=6, max_inner_iter=100000, tol=1e-14, norm="max", limit_max=10
        ).fit(Xs=xs, ys=ys, Xt=xt, yt=known)
        weights = np.zeros((ns, nt))
        for _ in range(6):
            plan = scaled(limited + strength * weights, entropy)
            mass = np.array([plan[ys == c].sum(axis=0) for c in range(3)])
            weights = (0.5 * (mass + 1e-3) ** -0.5)[ys]
        agree(adapter.coupling_, plan, 1e-9, "SinkhornLpl1Transport")
        agree(adapter.transform(Xs=xs), ns * plan @ xt, 1e-7, "its map")
        yield dict(kind="lp-l1", rounds=6, **data, expected=dict(plan=plan, mapped=ns * plan @ xt))


def unbalanced(rng):
    sizes = [(18, 18, 3, 0.1, 0.1, 0), (15, 22, 2, 0.05, 1.0, 0), (20, 13, 3, 0.01, 0.3, 0), (14, 14, 2, 0.002, 1.0, 0)]
    for ns, nt, d, entropy, relaxation, every in sizes + [(16, 20, 3, 0.05, 0.2, 3)]:
        xs, ys, xt, yt = problem(rng, ns, nt, d)
        known = some_labels(rng, yt, every) if every else np.full(nt, UNKNOWN)
        cost, most = costs_of(xs, xt)
        limited = barred(cost, ys, known) / most
        f, g, share = np.zeros(ns), np.zeros(nt), relaxation / (relaxation + entropy)
        for _ in range(200000):
            before = f
            f = -share * entropy * logsumexp((g - limited) / entropy - np.log(nt), axis=1)
            g = -share * entropy * logsumexp((f[:, None] - limited) / entropy - np.log(ns), axis=0)
            if np.abs(f - before).max() < 1e-16:
                break
        plan = np.exp((f[:, None] + g - limited) / entropy) / (ns * nt)
        # The conditions of the minimum: the price of a row is λ times the logarithm of what it keeps back.
        agree(f, -relaxation * np.log(ns * plan.sum(axis=1)), 1e-9, "the prices of the source rows")
        agree(g, -relaxation * np.log(nt * plan.sum(axis=0)), 1e-9, "the prices of the target rows")
        mapped = plan @ xt / plan.sum(axis=1, keepdims=True)
        if entropy >= 0.01:  # below, POT's plain loop underflows and its stabilised one does not come back finite
            adapter = ot.da.UnbalancedSinkhornTransport(
                entropy, relaxation, max_iter=300000, tol=1e-15, norm="max", limit_max=10
            ).fit(Xs=xs, ys=ys, Xt=xt, yt=known)
            agree(adapter.coupling_, plan, 1e-9, "UnbalancedSinkhornTransport")
            agree(adapter.transform(Xs=xs), mapped, 1e-6, "its map")
        data = dict(x_source=xs, y_source=ys, x_target=xt, y_target=known, entropy=entropy, relaxation=relaxation)
        yield dict(kind="unbalanced", **data, expected=dict(plan=plan, mapped=mapped))


def laplace(rng):
    sizes = [(18, 18, 3, 1.0, 0.5, "knn", 3), (14, 21, 2, 20.0, 1.0, "knn", 2), (20, 13, 3, 5.0, 0.3, "gauss", 1.5)]
    for ns, nt, d, strength, share, similarity, parameter in sizes:
        xs, _, xt, _ = problem(rng, ns, nt, d)
        settings = dict(similarity=similarity, similarity_param=parameter, tol=0, inner_tol=0)
        for steps in (1, 12):
            adapter = ot.da.EMDLaplaceTransport(reg_lap=strength, reg_src=share, max_iter=steps, **settings)
            plan = adapter.fit(Xs=xs, Xt=xt).coupling_
            agree(plan.sum(axis=1), 1 / ns, 1e-12, "the masses sent")
            agree(plan.sum(axis=0), 1 / nt, 1e-12, "the masses received")
            mapped, origins = ns * plan @ xt, nt * plan.T @ xs
            agree(adapter.transform(Xs=xs), mapped, 1e-9, "EMDLaplaceTransport")
            data = dict(x_source=xs, x_target=xt, strength=strength, source_share=share, steps=steps)
            data |= dict(similarity=similarity, parameter=parameter)
            yield dict(kind="laplace", **data, expected=dict(mapped=mapped, received=origins))


def transported_labels(rng):
    for ns, nt, d, entropy in [(18, 18, 3, 0), (14, 21, 2, 0), (20, 13, 3, 0.05)]:
        xs, ys, xt, _ = problem(rng, ns, nt, d)
        values = np.round(xs @ rng.normal(size=d) + 1, 6)
        cost, most = costs_of(xs, xt)
        if entropy == 0:
            plan = transport_by_linear_programme(uniform(ns), uniform(nt), cost)[1]
        else:
            plan = scaled(cost / most, entropy)
        shares, means = nt * plan.T @ np.eye(3)[ys], nt * plan.T @ values
        # skada's numbers, before it takes the largest share
        reg = entropy * most if entropy else None
        for y, expected in [(ys.astype(float), None), (values, means)]:
            x, y_all, domains = source_target_merge(xs, xt, y, np.full(nt, np.nan if expected is not None else -1))
            adapter = OTLabelPropAdapter(reg=reg, n_iter_max=100000)
            if expected is not None:
                adapter.fit_transform(x, y_all, domains)
                agree(adapter.yht_continuous_, means, 1e-4 if entropy else 1e-9, "OTLabelPropAdapter, values")
        data = dict(x_source=xs, y_source=ys, values=values, x_target=xt, entropy=entropy)
        yield dict(kind="transported-labels", **data, expected=dict(shares=shares, means=means))


def jdot(rng):
    """Plans and predictors in turns, a fixed number of rounds."""
    sizes = [(18, 18, 3, 0.5, 1.0, None), (14, 21, 2, 0.3, 0.2, None), (20, 13, 3, 0.6, 0.5, 1.5)]
    for ns, nt, d, share, penalty, bandwidth in sizes:
        xs, ys, xt, _ = problem(rng, ns, nt, d)
        values = xs @ rng.normal(size=d) + np.sin(2 * xs[:, 0])
        values = np.round((values - values.mean()) / values.std(), 6)
        x_new = blobs(rng, np.zeros(6, int), d, means=xt.mean(axis=0)[None])
        signs = np.where(np.eye(3)[ys] == 1, 1.0, -1.0)
        near = costs_of(xs, xt)[0]
        near /= near.mean()
        for goal, sends in [("value", values[:, None]), ("classes", signs)]:
            unit = values.var() if goal == "value" else 1.0
            for rounds in (1, 4) if ns == 18 else (3,):
                cost = (1 - share) * near
                for _ in range(rounds):
                    plan = ot.emd(uniform(ns), uniform(nt), cost)
                    least, again = transport_by_linear_programme(uniform(ns), uniform(nt), cost)
                    agree(plan, again, 1e-10, "emd")
                    wanted = nt * plan.T @ sends
                    if bandwidth is None:
                        model = Ridge(alpha=penalty, solver="cholesky").fit(xt, wanted)
                        said, new = model.predict(xt).reshape(nt, -1), model.predict(x_new).reshape(6, -1)
                    else:
                        kernel, across = (rbf_kernel(x, xt, gamma=0.5 / bandwidth**2) for x in (xt, x_new))
                        one = np.ones((nt, 1))
                        system = np.block([[kernel + penalty * np.eye(nt), one], [one.T, np.zeros((1, 1))]])
                        solution = np.linalg.solve(system, np.r_[wanted, np.zeros((1, wanted.shape[1]))])
                        said, new = kernel @ solution[:-1] + solution[-1], across @ solution[:-1] + solution[-1]
                    cost = (1 - share) * near + share / unit * ((sends[:, None] - said) ** 2).sum(axis=2)
                if goal == "value" and bandwidth is None:
                    base = Ridge(alpha=penalty, solver="cholesky")
                    with warnings.catch_warnings():
                        warnings.simplefilter("ignore")
                        model = solve_jdot_regression(
                            base, xs, values, xt, alpha=share, n_iter_max=rounds, tol=0
                        )[0]
                    agree(model.predict(x_new), new[:, 0], 1e-6, "solve_jdot_regression")
                data = dict(x_source=xs, y_source=ys, values=values, x_target=xt, x_new=x_new, goal=goal)
                data |= dict(loss_share=share, penalty=penalty, bandwidth=bandwidth, rounds=rounds)
                yield dict(kind="jdot", **data, expected=dict(cost=least, said=new))


def main():
    rng = np.random.default_rng(7105)
    cases = []
    for part in [linear, labelled, classes, unbalanced, laplace, transported_labels, jdot]:
        cases += list(part(rng))
        print(f"{part.__name__}: {len(cases)} cases so far")
    for case in cases:  # shares of a mass of 1: 12 decimals hold them
        case["expected"] = {name: np.round(value, 12) for name, value in case["expected"].items()}
    by_class = ["group-lasso", "lp-l1", "transported-labels", "jdot"]
    write(
        "transport_variants",
        "Transport methods on squared Euclidean costs with equal masses; y_target is -1 where unknown. linear: "
        "ot.da.LinearTransport. labelled: EMDTransport and SinkhornTransport with limit_max=10. unbalanced: "
        "UnbalancedSinkhornTransport, and in logarithms. laplace: EMDLaplaceTransport after some steps.",
        [case for case in cases if case["kind"] not in by_class],
    )
    write(
        "transport_classes",
        "As transport_variants.json, where source labels enter. group-lasso: the minimum, by conditional gradients and by "
        "its conditions (POT's SinkhornL1l2Transport reaches it where strength is small). lp-l1: SinkhornLpl1Transport. "
        "transported-labels: the shares and means that skada's OTLabelPropAdapter starts from. jdot: emd and "
        "scikit-learn's Ridge in turns, or kernel ridge with a constant; skada's solve_jdot_regression for the values.",
        [case for case in cases if case["kind"] in by_class],
    )


if __name__ == "__main__":
    main()
