"""Times one fit and prediction of a peer, for `run`:

    python peers.py DATA LABELLED PEER TIMES OUT

does for the peer what src/main.rs does for Juyi: prints {"seconds": [...], "kib": ..., "notices": [...]} and leaves its
answers as plain doubles in OUT. A peer is a function from the data to its answers; what it imports is loaded before.
Where target rows are labelled it is given their labels, those of the first rows, as well. Peers of the package adapt
stand in peers_adapt.py.
"""

import json
import sys
import time
import warnings
from functools import partial
from pathlib import Path

import numpy as np
import ot
import scipy.linalg
from scipy.sparse.linalg import LinearOperator, eigsh
from skada import CORALAdapter, KMMReweightAdapter, SubspaceAlignmentAdapter, make_da_pipeline
from skada import DensityReweightAdapter, DiscriminatorReweightAdapter, GaussianReweightAdapter, JDOTRegressor
from skada import KLIEPReweightAdapter, NearestNeighborReweightAdapter, OTLabelPropAdapter
from skada import TransferComponentAnalysisAdapter, TransferJointMatchingAdapter
from skada._ot import JDOTClassifier
from skada._self_labeling import DASVMClassifier
from sklearn.decomposition import PCA
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.linear_model import LogisticRegression, Ridge, RidgeClassifier
from sklearn.metrics.pairwise import rbf_kernel
from sklearn.neighbors import KernelDensity, KNeighborsClassifier
from sklearn.preprocessing import FunctionTransformer, Normalizer
from sklearn.semi_supervised import LabelPropagation, LabelSpreading, SelfTrainingClassifier
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

import problem


# ------------------------------------------------------------------------------------------ learners


def nearest():
    return KNeighborsClassifier(n_neighbors=1, algorithm="brute")


def logistic():
    return LogisticRegression(C=1.0, tol=problem.LOGISTIC_TOLERANCE, max_iter=10000)


def weighted_logistic():
    return logistic().set_fit_request(sample_weight=True)


def weighted_ridge():
    """A learner that takes next to no time, so that the weighting is what is timed."""
    return RidgeClassifier(alpha=1.0).set_fit_request(sample_weight=True)


# A peer returns its predictions, and a function that gives what else is to be compared, after the clock has stopped.


def nearest_after(source, ys, target):
    """One nearest neighbour on rows that a method has moved."""
    return nearest().fit(source, ys).predict(target), lambda: dict(source=source, target=target)


# --------------------------------------------------------------------------------- plain scikit-learn


def sklearn_nearest(xs, ys, xt):
    return nearest_after(xs, ys, xt)


def sklearn_logistic(xs, ys, xt):
    model = logistic().fit(xs, ys)
    return model.predict(xt), lambda: dict(coefficients=model.coef_.T, bias=model.intercept_)


def sklearn_pca(xs, ys, xt):
    pca = PCA(n_components=problem.COMPONENTS, svd_solver="covariance_eigh").fit(np.r_[xs, xt])
    return nearest_after(pca.transform(xs), ys, pca.transform(xt))


def trained(model, xs, ys, xt):
    return model.fit(xs, ys).predict(xt), dict


def sklearn_tree(xs, ys, xt):
    return trained(DecisionTreeClassifier(min_samples_leaf=5, random_state=0), xs, ys, xt)


def sklearn_tree_values(xs, ys, xt):
    return trained(DecisionTreeRegressor(min_samples_leaf=5, random_state=0), xs, ys, xt)


def sklearn_forest(xs, ys, xt):
    return trained(RandomForestClassifier(100, n_jobs=-1, random_state=0), xs, ys, xt)


def sklearn_forest_values(xs, ys, xt):
    return trained(RandomForestRegressor(100, max_features=1 / 3, n_jobs=-1, random_state=0), xs, ys, xt)


def on_both(model, xs, ys, xt):
    """A semi-supervised method: target rows are rows without a label."""
    return model.fit(np.r_[xs, xt], np.r_[ys, np.full(len(xt), -1)]).predict(xt), dict


def on_graph(model, xs, ys, xt):
    # What it says of rows that it has not seen is what is timed, as on our side; what it says of its own is compared.
    said, _ = on_both(model, xs, ys, xt)
    return said, lambda: dict(predictions=model.transduction_[len(xs) :])


def sklearn_propagation(xs, ys, xt):
    gamma = 1 / (2 * problem.REACH**2)
    return on_graph(LabelPropagation(gamma=gamma, max_iter=10_000, tol=1e-3), xs, ys, xt)


def sklearn_spreading(xs, ys, xt):
    gamma = 1 / (2 * problem.REACH**2)
    return on_graph(LabelSpreading(gamma=gamma, alpha=0.2, max_iter=10_000, tol=1e-3), xs, ys, xt)


def sklearn_self_training(xs, ys, xt):
    return on_both(SelfTrainingClassifier(logistic(), threshold=0.75, max_iter=10), xs, ys, xt)


# --------------------------------------------------------------------------------------------- skada


def skada(xs, ys, xt, *steps):
    """Fits a pipeline on the rows of both domains and the source's labels, predicts the target, as skada's users do."""
    pipe, apart = make_da_pipeline(*steps), np.full(len(xt), -2)
    labels = np.r_[ys, np.full(len(xt), -1)]
    pipe.fit(np.r_[xs, xt], labels, sample_domain=np.r_[np.ones(len(xs), int), apart])
    predictions = pipe.predict(xt, sample_domain=apart)

    def learned():
        last, adapter = pipe[-1].base_estimator_, pipe[-2].base_estimator_
        if isinstance(last, KNeighborsClassifier):
            return dict(source=last._fit_X, target=pipe[:-1].transform(xt, sample_domain=apart))
        if isinstance(adapter, Weighed):
            return dict(weights=adapter.weights_of_mean_one_)
        if isinstance(adapter, OTLabelPropAdapter):
            return dict(taken=adapter.yht_)
        domains = adapter.domain_classifier_
        return dict(domain_coefficients=domains.coef_, domain_bias=domains.intercept_)

    return predictions, learned


class Weighed:
    """Weights scaled to mean 1 before the learner sees them, as ours are."""

    def compute_weights(self, X, y=None, *, sample_domain=None, **named):
        weights = super().compute_weights(X, y, sample_domain=sample_domain, **named)
        source = sample_domain >= 0
        self.weights_of_mean_one_ = weights[source] / weights[source].mean()
        weights[source] = self.weights_of_mean_one_
        return weights


class Kmm(Weighed, KMMReweightAdapter):
    pass


class Kliep(Weighed, KLIEPReweightAdapter):
    pass


class Gaussian(Weighed, GaussianReweightAdapter):
    pass


class Density(Weighed, DensityReweightAdapter):
    pass


class Nearest(Weighed, NearestNeighborReweightAdapter):
    pass


class TurnedOver(DiscriminatorReweightAdapter):
    """skada 0.6.0 weighs a source row by p(source) / p(target), which is the wrong way round: one over that."""

    def compute_weights(self, *arguments, **named):
        weights = super().compute_weights(*arguments, **named)
        source = weights > 0
        weights[source] = 1 / weights[source]
        weights[source] /= weights[source].mean()
        return weights


def skada_tca(xs, ys, xt, kernel, stretch):
    # Its pencil (I + mu K L K, K H K) is ours divided by lambda, with our norm of M.
    mu = 1 / (problem.STRENGTH * (1 / len(xs) + 1 / len(xt)))
    adapter = TransferComponentAnalysisAdapter(kernel=kernel, n_components=problem.COMPONENTS, mu=mu)
    return skada(xs, ys, xt, Normalizer(), FunctionTransformer(stretch), adapter, Normalizer(), nearest())


def skada_tca_linear(xs, ys, xt):
    return skada_tca(xs, ys, xt, "linear", None)


def skada_tca_rbf(xs, ys, xt):
    # Its kernel is exp(-|x - y|^2 / columns), whatever one asks for: the rows are stretched to have ours.
    return skada_tca(xs, ys, xt, "rbf", lambda x: (problem.GAMMA * x.shape[1]) ** 0.5 * x)


def skada_coral(xs, ys, xt):
    return skada(xs, ys, xt, CORALAdapter(reg=None), nearest())


def skada_subspace(xs, ys, xt):
    adapter = SubspaceAlignmentAdapter(n_components=problem.COMPONENTS, random_state=0)
    return skada(xs, ys, xt, adapter, nearest())


def skada_kmm(xs, ys, xt):
    gamma = 1 / (2 * problem.BANDWIDTH**2)
    return skada(xs, ys, xt, Kmm(gamma=gamma, B=problem.BOUND), weighted_logistic())


def skada_discriminative(xs, ys, xt):
    return skada(xs, ys, xt, TurnedOver(logistic()), weighted_logistic())


def skada_kliep(xs, ys, xt):
    adapter = Kliep(gamma=1 / (2 * problem.BANDWIDTH**2), random_state=0)
    return skada(xs, ys, xt, adapter, weighted_ridge())


def skada_gaussian(xs, ys, xt):
    return skada(xs, ys, xt, Gaussian(), weighted_ridge())


def skada_density(xs, ys, xt):
    return skada(xs, ys, xt, Density(KernelDensity(bandwidth=problem.BANDWIDTH)), weighted_ridge())


def skada_nearest(xs, ys, xt):
    return skada(xs, ys, xt, Nearest(algorithm="brute", laplace_smoothing=True), weighted_ridge())


def skada_tjm(xs, ys, xt):
    adapter = TransferJointMatchingAdapter(
        n_components=problem.COMPONENTS, tradeoff=problem.STRENGTH, kernel="linear", max_iter=1
    )
    return skada(xs, ys, xt, adapter, nearest())


def skada_transported_labels(xs, ys, xt):
    return skada(xs, ys, xt, OTLabelPropAdapter(n_iter_max=10_000_000), logistic())


def skada_jdot(xs, ys, xt):
    model = JDOTRegressor(Ridge(alpha=1.0), alpha=0.5, n_iter_max=problem.JDOT_ROUNDS, tol=0)
    return estimated(model, xs, ys, xt, np.nan)


def skada_jdot_classes(xs, ys, xt):
    model = JDOTClassifier(logistic(), alpha=0.5, n_iter_max=problem.JDOT_ROUNDS, tol=0)
    return estimated(model, xs, ys, xt, -1)


def skada_dasvm(xs, ys, xt):
    # As many rows in and out a round as ours, a tenth of those of a side; it fails in a round that has none left.
    return estimated(DASVMClassifier(SVC(), k=max(1, len(xs) // 20), max_iter=10), xs, ys, xt, -1)


def estimated(model, xs, ys, xt, unknown):
    """A method that is a predictor itself."""
    model.fit(np.r_[xs, xt], np.r_[ys, np.full(len(xt), unknown)], sample_domain=np.repeat([1, -2], [len(xs), len(xt)]))
    return model.predict(xt), dict


# ----------------------------------------------------------------------------------------------- POT


def transported(xs, ys, xt, solve):
    n, m = len(xs), len(xt)
    plan = solve(np.full(n, 1 / n), np.full(m, 1 / m), ot.dist(xs, xt))
    return nearest_after(n * plan @ xt, ys, xt)


def pot_exact(xs, ys, xt):
    return transported(xs, ys, xt, lambda a, b, cost: ot.emd(a, b, cost, numItermax=10_000_000))


def pot_sinkhorn(xs, ys, xt, entropy, method):
    def solve(a, b, cost):
        rounds = dict(numItermax=100_000, stopThr=problem.MASSES_OFF)
        return ot.sinkhorn(a, b, cost, entropy * cost.max(), method=method, **rounds)

    return transported(xs, ys, xt, solve)


def pot_adapter(adapter, xs, ys, xt):
    """One of the classes of ot.da."""
    return nearest_after(adapter.fit(Xs=xs, ys=ys, Xt=xt).transform(Xs=xs), ys, xt)


def pot_linear(xs, ys, xt):
    return pot_adapter(ot.da.LinearTransport(reg=0.01), xs, ys, xt)


def pot_group_lasso(xs, ys, xt):
    rounds = dict(max_iter=20, max_inner_iter=1000, tol=1e-9)
    return pot_adapter(ot.da.SinkhornL1l2Transport(0.1, 0.01, norm="max", **rounds), xs, ys, xt)


def pot_lp_l1(xs, ys, xt):
    rounds = dict(max_iter=10, max_inner_iter=10_000, tol=1e-6)
    return pot_adapter(ot.da.SinkhornLpl1Transport(0.05, 0.1, norm="max", **rounds), xs, ys, xt)


def pot_laplace(xs, ys, xt):
    settings = dict(similarity="knn", similarity_param=3, max_iter=5, tol=0, inner_tol=0, max_inner_iter=10_000_000)
    return pot_adapter(ot.da.EMDLaplaceTransport(reg_lap=1.0, reg_src=0.5, **settings), xs, ys, xt)


def pot_unbalanced(xs, ys, xt):
    adapter = ot.da.UnbalancedSinkhornTransport(0.05, 0.1, norm="max", max_iter=10_000, tol=1e-9)
    return pot_adapter(adapter, xs, ys, xt)


# ------------------------------------------------------- our own algorithm, as one writes it in numpy


def unit_rows(x):
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def mean_difference(xs, xt):
    return np.r_[np.full(len(xs), 1 / len(xs)), np.full(len(xt), -1 / len(xt))]


def numpy_tca_linear(xs, ys, xt):
    x, e = unit_rows(np.r_[xs, xt]), mean_difference(xs, xt)
    u, s, _ = np.linalg.svd(x, full_matrices=False)
    p = (u * s**2)[:, s > 1e-5 * s[0]]
    centred, w, r = p - p.mean(axis=0), p.T @ e, p.shape[1]
    penalty = np.outer(w, w) / (e @ e) + problem.STRENGTH * np.eye(r)
    top = [r - problem.COMPONENTS, r - 1]
    _, a = scipy.linalg.eigh(centred.T @ centred, penalty, subset_by_index=top)
    z = unit_rows(p @ (a / np.linalg.norm(a, axis=0)))
    return nearest_after(z[: len(xs)], ys, z[len(xs) :])


def numpy_tca_rbf(xs, ys, xt):
    x, e = unit_rows(np.r_[xs, xt]), mean_difference(xs, xt)
    k = rbf_kernel(x, gamma=problem.GAMMA)
    centred, w = k - k.mean(axis=0), k @ e
    # (lambda I + w w' / |e|^2)^(-1/2)
    plain, length = problem.STRENGTH**-0.5, w @ w
    factor = ((problem.STRENGTH + length / (e @ e)) ** -0.5 - plain) / length
    root = lambda q: plain * q + factor * w * (w @ q)
    operator = LinearOperator(k.shape, lambda q: root(centred.T @ (centred @ root(q))), dtype=float)
    start = np.random.default_rng(0).normal(size=len(k))
    _, q = eigsh(operator, k=problem.COMPONENTS, which="LA", tol=1e-10, v0=start)
    a = np.apply_along_axis(root, 0, q)
    z = unit_rows(k @ (a / np.linalg.norm(a, axis=0)))
    return nearest_after(z[: len(xs)], ys, z[len(xs) :])


STARTS = ("sklearn_", "skada_", "pot_", "numpy_")
PEERS = {name: peer for name, peer in globals().items() if name.startswith(STARTS) and callable(peer)}
for _method in ("sinkhorn", "sinkhorn_log"):
    for _entropy in problem.ENTROPIES:
        PEERS[f"pot_{_method}_{_entropy}"] = partial(pot_sinkhorn, entropy=_entropy, method=_method)


# --------------------------------------------------------------------------------------------- timing


def memory(line):
    """A line of the process's memory in KiB."""
    status = Path("/proc/self/status").read_text()
    return int(next(text for text in status.splitlines() if text.startswith(line)).split()[1])


def main():
    data, labelled, name, times, out = sys.argv[1:]
    labelled, times, out = int(labelled), int(times), Path(out)
    if name.startswith("adapt_"):
        from peers_adapt import PEERS as others

        PEERS.update(others)
    peer = PEERS[name]
    xs, ys, xt, yt = problem.read(Path(data))
    own = [yt[:labelled]] if labelled else []
    peer(xs[:200], ys[:200], xt[:200], *own)  # loads code and starts threads
    Path("/proc/self/clear_refs").write_text("5")  # the peak is counted from here on
    before, seconds, answers = memory("VmRSS:"), [], None
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        while len(seconds) < times and sum(seconds) < problem.ENOUGH:
            answers = None
            start = time.perf_counter()
            answers = peer(xs, ys, xt, *own)
            seconds.append(time.perf_counter() - start)
            if len(seconds) == 1:
                kib = max(0, memory("VmHWM:") - before)
    predictions, learned = answers
    out.mkdir(parents=True, exist_ok=True)
    for name, values in (dict(predictions=predictions) | learned()).items():
        np.asarray(values, "<f8").tofile(out / f"{name}.f64")
    notices = sorted({str(warning.message) for warning in caught})
    print(json.dumps(dict(seconds=seconds, kib=kib, notices=notices)))


if __name__ == "__main__":
    main()
