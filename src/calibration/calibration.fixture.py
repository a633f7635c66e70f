"""Makes calibration.fixture.json: metrics and repairs by scikit-learn, netcal and SciPy, on drawn over-confident predictions.

    pip install numpy scipy scikit-learn netcal && python src/calibration/calibration.fixture.py
"""
import json
import pathlib
import warnings

import netcal
import numpy as np
import scipy
import sklearn
from netcal.binning import HistogramBinning
from netcal.metrics import ECE, MCE
from scipy.optimize import minimize, minimize_scalar
from scipy.special import gammaln, log_softmax
from sklearn.calibration import _SigmoidCalibration
from sklearn.isotonic import IsotonicRegression
from sklearn.metrics import brier_score_loss, log_loss

warnings.filterwarnings("ignore")
N, V, BINS = 300, 5, 15
draw = np.random.default_rng(9)


def predictions():
    """Targets drawn from the truth; what is predicted is twice as sharp, and off."""
    logits = draw.normal(0, 1.2, (N, V))
    truth = np.exp(log_softmax(logits, axis=1))
    targets = np.array([draw.choice(V, p=row) for row in truth])
    predicted = log_softmax(2 * logits + draw.normal(0, 0.3, V), axis=1)
    return np.round(predicted, 6), targets


log_probs, targets = predictions()
log_probs = log_softmax(log_probs, axis=1)
probs = np.exp(log_probs)
hot = np.eye(V)[targets]
confidence, correct = probs.max(1), (probs.argmax(1) == targets).astype(float)


def mass_error(p, y):
    """Sum over equally filled bins of |sum (y - p)|; item i of n lies in bin floor((i + 1/2) / n * BINS)."""
    order = np.argsort(p, kind="stable")
    places = ((np.arange(len(p)) + 0.5) / len(p) * BINS).astype(int)
    return sum(abs((y - p)[order][places == b].sum()) for b in range(BINS))


def width_error(p, y):
    places = np.minimum(BINS - 1, (p * BINS).astype(int))
    return sum(abs((y - p)[places == b].sum()) for b in range(BINS))


def adaptive():
    kept = [probs[:, v] > 0.01 for v in range(V)]
    return sum(mass_error(probs[k, v], hot[k, v]) for v, k in enumerate(kept)) / sum(k.sum() for k in kept)


def kolmogorov_smirnov():
    order = np.argsort(confidence)
    return np.abs(np.cumsum((correct - confidence)[order])).max() / N


metrics = {
    "nll": log_loss(targets, probs, labels=range(V)),
    "sharpness": scipy.stats.entropy(probs, axis=1).mean(),
    "brier": brier_score_loss(targets, probs, labels=range(V), scale_by_half=False),
    "accuracy": correct.mean(),
    "confidence": confidence.mean(),
    "ece": ECE(BINS).measure(probs, targets),
    "eceMass": mass_error(confidence, correct) / N,
    "mce": MCE(BINS).measure(probs, targets),
    "ks": kolmogorov_smirnov(),
    "adaptive": adaptive(),
    "classWise": sum(width_error(probs[:, v], hot[:, v]) for v in range(V)) / (N * V),
    "fullEce": width_error(probs.ravel(), hot.ravel()) / N,
}


def nll(scores):
    return -log_softmax(scores, axis=1)[np.arange(N), targets].sum()


def temperature():
    best = minimize_scalar(lambda b: nll(b * log_probs), bounds=(0.01, 100), method="bounded", options={"xatol": 1e-10})
    return 1 / best.x


def error(scores):
    return np.exp(log_softmax(scores, axis=1)) - hot


def vector(strength=1.0):
    def loss(x):
        w, b = x[:V], x[V:]
        e = error(w * log_probs + b)
        value = nll(w * log_probs + b) + strength / 2 * (((w - 1) ** 2).sum() + (b**2).sum())
        return value, np.concatenate([(e * log_probs).sum(0) + strength * (w - 1), e.sum(0) + strength * b])

    x = minimize(loss, np.r_[np.ones(V), np.zeros(V)], jac=True, method="L-BFGS-B", options=tight).x
    return {"factors": x[:V].tolist(), "shifts": x[V:].tolist()}


def matrix(off_diagonal=100.0, strength=1.0):
    prior = np.full((V, V), off_diagonal)
    np.fill_diagonal(prior, strength)

    def loss(x):
        W, b = x[: V * V].reshape(V, V), x[V * V :]
        z = log_probs @ W.T + b
        e = error(z)
        value = nll(z) + (prior * (W - np.eye(V)) ** 2).sum() / 2 + strength / 2 * (b**2).sum()
        return value, np.concatenate([(e.T @ log_probs + prior * (W - np.eye(V))).ravel(), e.sum(0) + strength * b])

    x = minimize(loss, np.r_[np.eye(V).ravel(), np.zeros(V)], jac=True, method="L-BFGS-B", options=tight).x
    return {"rows": x[: V * V].reshape(V, V).tolist(), "shifts": x[V * V :].tolist()}


tight = {"maxiter": 10000, "ftol": 1e-15, "gtol": 1e-10, "maxfun": 100000}
rest = np.log(np.where(np.arange(V) == probs.argmax(1)[:, None], 0, probs).sum(1))
top = np.log(confidence)


def platt():
    fitted = _SigmoidCalibration().fit(top - rest, correct)
    return {"slope": -fitted.a_, "intercept": -fitted.b_}


def beta():
    x = np.c_[top, -rest, np.ones(N)]

    def loss(w):
        s = x @ w
        return np.logaddexp(0, s).sum() - (correct * s).sum(), x.T @ (1 / (1 + np.exp(-s)) - correct)

    found = minimize(loss, [1, 1, 0], jac=True, method="L-BFGS-B", bounds=[(0, None), (0, None), (None, None)], options=tight)
    return dict(zip("abm", found.x.tolist()))


grid = np.linspace(0.2, 0.999, 41)


def histogram():
    return HistogramBinning(bins=BINS).fit(confidence, correct).transform(grid)


def isotonic():
    return IsotonicRegression(y_min=0, y_max=1, out_of_bounds="clip").fit(confidence, correct).predict(grid)


def bbq():
    order = np.argsort(confidence)
    c, y = confidence[order], correct[order]
    root = np.cbrt(N)
    logs, values = [], []
    for B in range(max(1, int(root / 10)), int(np.ceil(root * 10)) + 1):
        cuts = sorted({int(np.floor(b * N / B + 0.5)) for b in range(1, B)} - {0, N})
        inner = [(c[k - 1] + c[k]) / 2 for k in cuts]
        bounds = [0, *cuts, N]
        edges = [0, *inner, 1]
        used = len(bounds) - 1
        if B > used:
            continue
        score, shares = 0, []
        for b in range(used):
            m, n = y[bounds[b] : bounds[b + 1]].sum(), bounds[b + 1] - bounds[b]
            p = (edges[b] + edges[b + 1]) / 2
            alpha, bet, strength = 2 / used * p, 2 / used * (1 - p), 2 / used
            score += gammaln(strength) - gammaln(n + strength)
            score += gammaln(m + alpha) - gammaln(alpha) + gammaln(n - m + bet) - gammaln(bet)
            shares.append((m + alpha) / (n + strength))
        logs.append(score)
        values.append([shares[np.searchsorted(inner, g, side="right")] for g in grid])
    weights = np.exp(np.array(logs) - max(logs))
    return (weights / weights.sum()) @ np.array(values)


fixture = {
    "versions": {"numpy": np.__version__, "scipy": scipy.__version__, "scikit-learn": sklearn.__version__, "netcal": netcal.__version__},
    "classes": V,
    "bins": BINS,
    "logProbs": log_probs.ravel().tolist(),
    "targets": targets.tolist(),
    "metrics": {name: float(value) for name, value in metrics.items()},
    "temperature": temperature(),
    "vector": vector(),
    "matrix": matrix(),
    "platt": platt(),
    "beta": beta(),
    "grid": grid.tolist(),
    "histogram": histogram().tolist(),
    "isotonic": isotonic().tolist(),
    "bbq": bbq().tolist(),
}
path = pathlib.Path(__file__).with_name("calibration.fixture.json")
path.write_text(json.dumps(fixture) + "\n")
print(fixture["metrics"], fixture["temperature"], fixture["platt"], fixture["beta"])
