"""How often 90 % intervals hold the parameters from which customers were drawn, by the model's own process.

    python benchmarks/value_recovery.py [--shops N] [--customers N]

Customers buy as a negative binomial process with dropout or without, and spend by Gamma-Gamma; value.py estimates the
parameters. An interval is the estimate and 1.64 standard errors to either side, over the logarithm of the parameter;
the errors come from the curvature of the log-likelihood at its maximum (the inverse of the observed information).
"""

import argparse
from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray
from scipy import special

from insiders.value import lifetime

Array = NDArray[np.float64]
Truth = dict[str, dict[str, float]]

TRUTH: Truth = {
    "nbd": {"r": 0.8, "alpha": 80.0},
    "pareto_nbd": {"r": 0.8, "alpha": 40.0, "s": 0.9, "beta": 60.0},
    "spend": {"p": 2.5, "q": 3.5, "v": 400.0},
}
WIDTH = float(special.ndtri(0.95))
STEP = 1e-4  # of a logarithm, for the curvature
DAYS = (60, 374)  # since a customer's first order


def intervals(gradient: Callable[[Array], Array], found: Array) -> tuple[Array, Array]:
    """Ends of the parameters' intervals, from the gradient of the log-likelihood over their logarithms."""
    logs = np.log(found)
    steps = STEP * np.eye(len(logs))
    information = -np.array([(gradient(logs + step) - gradient(logs - step)) / (2 * STEP) for step in steps])
    errors = np.sqrt(np.diag(np.linalg.inv((information + information.T) / 2)))
    return np.exp(logs - WIDTH * errors), np.exp(logs + WIDTH * errors)


def orders(name: str, customers: int, rng: np.random.Generator) -> lifetime.Histories:
    truth = TRUTH[name]
    rate = rng.gamma(truth["r"], 1 / truth["alpha"], customers)
    seen = rng.integers(*DAYS, customers).astype(float)
    lives = rng.exponential(1 / rng.gamma(truth["s"], 1 / truth["beta"], customers)) if "s" in truth else seen
    active = np.minimum(lives, seen)
    repeats = rng.poisson(rate * active).astype(float)
    latest = active * rng.random(customers) ** (1 / np.maximum(repeats, 1))  # the largest of so many uniform times
    return lifetime.Histories(repeats, np.where(repeats > 0, latest, 0.0), seen)


def held_orders(name: str, customers: int, rng: np.random.Generator) -> Array:
    """Which of the parameters of the process lie in their interval."""
    process, h = lifetime.PROCESSES[name], orders(name, customers, rng)
    count = np.ones(customers)
    found = np.array(list(lifetime.fit_process(process, h, count)[0].values()))

    def gradient(logs: Array) -> Array:
        return lifetime.log_likelihood(process, np.exp(logs), h, count)[1] * np.exp(logs)

    return _held(intervals(gradient, found), name)


def held_spend(customers: int, rng: np.random.Generator) -> Array:
    truth = TRUTH["spend"]
    n = 1.0 + rng.poisson(3, customers)
    spend = rng.gamma(truth["p"] * n) / rng.gamma(truth["q"], 1 / truth["v"], customers) / n
    found = lifetime.fit_spend(n, spend)

    def likelihood(logs: Array) -> float:
        """Fader and Hardie 2013, equation 1a."""
        p, q, v = np.exp(logs)
        each = q * np.log(v) + p * n * np.log(n * spend) - (p * n + q) * np.log(v + n * spend)
        return float((each - special.betaln(p * n, q)).sum())

    def gradient(logs: Array) -> Array:
        return np.array([likelihood(logs + step) - likelihood(logs - step) for step in STEP * np.eye(3)]) / (2 * STEP)

    return _held(intervals(gradient, np.array([found.p, found.q, found.v])), "spend")


def _held(ends: tuple[Array, Array], name: str) -> Array:
    low, high = ends
    truth = np.array(list(TRUTH[name].values()))
    return ((low <= truth) & (truth <= high)).astype(float)


def recovered(shops: int, customers: int, first: int = 1) -> Iterator[tuple[str, str, float]]:
    """Process, parameter, and the share of the shops whose interval held it."""
    for name, truth in TRUTH.items():
        draws = (np.random.default_rng(seed) for seed in range(first, first + shops))
        held = [held_spend(customers, rng) if name == "spend" else held_orders(name, customers, rng) for rng in draws]
        yield from zip([name] * len(truth), truth, np.mean(held, axis=0).tolist(), strict=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shops", type=int, default=200)
    parser.add_argument("--customers", type=int, default=1500)
    asked = parser.parse_args()
    for name, parameter, share in recovered(asked.shops, asked.customers):
        print(f"{name:11}{parameter:6} within its 90 % interval in {share:.2f} of {asked.shops} shops", flush=True)


if __name__ == "__main__":
    main()
