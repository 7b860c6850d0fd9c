"""Makes trees.json: what scikit-learn's trees and forests answer.

Usage, in the environment that make.py asks for:

    python make_trees.py

Features are multiples of 1/64, which scikit-learn's 32-bit floats hold exactly, so thresholds agree to the last
bit. A case is kept only where no node has two equally good splits: the best split and the runner-up are
recomputed from the definition at every node, which also is the second way to each expected tree.
"""


import numpy as np
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from make import agree, write

LEAF = 4.5  # the least weight of a leaf; no sum of weights comes near it


def impurity(y, w, classes):
    if classes:
        share = np.bincount(y, weights=w, minlength=classes) / w.sum()
        return 1.0 - (share**2).sum()
    mean = w @ y / w.sum()
    return w @ (y - mean) ** 2 / w.sum()


def splits(x, y, w, classes, leaf):
    """Every admissible split (weighted impurity left behind, column, threshold), best first."""
    found = []
    for j in range(x.shape[1]):
        values = np.unique(x[:, j])
        for a, b in zip(values[:-1], values[1:]):
            left = x[:, j] <= a
            if min(w[left].sum(), w[~left].sum()) < leaf:
                continue
            rest = sum(w[s].sum() * impurity(y[s], w[s], classes) for s in (left, ~left))
            found.append((rest, j, a / 2 + b / 2))
    return sorted(found)


def check_tree(tree, x, y, w, classes, leaf, depth):
    """Whether the tree is the greedy one and no node had a tie."""
    def visit(node, rows, level):
        xs, ys, ws = x[rows], y[rows], w[rows]
        pure = impurity(ys, ws, classes) < 1e-14
        found = [] if pure or (depth is not None and level == depth) else splits(xs, ys, ws, classes, leaf)
        if tree.children_left[node] < 0:
            assert not found
            return True
        if not found:  # all but pure: who stops here is a matter of rounding
            return False
        scale = ws.sum() * impurity(ys, ws, classes)
        if len(found) > 1 and found[1][0] - found[0][0] < 1e-9 * scale:
            return False
        assert found[0][1] == tree.feature[node] and found[0][2] == tree.threshold[node]
        left = xs[:, found[0][1]] <= found[0][2]
        return visit(tree.children_left[node], rows[left], level + 1) and visit(
            tree.children_right[node], rows[~left], level + 1
        )

    return visit(0, np.arange(len(y)), 0)


def data(rng, n, d, classes, spread=1.3):
    x = rng.normal(0, spread, (n, d))
    score = x[:, 0] + 0.7 * x[:, 1] * x[:, 2] + rng.normal(0, 0.6, n)
    if classes:
        y = np.digitize(score, np.quantile(score, np.arange(1, classes) / classes))
    else:
        y = np.round(score, 6)
    return np.round(x * 64) / 64, y


def tree_cases():
    cases, seed = [], 0
    for classes in (2, 4, 0):
        for weighted, depth, leaf in ((False, 3, LEAF), (True, 3, LEAF), (True, None, 12.3)):
            while True:
                seed += 1
                rng = np.random.default_rng(seed)
                x, y = data(rng, 90, 4, classes)
                w = np.round(rng.uniform(0.2, 3.0, len(y)), 6) if weighted else np.ones(len(y))
                make = DecisionTreeClassifier if classes else DecisionTreeRegressor
                model = make(max_depth=depth, min_weight_fraction_leaf=leaf / w.sum(), random_state=0)
                model.fit(x, y, sample_weight=w)
                if check_tree(model.tree_, x, y, w, classes, leaf, depth):
                    break
            x_test = np.round(data(rng, 20, 4, classes)[0] * 64) / 64
            tree = model.tree_
            values = tree.value[:, 0, :]
            if classes:
                agree(values[0], np.bincount(y, weights=w) / w.sum(), 1e-12, "the root's shares")
                expected = model.predict_proba(x_test)
            else:
                expected = model.predict(x_test)[:, None]
            inner = tree.children_left >= 0
            cases.append({
                "kind": "tree", "classes": classes, "depth": depth, "leaf_weight": leaf,
                "x": x, "y": y, "weights": w, "x_test": x_test,
                "expected": {
                    "column": np.where(inner, tree.feature, -1),
                    "threshold": np.where(inner, tree.threshold, 0.0),
                    "left": np.where(inner, tree.children_left, 0),
                    "right": np.where(inner, tree.children_right, 0),
                    "values": values, "impurity": tree.impurity, "weight": tree.weighted_n_node_samples,
                    "answers": expected,
                },
            })
    return cases


def forest_cases():
    """A forest's error over many seeds: its mean and the standard error of that mean."""
    cases = []
    for classes in (3, 0):
        rng = np.random.default_rng(77 + classes)
        x, y = data(rng, 120, 4, classes)
        x_test, y_test = data(rng, 200, 4, classes)
        errors, spreads = [], []
        for seed in range(20):
            if classes:
                model = RandomForestClassifier(100, max_features="sqrt", random_state=seed).fit(x, y)
                said = model.predict_proba(x_test)
                errors.append((model.predict(x_test) != y_test).mean())
                spreads.append(said.max(axis=1).mean())
            else:
                model = RandomForestRegressor(100, max_features=1, random_state=seed).fit(x, y)
                said = model.predict(x_test)
                errors.append(((said - y_test) ** 2).mean())
                spreads.append(said.std())
        cases.append({
            "kind": "forest", "classes": classes, "x": x, "y": y, "x_test": x_test, "y_test": y_test,
            "expected": {
                "error": [np.mean(errors), np.std(errors, ddof=1)],
                "spread": [np.mean(spreads), np.std(spreads, ddof=1)],
            },
        })
    return cases


if __name__ == "__main__":
    about = (
        "Decision trees node by node, and of random forests the error and the mean confidence (classes) or the "
        "standard deviation of the answers (numbers): mean and standard deviation over 20 seeds."
    )
    write("trees", about, tree_cases() + forest_cases())
