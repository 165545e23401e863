"""Maximum likelihood of a process, over the logarithms of its parameters, which are all positive."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from scipy import special

from insiders.units import FITTED_DIGITS, round_off
from insiders.value.lifetime.optimum import Loss, descend, settle
from insiders.value.lifetime.processes import Array, Histories, Process

BOUNDS = (-12.0, 6.0)  # of a parameter's logarithm; beyond them the data do not tell values apart
LIKELIHOOD_DECIMALS = 3  # of a log-likelihood near its maximum, where descents still differ in the fifth
TIMES = frozenset({"alpha", "beta"})  # parameters that are times


def log_likelihood(process: Process, parameters: Array, h: Histories, count: Array) -> tuple[float, Array]:
    """Of `count` customers with each history; the second value is its gradient."""
    r, alpha = parameters[:2]
    terms = process.terms(parameters, h)
    either = np.logaddexp(terms.active, terms.gone)
    active = np.exp(terms.active - either)
    value = special.gammaln(r + h.repeats) - special.gammaln(r) + r * np.log(alpha) + either
    gradient = active * terms.d_active + (1 - active) * terms.d_gone
    gradient[0] += special.digamma(r + h.repeats) - special.digamma(r) + np.log(alpha)
    gradient[1] += r / alpha
    return float((count * value).sum()), (count * gradient).sum(axis=1)


class ProcessFit:
    """The fit of a process to `count` customers with each history, in two steps: near the maximum, and at it.

    Times are in units of the longest tenure and the likelihood is per customer: all figures are of the order of 1.
    """

    def __init__(self, process: Process, h: Histories, count: Array) -> None:
        self.names, self.count, self.repeats = tuple(process.starts[0]), count, h.repeats
        self.unit = float(h.tenure.max())
        scaled = Histories(h.repeats, h.last / self.unit, h.tenure / self.unit)
        self.loss = loss_of_logs(lambda point: log_likelihood(process, point, scaled, count), count.sum())
        self.near = near(self.loss, process.starts)

    def log_likelihood(self, logs: Array) -> float:
        """At a point near the maximum, for times as they were given."""
        value = -self.loss(logs)[0] * self.count.sum() - (self.count * self.repeats).sum() * np.log(self.unit)
        return round(float(value), LIKELIHOOD_DECIMALS)

    def maximum(self) -> Array:
        """Logarithms of the parameters."""
        return settle(self.loss, self.near, *BOUNDS)

    def parameters(self, logs: Array) -> dict[str, float]:
        """In the unit of the times that were given."""
        scales = [self.unit if name in TIMES else 1.0 for name in self.names]
        return dict(zip(self.names, round_off(np.exp(logs) * scales, FITTED_DIGITS).tolist(), strict=True))


def fit_process(process: Process, h: Histories, count: Array) -> tuple[dict[str, float], float]:
    """The parameters, in the unit of the times given, and the log-likelihood of `count` customers with each history."""
    fit = ProcessFit(process, h, count)
    best = fit.maximum()
    return fit.parameters(best), fit.log_likelihood(best)


def loss_of_logs(likelihood: Callable[[Array], tuple[float, Array]], size: float) -> Loss:
    """Turn a log-likelihood of positive parameters into a loss of their logarithms, per each of `size` customers."""

    def loss(logs: Array) -> tuple[float, Array]:
        value, gradient = likelihood(np.exp(logs))
        return -value / size, -gradient * np.exp(logs) / size

    return loss


def near(loss: Loss, starts: Sequence[Mapping[str, float]]) -> Array:
    """A point near the lowest loss, from any of the starts (parameters, not logarithms)."""
    return descend(loss, [np.log(list(start.values())) for start in starts], *BOUNDS)
