"""Times one fit and prediction of a peer, for `run`:

    python peers.py DATA PEER TIMES OUT

does for the peer what src/main.rs does for Juyi: prints {"seconds": [...], "kib": ..., "notices": [...]} and leaves its
answers as plain doubles in OUT. A peer is a function from the data to its answers; what it imports is loaded before.
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
from skada import DiscriminatorReweightAdapter, TransferComponentAnalysisAdapter
from sklearn.linear_model import LogisticRegression
from sklearn.metrics.pairwise import rbf_kernel
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import FunctionTransformer, Normalizer

import problem


# ------------------------------------------------------------------------------------------ learners


def nearest():
    return KNeighborsClassifier(n_neighbors=1, algorithm="brute")


def logistic():
    return LogisticRegression(C=1.0, tol=problem.LOGISTIC_TOLERANCE, max_iter=10000)


def weighted_logistic():
    return logistic().set_fit_request(sample_weight=True)


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
        if isinstance(adapter, OfMeanOne):
            return dict(weights=adapter.source_weights_)
        domains = adapter.domain_classifier_
        return dict(domain_coefficients=domains.coef_, domain_bias=domains.intercept_)

    return predictions, learned


class OfMeanOne(KMMReweightAdapter):
    """Kernel mean matching whose weights are scaled to mean 1 before the learner sees them, as ours are."""

    def compute_weights(self, *arguments, **named):
        return super().compute_weights(*arguments, **named) / self.source_weights_.mean()


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
    return skada(xs, ys, xt, OfMeanOne(gamma=gamma, B=problem.BOUND), weighted_logistic())


def skada_discriminative(xs, ys, xt):
    return skada(xs, ys, xt, TurnedOver(logistic()), weighted_logistic())


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


PEERS = [sklearn_nearest, sklearn_logistic, skada_tca_linear, skada_tca_rbf, skada_coral, skada_subspace]
PEERS += [skada_kmm, skada_discriminative, pot_exact, numpy_tca_linear, numpy_tca_rbf]
PEERS = {peer.__name__: peer for peer in PEERS}
for _method in ("sinkhorn", "sinkhorn_log"):
    for _entropy in problem.ENTROPIES:
        PEERS[f"pot_{_method}_{_entropy}"] = partial(pot_sinkhorn, entropy=_entropy, method=_method)


# --------------------------------------------------------------------------------------------- timing


def memory(line):
    """A line of the process's memory in KiB."""
    status = Path("/proc/self/status").read_text()
    return int(next(text for text in status.splitlines() if text.startswith(line)).split()[1])


def main():
    data, peer, times, out = Path(sys.argv[1]), PEERS[sys.argv[2]], int(sys.argv[3]), Path(sys.argv[4])
    xs, ys, xt, _ = problem.read(data)
    peer(xs[:200], ys[:200], xt[:200])  # loads code and starts threads
    Path("/proc/self/clear_refs").write_text("5")  # the peak is counted from here on
    before, seconds, answers = memory("VmRSS:"), [], None
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for _ in range(times):
            answers = None
            start = time.perf_counter()
            answers = peer(xs, ys, xt)
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
