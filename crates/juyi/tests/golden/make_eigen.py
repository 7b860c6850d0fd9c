"""Makes the golden values of the mapping methods that are eigenproblems: eigen_*.json beside this file.

Usage, in the environment of make.py (numpy 2.4.6, scipy 1.17.1, scikit-learn 1.9.1, ...):

    python make_eigen.py                # writes every file
    python make_eigen.py gfk tjm        # writes eigen_gfk.json and eigen_tjm.json only

The layout of the files is that of make.py. No package has these methods as published, so each is computed here from the
published equations as they stand, n x n matrices and all, where the library works in reduced coordinates; and each is checked
a second way before it is written.
"""

import sys

import numpy as np
import scipy.linalg
from make import agree, nearest_label, shifted, spread_labels, unit_rows, write
from sklearn.decomposition import PCA
from sklearn.metrics.pairwise import rbf_kernel
from sklearn.neighbors import NearestNeighbors


def kernel_matrix(kernel, x, gamma):
    return rbf_kernel(x, gamma=gamma) if kernel == "rbf" else x @ x.T


def centring(n):
    return np.eye(n) - np.ones((n, n)) / n


def leading(b, a, k):
    """The k leading eigenvectors of b w = mu a w, of length 1; stops where the next value is close."""
    values, w = scipy.linalg.eigh(b, a)
    values, w = values[::-1], w[:, ::-1][:, :k]
    gaps = values[:k] - values[1 : k + 1]
    assert gaps.min() > 1e-3 * values[k - 1] > 0, "eigenvalues too close"
    agree(b @ w, a @ w * values[:k], 1e-7 * np.abs(b).max(), "the eigenproblem")
    return w / np.linalg.norm(w, axis=0)


def data(rng, ns, nt, d, classes, shift=1.0):
    ys, yt = spread_labels(rng, ns, classes), spread_labels(rng, nt, classes)
    xs, xt = shifted(rng, ys, yt, d, shift=shift)
    return xs, ys, xt, yt


def difference(ns, nt):
    return np.r_[np.ones(ns) / ns, -np.ones(nt) / nt]


def gram(zs, zt):
    z = np.r_[zs, zt]
    return z @ z.T


# ------------------------------------------------------------------------------------------------ pca


def pca():
    rng = np.random.default_rng(901)
    cases = []
    for ns, nt, d, components in [(12, 10, 5, 2), (7, 6, 20, 4)]:
        xs, ys, xt, _ = data(rng, ns, nt, d, 3)
        pooled = np.r_[xs, xt]
        z = PCA(components, svd_solver="full").fit_transform(pooled)
        _, s, vt = np.linalg.svd(pooled - pooled.mean(axis=0), full_matrices=False)
        assert s[components] < 0.97 * s[components - 1]
        by_hand = (pooled - pooled.mean(axis=0)) @ vt[:components].T
        agree(z @ z.T, by_hand @ by_hand.T, 1e-9, "principal components")
        cases.append(dict(x_source=xs, y=ys, x_target=xt, components=components, expected=dict(gram=z @ z.T)))
    write("eigen_pca", "scikit-learn PCA of source rows above target rows; gram: Z Z'.", cases)


# ------------------------------------------------------------------------------------------------ gfk


def gfk():
    """The integral over the geodesic by Gauss-Legendre quadrature, against the block form of Gong et al.."""
    rng = np.random.default_rng(902)
    nodes, weights = np.polynomial.legendre.leggauss(60)
    nodes, weights = (nodes + 1) / 2, weights / 2
    cases = []
    for ns, nt, d, k in [(14, 12, 8, 3), (9, 7, 20, 4), (15, 12, 5, 4), (30, 25, 6, 1)]:
        xs, ys, xt, _ = data(rng, ns, nt, d, 3)
        bases = []
        for x in (xs, xt):
            _, s, vt = np.linalg.svd(x - x.mean(axis=0), full_matrices=False)
            assert k == len(s) or s[k] < 0.97 * s[k - 1], "values too close"
            bases.append(vt[:k].T)
        ps, pt = bases
        u, cosines, vt = np.linalg.svd(ps.T @ pt)
        theta = np.arccos(np.clip(cosines, -1, 1))
        a = ps @ u
        assert theta.min() > 1e-2 or 2 * k > d
        sines = np.where(theta > 1e-6, np.sin(theta), 1)
        q = (pt @ vt.T - a * np.cos(theta)) / sines
        q[:, theta <= 1e-6] = 0
        g = sum(
            w * (phi @ phi.T)
            for t, w in zip(nodes, weights)
            for phi in [a * np.cos(t * theta) + q * np.sin(t * theta)]
        )
        s = 2 * np.maximum(theta, 1e-12)
        b1, b2, b4 = 1 + np.sin(s) / s, (1 - np.cos(s)) / s, 1 - np.sin(s) / s
        block = 0.5 * (a * b1 @ a.T + a * b2 @ q.T + q * b2 @ a.T + q * b4 @ q.T)
        agree(g, block, 1e-10, "the two forms of the kernel")
        x = np.r_[xs, xt]
        cases.append(dict(x_source=xs, y=ys, x_target=xt, components=k, expected=dict(gram=x @ g @ x.T)))
    about = (
        "Geodesic flow kernel of the first k principal directions of each domain about its mean: gram = X G X', source rows "
        "first, G the integral of Phi(t) Phi(t)' by 60 nodes of Gauss-Legendre quadrature; the closed form of Gong et al. 2012 "
        "gives the same."
    )
    write("eigen_gfk", about, cases)


# ------------------------------------------------------------------------------------------------ tjm


def tjm():
    rng = np.random.default_rng(903)
    cases = []
    for kernel, gamma, ns, nt, d, k, strength, rounds in [
        ("linear", None, 15, 12, 6, 3, 1.0, 6),
        ("linear", None, 9, 8, 25, 4, 0.3, 4),
        ("linear", None, 20, 6, 5, 2, 1.0, 10),
        ("rbf", 1.0, 14, 12, 5, 3, 0.1, 6),
    ]:
        xs, ys, xt, _ = data(rng, ns, nt, d, 3)
        n = ns + nt
        kk = kernel_matrix(kernel, unit_rows(np.r_[xs, xt]), gamma)
        e = difference(ns, nt)
        m = np.outer(e, e) / np.linalg.norm(np.outer(e, e))
        g = np.ones(n)
        for _ in range(rounds):
            penalty = kk @ m @ kk + strength * np.diag(g)
            a = leading(kk @ centring(n) @ kk, penalty, k)
            # The same as a standard eigenproblem, by another solver.
            values, other = scipy.linalg.eig(np.linalg.solve(penalty, kk @ centring(n) @ kk))
            other = np.real(other[:, np.argsort(-np.real(values))[:k]])
            agree(np.abs(np.sum(a * other / np.linalg.norm(other, axis=0), axis=0)), 1, 1e-6, "eigenvectors")
            g[:ns] = 1 / np.linalg.norm(a, axis=1)[:ns]
        z = kk @ a
        labels = nearest_label(z[:ns], ys, z[ns:])
        inputs = {"kernel": kernel, "gamma": gamma, "components": k, "lambda": strength, "iterations": rounds}
        inputs |= dict(x_source=xs, y=ys, x_target=xt, expected=dict(predictions=labels, gram=z @ z.T))
        cases.append(inputs)
    about = (
        "Transfer joint matching as in Long et al. 2014 on rows of unit length: (K M K + lambda G) a = phi K H K a, n x n, smallest "
        "phi, |a| = 1, G_ii = 1 / |A_i| on source rows; gram: Z Z' of Z = K A, source rows first."
    )
    write("eigen_tjm", about, cases)


# ----------------------------------------------------------------------------------------------- jgsa


def jgsa():
    rng = np.random.default_rng(904)
    cases = []
    for kernel, gamma, ns, nt, d, k, alpha, mu, beta, rounds in [
        ("primal", None, 15, 13, 6, 3, 1.0, 1.0, 0.1, 5),
        ("primal", None, 10, 9, 25, 3, 0.5, 2.0, 1.0, 3),
        ("linear", None, 15, 13, 6, 3, 1.0, 1.0, 0.1, 5),
        ("rbf", 0.1, 14, 12, 5, 3, 1.0, 1.0, 0.1, 5),
    ]:
        xs, ys, xt, _ = data(rng, ns, nt, d, 3)
        x, n = np.r_[xs, xt], ns + nt
        if kernel == "primal":
            p, eye = x, np.eye(d)
        else:
            p = eye = centring(n) @ kernel_matrix(kernel, x, gamma) @ centring(n)
            # In the range of the kernel matrix: outside of it both sides of the eigenproblem are 0 but for the 1e-9.
            values, u = np.linalg.eigh(p)
            u = u[:, values > 1e-10 * values[-1]]
            p, eye = p @ u, u.T @ eye @ u
        ps, pt = p[:ns], p[ns:]
        r, classes = p.shape[1], np.unique(ys)
        sw = sum(ps[ys == c].T @ centring((ys == c).sum()) @ ps[ys == c] for c in classes)
        sb = sum((ys == c).sum() * np.outer(v, v) for c in classes for v in [ps[ys == c].mean(0) - ps.mean(0)])
        agree(sw + sb, ps.T @ centring(ns) @ ps, 1e-8, "the scatters")
        st = pt.T @ centring(nt) @ pt if kernel == "primal" else pt.T @ pt
        y = nearest_label(xs, ys, xt)
        for _ in range(rounds):
            m = len(classes) * np.outer(difference(ns, nt), difference(ns, nt))
            norm = np.linalg.norm(m)
            for c in classes:
                e = np.r_[(ys == c) / (ys == c).sum(), -1.0 * (y == c) / max((y == c).sum(), 1)]
                m = m + np.outer(e, e)
            m = m / norm
            blocks = [[ps.T @ m[:ns, :ns] @ ps, ps.T @ m[:ns, ns:] @ pt], [pt.T @ m[ns:, :ns] @ ps, pt.T @ m[ns:, ns:] @ pt]]
            blocks[0][0] = blocks[0][0] + alpha * eye + beta * sw
            blocks[0][1] = blocks[0][1] - alpha * eye
            blocks[1][0] = blocks[1][0] - alpha * eye
            blocks[1][1] = blocks[1][1] + (alpha + mu) * eye
            w = leading(scipy.linalg.block_diag(beta * sb, mu * st), np.block(blocks) + 1e-9 * np.eye(2 * r), k)
            zs, zt = ps @ w[:r], pt @ w[r:]
            y = nearest_label(zs, ys, zt)
        inputs = dict(kernel=kernel, gamma=gamma, components=k, alpha=alpha, mu=mu, beta=beta, iterations=rounds)
        inputs |= dict(x_source=xs, y=ys, x_target=xt, expected=dict(predictions=y, gram=gram(zs, zt)))
        cases.append(inputs)
    about = (
        "Joint geometrical and statistical alignment, Zhang et al. 2017 as it stands with the centred kernel matrix for "
        "linear and rbf, 1e-9 I beside S_min and |w| = 1; pseudo-labels by 1-NN, the first on the rows as they are; gram: Z Z', "
        "source rows first."
    )
    write("eigen_jgsa", about, cases)


# ------------------------------------------------------------------------------------------------ bda


def bda():
    rng = np.random.default_rng(905)
    cases = []
    for kernel, gamma, weighted, balance, ns, nt, d, k, strength, rounds in [
        ("primal", None, False, 0.5, 15, 13, 6, 3, 0.1, 5),
        ("primal", None, True, 0.3, 15, 13, 6, 3, 0.1, 5),
        ("linear", None, True, 0.9, 16, 12, 5, 3, 1.0, 4),
        ("rbf", 1.0, False, 0.2, 14, 12, 5, 3, 0.1, 4),
    ]:
        xs, ys, xt, _ = data(rng, ns, nt, d, 3)
        x, n, classes = unit_rows(np.r_[xs, xt]), ns + nt, np.unique(ys)
        p = x.T if kernel == "primal" else kernel_matrix(kernel, x, gamma)
        y = None
        for _ in range(rounds):
            e = difference(ns, nt)
            m = np.outer(e, e)
            if y is not None:
                m = (1 - balance) * len(classes) * m
                for c in classes:
                    share_s, share_t = ((ys == c).mean(), (y == c).mean()) if weighted else (1, 1)
                    of_s, of_t = (ys == c) / (ys == c).sum(), (y == c) / max((y == c).sum(), 1)
                    e = np.r_[np.sqrt(share_s) * of_s, -np.sqrt(share_t) * of_t]
                    m = m + balance * np.outer(e, e)
            m = m / np.linalg.norm(m)
            a = leading(p @ centring(n) @ p.T, p @ m @ p.T + strength * np.eye(len(p)), k)
            z = unit_rows(p.T @ a)
            y = nearest_label(z[:ns], ys, z[ns:])
        inputs = {"kernel": kernel, "gamma": gamma, "weighted": weighted, "balance": balance, "components": k}
        inputs |= {"lambda": strength, "iterations": rounds, "x_source": xs, "y": ys, "x_target": xt}
        cases.append(inputs | {"expected": dict(predictions=y, gram=z @ z.T)})
    about = (
        "Balanced distribution adaptation, Wang et al. 2017, on rows of unit length: M = (1 - balance) C e e' + balance sum_c e_c e_c' "
        "of norm 1, made anew in each round, weighted by the roots of the class shares where asked; |a| = 1; rows of Z to unit "
        "length; gram: Z Z', source rows first."
    )
    write("eigen_bda", about, cases)


# ----------------------------------------------------------------------------------------------- mida


def mida():
    rng = np.random.default_rng(906)
    cases = []
    for kernel, gamma, parts, nt, d, k, mu, strength in [
        ("linear", None, [14], 12, 6, 3, 1.0, 0.0),
        ("linear", None, [8, 7], 10, 20, 3, 1.0, 0.5),
        ("rbf", 0.05, [9, 8], 10, 5, 3, 2.0, 0.5),
    ]:
        ns = sum(parts)
        xs, ys, xt, _ = data(rng, ns, nt, d, 3)
        n = ns + nt
        domains = np.repeat(np.eye(len(parts) + 1), parts + [nt], axis=0)
        kk = kernel_matrix(kernel, np.hstack([np.r_[xs, xt], domains]), gamma)
        known = np.zeros((n, n))
        known[:ns, :ns] = ys[:, None] == ys[None]
        h = centring(n)
        value = kk @ h @ (mu * np.eye(n) - domains @ domains.T + strength * known) @ h @ kk
        values, w = np.linalg.eigh((value + value.T) / 2)
        values, w = values[::-1], w[:, ::-1][:, :k]
        assert (values[:k] - values[1 : k + 1]).min() > 1e-3 * values[k - 1] > 0
        # The dependence on the domain by its definition.
        z = kk @ w
        other = mu * np.trace(z.T @ h @ z) - np.trace(z @ z.T @ h @ domains @ domains.T @ h)
        other += strength * np.trace(z @ z.T @ h @ known @ h)
        agree(values[:k].sum() / other, 1, 1e-9, "the objective")
        inputs = dict(kernel=kernel, gamma=gamma, parts=parts, components=k, mu=mu, labels=strength)
        inputs |= dict(x_source=xs, y=ys, x_target=xt, expected=dict(gram=z @ z.T))
        cases.append(inputs)
    about = (
        "Maximum independence domain adaptation, Yan et al. 2018 with n x n matrices: K of rows augmented by an "
        "indicator a source (of parts rows each) and one for the target; gram: Z Z' of Z = K W, source rows first."
    )
    write("eigen_mida", about, cases)


# ------------------------------------------------------------------------------- semi-supervised tca


def semi_supervised_tca():
    rng = np.random.default_rng(907)
    cases = []
    for kernel, gamma, ns, nt, d, k, strength, labels, manifold, neighbors in [
        ("primal", None, 15, 12, 6, 3, 0.1, 0.5, 100.0, 3),
        ("linear", None, 14, 12, 20, 3, 1.0, 0.9, 50.0, 2),
        ("rbf", 1.0, 14, 12, 5, 3, 0.1, 0.3, 100.0, 3),
        ("primal", None, 12, 12, 5, 3, 0.1, 0.5, 0.0, 3),
    ]:
        xs, ys, xt, _ = data(rng, ns, nt, d, 3)
        x, n = unit_rows(np.r_[xs, xt]), ns + nt
        p = x.T if kernel == "primal" else kernel_matrix(kernel, x, gamma)
        distances = np.linalg.norm(x[:, None] - x[None], axis=2)
        flat = np.sort(distances[np.tril_indices(n, -1)])
        width = flat[len(flat) // 2]
        near = NearestNeighbors(n_neighbors=neighbors).fit(x).kneighbors_graph().toarray() > 0
        weights = np.where(near | near.T, np.exp(-(distances**2) / (2 * width**2)), 0)
        laplacian = np.diag(weights.sum(axis=1)) - weights
        known = np.zeros((n, n))
        known[:ns, :ns] = ys[:, None] == ys[None]
        e = difference(ns, nt)
        m = (np.outer(e, e) + manifold / n**2 * laplacian) / np.linalg.norm(np.outer(e, e))
        h = centring(n)
        value = p @ h @ (labels * known + (1 - labels) * np.eye(n)) @ h @ p.T
        a = leading(value, p @ m @ p.T + strength * np.eye(len(p)), k)
        z = unit_rows(p.T @ a)
        inputs = dict(kernel=kernel, gamma=gamma, components=k, mu=strength, labels=labels, manifold=manifold)
        inputs |= dict(neighbors=neighbors, x_source=xs, y=ys, x_target=xt, expected=dict(gram=z @ z.T))
        cases.append(inputs)
    about = (
        "Semi-supervised transfer component analysis, Pan et al. 2011, section V, with n x n matrices on rows of unit length; M and "
        "lambda / n^2 L over |e e'|, the graph's width the median distance; rows of Z to unit length; gram: Z Z', source rows first."
    )
    write("eigen_semi_supervised_tca", about, cases)


SUBJECTS = [pca, gfk, tjm, jgsa, bda, mida, semi_supervised_tca]

if __name__ == "__main__":
    for subject in SUBJECTS:
        if len(sys.argv) == 1 or subject.__name__ in sys.argv[1:]:
            subject()
