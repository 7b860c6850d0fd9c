"""The rows of the table: a method of Juyi, its parameters and data, and the peers that solve the same problem."""

from dataclasses import dataclass, field
from typing import Callable

import problem
from agreement import *


@dataclass
class Peer:
    name: str
    label: str
    check: Callable
    floor: float | None = 1.0


@dataclass
class Row:
    """`labelled` target rows have their labels; `most` bounds the rows of a domain, where a peer is slow."""

    label: str
    problem: str
    method: str
    learner: str
    peers: list
    parameters: dict = field(default_factory=dict)
    data: str = "plain"
    labelled: int = 0
    most: int | None = None


def sinkhorn_row(entropy, *others):
    label = f"Sinkhorn transport, entropy {entropy:g}"
    peers = [Peer(f"pot_{name}_{entropy}", f"POT `{name}`", same_rows, floor) for name, floor in others]
    rounds = {"entropy": entropy, "tolerance": problem.MASSES_OFF, "iterations": 100_000}
    said = f"entropy {entropy:g} of the largest cost, until the masses are off by {problem.MASSES_OFF:g}; 1-NN"
    return Row(label, said, "sinkhorn", "1-nn", peers, rounds)


def row(label, said, method, learner, *peers, data="plain", labelled=0, most=None, **parameters):
    return Row(label, said, method, learner, [Peer(*peer) for peer in peers], parameters, data, labelled, most)


K, LAMBDA = problem.COMPONENTS, problem.STRENGTH
EMBEDDING = {"components": K, "regularization": LAMBDA}
WIDE, SOME = problem.BANDWIDTH, problem.LABELLED
WIDTH = (2 * problem.GAMMA) ** -0.5
ROWS = [
    Row(
        "TCA, linear kernel",
        f"unit rows, k = {K}, lambda = {LAMBDA:g}; 1-NN",
        "tca",
        "1-nn",
        [
            Peer("skada_tca_linear", "skada", other_problem, 100),
            Peer("numpy_tca_linear", "the same in numpy", same_gram, 10),
        ],
        EMBEDDING | {"kernel": "linear"},
    ),
    Row(
        "TCA, rbf kernel, exact",
        f"unit rows, gamma = {problem.GAMMA:g}, k = {K}, lambda = {LAMBDA:g}; 1-NN",
        "tca",
        "1-nn",
        [
            Peer("skada_tca_rbf", "skada", other_problem, 8),
            Peer("numpy_tca_rbf", "the same with scipy's `eigsh`", same_gram, None),
        ],
        EMBEDDING | {"kernel": "rbf", "bandwidth": WIDTH},
    ),
    Row(
        "KMM",
        f"bandwidth {problem.BANDWIDTH:g}, B = {problem.BOUND:g}, eps = (√n - 1) / √n; weighted logistic regression",
        "kmm",
        "logistic",
        [Peer("skada_kmm", "skada", same_matching, 5)],
        {"bandwidth": problem.BANDWIDTH, "bound": problem.BOUND},
    ),
    Row(
        "Exact transport",
        "squared distances, barycentric map; 1-NN",
        "exact-transport",
        "1-nn",
        [Peer("pot_exact", "POT `emd`", same_rows, 2)],
    ),
    sinkhorn_row(problem.ENTROPIES[0], ("sinkhorn", 5), ("sinkhorn_log", None)),
    sinkhorn_row(problem.ENTROPIES[1], ("sinkhorn", 5)),
    Row(
        "CORAL",
        "no shrinkage, domains centred beforehand; 1-NN",
        "coral",
        "1-nn",
        [Peer("skada_coral", "skada", same_rows, 8)],
        {"regularization": problem.RIDGE},
        "centred",
    ),
    Row(
        "Subspace alignment",
        f"k = {K}; 1-NN",
        "subspace-alignment",
        "1-nn",
        [Peer("skada_subspace", "skada", same_gram, 5)],
        {"components": K},
    ),
    Row(
        "Discriminative weighting",
        "C = 1; weighted logistic regression",
        "discriminative",
        "logistic",
        [Peer("skada_discriminative", "skada, its weights turned over", same_odds, 5)],
    ),
    Row("Logistic regression", "C = 1", "none", "logistic", [Peer("sklearn_logistic", "scikit-learn", same_logistic, 10)]),
    Row("1-NN", "Euclidean", "none", "1-nn", [Peer("sklearn_nearest", "scikit-learn, brute", same_rows, 1.5)]),
    row("KLIEP", "width 12, 100 centres; weighted ridge regression", "kliep", "ridge",
        ("adapt_kliep", "adapt", like_weights(0.3)),
        ("skada_kliep", "skada", like_weights(0.3)), bandwidth=WIDE),
    row("uLSIF", "width 12, penalty 0.1, 100 centres; weighted ridge regression", "ulsif", "ridge",
        ("adapt_ulsif", "adapt", like_weights(0.9)),
        bandwidth=WIDE, penalty=problem.PENALTY),
    row("RuLSIF", "width 12, penalty 0.1, alpha 0.1, 100 centres; weighted ridge regression", "rulsif", "ridge",
        ("adapt_rulsif", "adapt", like_weights(0.9)), bandwidth=WIDE, penalty=problem.PENALTY, mixture_share=0.1),
    row("Gaussian weighting", "shrinkage by Ledoit and Wolf; weighted ridge regression", "gaussian-ratio", "ridge",
        ("skada_gaussian", "skada, scaled to mean 1", weights_of())),
    row("Kernel density weighting", "width 12; weighted ridge regression", "kernel-density-ratio", "ridge",
        ("skada_density", "skada", weights_of()), bandwidth=WIDE),
    row("Nearest-neighbour weighting", "smoothed by 1; weighted ridge regression", "nearest-neighbor", "ridge",
        ("skada_nearest", "skada, scaled to mean 1", weights_of())),
    row("Nearest-neighbour weighting, counts", "not smoothed; weighted ridge regression", "nearest-neighbor",
        "ridge", ("adapt_nearest", "adapt", weights_of()), smoothing=0.0),
    row("Balanced weighting", "half of the weight; logistic regression", "balanced-weighting", "logistic",
        ("adapt_balanced", "adapt", same_linear(1e-2)), labelled=SOME, target_share=0.5),
    row("TrAdaBoost", "10 rounds of trees with leaves of 5", "tradaboost", "decision-tree",
        ("adapt_tradaboost", "adapt", other_algorithm), labelled=SOME, rounds=10),
    row("TrAdaBoost.R2", "10 rounds of trees with leaves of 5", "tradaboost-r2", "decision-tree",
        ("adapt_tradaboost_r2", "adapt", no_worse(0.05)), data="values", labelled=SOME, rounds=10),
    row("Two-stage TrAdaBoost.R2", "10 steps of 10 rounds, 5 folds, trees with leaves of 5", "two-stage-tradaboost-r2",
        "decision-tree", ("adapt_two_stage", "adapt", no_worse(0.05)), data="values", labelled=SOME, most=500,
        steps=10, rounds=10, folds=5),
    row("Biased regularisation, numbers", "ridge regression, penalty 1", "biased-regularization", "ridge",
        ("adapt_biased", "adapt", same_linear(3e-2)), data="values", labelled=SOME, penalty=1.0, loss="squares"),
    row("Biased regularisation, classes", "ridge regression on -1 and 1, penalty 1", "biased-regularization", "ridge",
        ("adapt_biased_classes", "adapt", same_linear(3e-2)), labelled=SOME, penalty=1.0, loss="squares"),
    row("SER, tree", "leaves of 5 in the source", "ser", "decision-tree",
        ("adapt_ser_tree", "adapt", no_worse(0.03)), labelled=SOME),
    row("SER, forest", "100 trees", "ser", "random-forest", ("adapt_ser_forest", "adapt", no_worse(0.03)),
        labelled=SOME, most=300),
    row("STRUT, tree", "leaves of 5 in the source", "strut", "decision-tree",
        ("adapt_strut_tree", "adapt", no_worse(0.03)), labelled=SOME),
    row("STRUT, forest", "100 trees", "strut", "random-forest", ("adapt_strut_forest", "adapt", no_worse(0.03)),
        labelled=SOME, most=300),
    row("TJM", f"unit rows, linear kernel, k = {K}, lambda = {LAMBDA:g}, 1 round; 1-NN", "tjm", "1-nn",
        ("skada_tjm", "skada", no_worse(0.03)), data="unit", most=1000, **EMBEDDING, iterations=1),
    row("f-MMD", "linear; columns of more than an even share dropped; 1-NN", "f-mmd", "1-nn",
        ("adapt_f_mmd", "adapt", same_columns), most=200, kernel="linear"),
    row("Feature augmentation", "logistic regression, C = 1", "feda", "logistic",
        ("adapt_feda", "adapt", same_linear(1e-2)), labelled=SOME),
    row("PRED", "ridge regression, penalty 1", "pred", "ridge", ("adapt_pred", "adapt", same_numbers(1e-6)),
        data="values", labelled=SOME),
    row("LinInt", "ridge regression, penalty 1", "lin-int", "ridge", ("adapt_lin_int", "adapt", no_worse(0.05)),
        data="values", labelled=SOME),
    row("PCA", f"k = {K}; 1-NN", "pca", "1-nn", ("sklearn_pca", "scikit-learn", same_gram), components=K),
    row("Linear transport", "ridge 0.01; 1-NN", "linear-transport", "1-nn", ("pot_linear", "POT", moved_to(1e-6)),
        regularization=0.01),
    row("Class transport, group lasso", "entropy 0.1, strength 0.01 of the largest cost; 1-NN", "class-transport",
        "1-nn", ("pot_group_lasso", "POT", moved_to(2e-2)), penalty="group-lasso", entropy=0.1, strength=0.01, tolerance=1e-9),
    row("Class transport, lp-l1", "entropy 0.05, strength 0.1 of the largest cost, 10 rounds; 1-NN", "class-transport",
        "1-nn", ("pot_lp_l1", "POT", moved_to(1e-3)), penalty="lp-l1", entropy=0.05, strength=0.1, rounds=10,
        tolerance=1e-6, iterations=10_000),
    row("Laplace transport", "3 neighbours, strength 1, 5 steps; 1-NN", "laplace-transport", "1-nn",
        ("pot_laplace", "POT", moved_to(1e-6)), strength=1.0, tolerance=0.0, iterations=5),
    row("Unbalanced transport", "entropy 0.05, relaxation 0.1 of the largest cost; 1-NN", "unbalanced-transport",
        "1-nn", ("pot_unbalanced", "POT", moved_to(1e-5)), entropy=0.05, relaxation=0.1, tolerance=1e-9),
    row("JDOT, numbers", "linear, 5 rounds, ridge regression", "jdot", "ridge",
        ("skada_jdot", "skada", same_numbers(1e-6)),
        data="values", form="linear", loss_share=0.5, penalty=1.0, tolerance=0.0, iterations=problem.JDOT_ROUNDS),
    row("JDOT, classes", "linear, 5 rounds", "jdot", "ridge", ("skada_jdot_classes", "skada", no_worse(0.03)),
        form="linear", loss_share=0.5, penalty=1.0, tolerance=0.0, iterations=problem.JDOT_ROUNDS),
    row("Transported labels", "exact plan; logistic regression", "transported-labels", "logistic",
        ("skada_transported_labels", "skada", most_labels(0.99))),
    row("DASVM", "two classes, Gaussian kernel, C = 1, a tenth of a side a round", "dasvm", "svm",
        ("skada_dasvm", "skada", no_worse(0.02)), data="binary", most=500, cost=1.0, rounds=10),
    row("Label propagation", f"width {problem.REACH:g}", "label-propagation", "1-nn",
        ("sklearn_propagation", "scikit-learn", most_labels(0.98)), bandwidth=problem.REACH),
    row("Label spreading", f"width {problem.REACH:g}, alpha 0.2", "label-spreading", "1-nn",
        ("sklearn_spreading", "scikit-learn", most_labels(0.99)), bandwidth=problem.REACH, spread=0.2),
    row("Self-training", "logistic regression, threshold 0.75, 10 rounds", "self-training", "logistic",
        ("sklearn_self_training", "scikit-learn", most_labels(0.99)), threshold=0.75, rounds=10),
    row("Decision tree", "leaves of 5", "none", "decision-tree", ("sklearn_tree", "scikit-learn", no_worse(0.03))),
    row("Decision tree, numbers", "leaves of 5", "none", "decision-tree",
        ("sklearn_tree_values", "scikit-learn", no_worse(0.02)), data="values"),
    row("Random forest", "100 trees", "none", "random-forest", ("sklearn_forest", "scikit-learn", no_worse(0.02))),
    row("Random forest, numbers", "100 trees, a third of the columns", "none", "random-forest",
        ("sklearn_forest_values", "scikit-learn", no_worse(0.03)), data="values"),
]
