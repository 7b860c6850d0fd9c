"""Makes validators.json: validators of candidates by NumPy and SciPy.

Usage, in the environment that make.py asks for:

    python make_validators.py

The diagonal of the similarities of soft neighbourhood density is set to -1 before they are divided by the temperature, as its
authors' code does; ours leaves it out, which differs by exp(-2 / temperature) at most.
"""

import numpy as np
from scipy.special import softmax
from scipy.stats import entropy

from make import write


def density(p, temperature):
    f = p / np.linalg.norm(p, axis=1, keepdims=True)
    similar = f @ f.T
    np.fill_diagonal(similar, -1)
    return entropy(softmax(similar / temperature, axis=1), axis=1).mean()


def main():
    cases = []
    for seed, (m, c) in enumerate([(12, 2), (30, 3), (25, 7)]):
        rng = np.random.default_rng(seed)
        p = softmax(rng.normal(0, 1.5, size=(m, c)), axis=1)
        if seed == 2:
            p[0] = np.eye(c)[3]  # entropies of certain rows are 0
        cases.append({
            "probabilities": p.tolist(),
            "expected": {
                "entropy": -entropy(p, axis=1).mean(),
                "information-maximization": entropy(p.mean(0)) - entropy(p, axis=1).mean(),
                "batch-nuclear-norm": np.linalg.norm(p, "nuc") / m,
                "soft-neighborhood-density": density(p, 0.05),
                "soft-neighborhood-density(temperature=0.1)": density(p, 0.1),
            },
        })
    write("validators", "scores of candidates by their probabilities for target rows", cases)


if __name__ == "__main__":
    main()
