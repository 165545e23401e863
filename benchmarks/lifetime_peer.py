"""Lifetime value against a living peer, clvkit, on the CDNOW sample: parameters, likelihood, what each customer orders.

    python benchmarks/lifetime_peer.py

clvkit (BG/NBD and gamma-gamma by maximum likelihood) is no dependency: install it into an environment of its own that
also has this project.
"""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd
from clvkit import BGNBD, CustomerBase, GammaGamma
from numpy.typing import NDArray

from insiders.value import lifetime

CDNOW = Path(__file__).parents[1] / "tests" / "fixtures" / "cdnow.csv"
HORIZON = 39  # weeks ahead, as Fader and Hardie look


def main() -> None:
    sample = pd.read_csv(CDNOW, comment="#")
    people = sample.loc[sample.index.repeat(sample["customers"])].reset_index(drop=True)
    peers = as_the_peer_takes_them(people)
    histories = lifetime.Histories(*(people[name].to_numpy(float) for name in ("repeats", "last_week", "seen_week")))

    own, likelihood = lifetime.fit_process(lifetime.PROCESSES["bg_nbd"], histories, np.ones(len(people)))
    peer = BGNBD().fit(peers)
    print(f"BG/NBD of {len(people):,} customers: r, alpha, a, b, log-likelihood")
    print(f"  insiders  {written([*own.values(), likelihood])}")
    print(f"  clvkit    {written([*peer.params_, peer.log_likelihood_])}")

    ours, theirs = expected(own, histories), peer.predict(HORIZON).to_pandas().iloc[:, 0].to_numpy(float)
    print(f"orders expected in {HORIZON} weeks, all customers: {ours.sum():.2f} and {theirs.sum():.2f};")
    print(f"  of one customer they differ by {np.abs(ours - theirs).max():.0e} at most")

    buyers = people.query("repeats > 0")
    spend = lifetime.fit_spend(buyers["repeats"].to_numpy(float), buyers["mean_spend"].to_numpy(float))
    print("gamma-gamma of the repeat buyers' spend: p, q, v")
    print(f"  insiders  {written([spend.p, spend.q, spend.v])}")
    print(f"  clvkit    {written(GammaGamma().fit(peers).params_)}")


def as_the_peer_takes_them(people: pd.DataFrame) -> CustomerBase:
    """The same histories under clvkit's names, times in weeks."""
    names = {"repeats": "frequency", "last_week": "recency", "seen_week": "T", "mean_spend": "monetary_value"}
    return CustomerBase(
        people.rename(columns=names)[[*names.values()]].rename_axis("customer_id"),
        time_unit="W",
        observation_period_end=pd.Timestamp("1997-09-30"),
        has_monetary=True,
        on_negative="drop",
    )


def expected(parameters: dict[str, float], histories: lifetime.Histories) -> NDArray[np.float64]:
    """Orders of each customer in the coming HORIZON."""
    process, values = lifetime.PROCESSES["bg_nbd"], np.array(list(parameters.values()))
    terms = process.terms(values, histories)
    is_active = np.exp(terms.active - np.logaddexp(terms.active, terms.gone))
    return np.asarray(is_active * process.orders_if_active(values, histories, HORIZON))


def written(figures: Iterable[float]) -> str:
    return "  ".join(f"{figure:.4f}" for figure in figures)


if __name__ == "__main__":
    main()
