"""How often the page would believe a claim of a list that was drawn by lot.

    python benchmarks/permuted_hypotheses.py FOLDER [--times 200] [--resamples 999]

The folder is a project in which every stage has run. The judged list is dealt out anew among the customers of its day,
as many as it holds, and every claim of params.yaml is tested on it; nothing else changes. A claim that is true of such
a list is an error: the rate of lists with any such claim is to be at most 5 %, and each comparison, before the
correction, is to err in 5 %.
"""

import argparse
import os
import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from insiders.answers import guarantee
from insiders.answers.inputs import Inputs
from insiders.evidence import hypotheses
from insiders.evidence.hypotheses import Claim, Finding, Resampling
from insiders.io import params


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--times", type=int, default=200)
    parser.add_argument("--resamples", type=int, default=999)
    asked = parser.parse_args()
    os.chdir(asked.folder)
    settings = params.read()
    resampling = Resampling(settings.report.level, asked.resamples, settings.seed)
    claims = guarantee.claims(settings.report)
    judged = guarantee.read_judged(Inputs(settings))
    around = guarantee.look_around(judged)
    rng, started = np.random.default_rng(settings.seed), time.process_time()
    lots = [rng.permutation(judged.members["is_insider"].to_numpy()) for _ in range(asked.times)]
    found = [
        tested(judged.members.assign(is_insider=lot), around, claims, settings.report.caliper, resampling)
        for lot in lots
    ]
    report(found, claims, resampling)
    print(f"{time.process_time() - started:.0f} s CPU")


def tested(
    judged: Any, around: guarantee.Around, claims: list[Claim], caliper: float, resampling: Resampling
) -> list[Finding]:
    found = hypotheses.aftermath(around.customers, judged, around.before, around.after, resampling.seed)
    return hypotheses.findings(found, hypotheses.match_pairs(found, caliper), claims, resampling)


def report(found: list[list[Finding]], claims: list[Claim], resampling: Resampling) -> None:
    rate = 1 - resampling.level
    believed = np.mean([any(row["verdict"] == "true" for row in rows) for rows in found])
    print(f"lists with any claim believed: {believed:.1%} of {len(found)}")
    for place, claim in enumerate(claims):
        rows = [each[place] for each in found]
        words = Counter(row["verdict"] for row in rows)
        alone = np.mean([row["p_value"] is not None and row["p_value"] <= rate for row in rows])
        told = ", ".join(f"{word.replace('_', ' ')} {count / len(rows):.1%}" for word, count in sorted(words.items()))
        print(f"{claim.name:<16} {told}; uncorrected p <= {rate:.2f}: {alone:.1%}")


if __name__ == "__main__":
    main()
