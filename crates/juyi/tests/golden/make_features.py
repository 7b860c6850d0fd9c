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
from sklearn.linear_model import Ridge

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
        ridge = 1e-5 + 1e-12 * np.diag(e_q).max()
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


# ------------------------------------------------------------------------------------------- main


def main():
    rng = np.random.default_rng(20260401)
    cases = [
        feda_case(rng, [14], 12, 5, 3),
        feda_case(rng, [9, 7, 4], 10, 3, 4),
        msda_case(rng, 12, 9, 5, 0.5, 3),
        msda_case(rng, 6, 5, 14, 0.8, 1),
    ]
    content = {"about": __doc__.split("\n")[0], "made_by": "make_features.py", "versions": VERSIONS,
               "cases": plain(cases)}
    text = json.dumps(content, separators=(",", ":"), allow_nan=False) + "\n"
    (HERE / "features.json").write_text(text, encoding="ascii", newline="\n")
    print(f"features.json: {len(cases)} cases, {len(text)} bytes")


if __name__ == "__main__":
    main()
