"""The peers of the package adapt, for peers.py; apart from the others because adapt loads TensorFlow."""

import contextlib
import os

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import numpy as np
from adapt.feature_based import FA, PRED, fMMD
from adapt.instance_based import KLIEP, RULSIF, ULSIF, BalancedWeighting, NearestNeighborsWeighting
from adapt.instance_based import TrAdaBoost, TrAdaBoostR2, TwoStageTrAdaBoostR2
from adapt.parameter_based import LinInt, RegularTransferLC, RegularTransferLR
from adapt.parameter_based import TransferForestClassifier, TransferTreeClassifier
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression, Ridge, RidgeClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

import problem

QUIET = dict(verbose=0, random_state=0)
GAMMA = 1 / (2 * problem.BANDWIDTH**2)


def logistic():
    return LogisticRegression(C=1.0, tol=problem.LOGISTIC_TOLERANCE, max_iter=10000)


def tree():
    return DecisionTreeClassifier(min_samples_leaf=5, random_state=0)


def forest():
    return RandomForestClassifier(100, n_jobs=-1, random_state=0)


def weighed(method, xs, ys, xt):
    """A weighting method and then the learner, on weights of mean 1."""
    weights = method.fit_weights(xs, xt)
    weights = weights / weights.mean()
    return RidgeClassifier(alpha=1.0).fit(xs, ys, sample_weight=weights).predict(xt), lambda: dict(weights=weights)


def adapt_kliep(xs, ys, xt):
    return weighed(KLIEP(gamma=GAMMA, **QUIET), xs, ys, xt)


def adapt_ulsif(xs, ys, xt):
    return weighed(ULSIF(gamma=GAMMA, lambdas=problem.PENALTY, **QUIET), xs, ys, xt)


def adapt_rulsif(xs, ys, xt):
    return weighed(RULSIF(gamma=GAMMA, lambdas=problem.PENALTY, alpha=0.1, **QUIET), xs, ys, xt)


def adapt_nearest(xs, ys, xt):
    return weighed(NearestNeighborsWeighting(n_neighbors=1, algorithm="brute", **QUIET), xs, ys, xt)


def supervised(method, xs, ys, xt, yt):
    method.fit(xs, ys, Xt=xt[: len(yt)], yt=yt)
    return np.ravel(method.predict(xt))


def adapt_balanced(xs, ys, xt, yt):
    method = BalancedWeighting(logistic(), gamma=0.5, **QUIET)
    said = supervised(method, xs, ys, xt, yt)
    return said, lambda: dict(coefficients=method.estimator_.coef_.T, bias=method.estimator_.intercept_)


def adapt_feda(xs, ys, xt, yt):
    method = FA(logistic(), **QUIET)
    said = supervised(method, xs, ys, xt, yt)

    def learned():
        source, target, both = np.split(method.estimator_.coef_.T, 3)
        return dict(coefficients=np.r_[both, source, target], bias=method.estimator_.intercept_)

    return said, learned


def adapt_pred(xs, ys, xt, yt):
    return supervised(PRED(Ridge(alpha=1.0), **QUIET), xs, ys, xt, yt), dict


def adapt_lin_int(xs, ys, xt, yt):
    return supervised(LinInt(Ridge(alpha=1.0), **QUIET), xs, ys, xt, yt), dict


def adapt_tradaboost(xs, ys, xt, yt):
    method = TrAdaBoost(tree(), n_estimators=10, **QUIET)
    return supervised(method, xs, ys, xt, yt), dict


def regression_tree():
    return DecisionTreeRegressor(min_samples_leaf=5, random_state=0)


def adapt_tradaboost_r2(xs, ys, xt, yt):
    method = TrAdaBoostR2(regression_tree(), n_estimators=10, **QUIET)
    return supervised(method, xs, ys, xt, yt), dict


def adapt_two_stage(xs, ys, xt, yt):
    method = TwoStageTrAdaBoostR2(regression_tree(), n_estimators=10, n_estimators_fs=10, cv=5, **QUIET)
    return supervised(method, xs, ys, xt, yt), dict


def from_model(make, model, xs, ys, xt, yt, **settings):
    """A method that starts from a fitted source model."""
    method = make(model.fit(xs, ys), **settings, **QUIET)
    with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere):
        method.fit(xt[: len(yt)], yt)
    return method, np.ravel(method.predict(xt))


def linear_from_model(make, model, *data):
    method, said = from_model(make, model, *data)
    fitted = method.estimator_
    return said, lambda: dict(coefficients=np.atleast_2d(fitted.coef_).T, bias=np.ravel(fitted.intercept_))


def adapt_biased(xs, ys, xt, yt):
    return linear_from_model(RegularTransferLR, Ridge(alpha=1.0), xs, ys, xt, yt)


def adapt_biased_classes(xs, ys, xt, yt):
    return linear_from_model(RegularTransferLC, RidgeClassifier(alpha=1.0), xs, ys, xt, yt)


def adapt_ser_tree(xs, ys, xt, yt):
    return from_model(TransferTreeClassifier, tree(), xs, ys, xt, yt, algo="ser")[1], dict


def adapt_strut_tree(xs, ys, xt, yt):
    return from_model(TransferTreeClassifier, tree(), xs, ys, xt, yt, algo="strut")[1], dict


def adapt_ser_forest(xs, ys, xt, yt):
    return from_model(TransferForestClassifier, forest(), xs, ys, xt, yt, algo="ser")[1], dict


def adapt_strut_forest(xs, ys, xt, yt):
    return from_model(TransferForestClassifier, forest(), xs, ys, xt, yt, algo="strut")[1], dict


def adapt_f_mmd(xs, ys, xt):
    method = fMMD(kernel="linear", threshold=xs.shape[1] ** -0.5, **QUIET)
    source = method.fit_transform(xs, xt)
    target = method.transform(xt)
    said = KNeighborsClassifier(1, algorithm="brute").fit(source, ys).predict(target)
    return said, lambda: dict(source=source, target=target)


PEERS = {name: peer for name, peer in globals().items() if name.startswith("adapt_")}
