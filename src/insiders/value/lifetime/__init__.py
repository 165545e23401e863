"""Lifetime value: expected orders, spend and revenue of each customer in the coming days, with an interval.

===========  ========================================================================================================
processes    when customers order and when they stop: negative binomial, with or without dropout
likelihood   the fit of a process
spend        what an order is worth: Gamma-Gamma
calibration  level, slope and width, corrected by what came after earlier dates
model        all of it: fit, calibrate, predict
optimum      the maximum of a likelihood, to the same digits on every processor
===========  ========================================================================================================

An order is counted once a day: invoices split over one day are no repeat purchases, and taken as such they look like
customers who buy in a burst and leave (the dropout that such a fit "finds" in the real data is this and nothing else).
"""

from insiders.value.lifetime.calibration import Calibration
from insiders.value.lifetime.likelihood import fit_process, log_likelihood
from insiders.value.lifetime.model import (
    HISTORY,
    PAST,
    ValueModel,
    calibrate,
    expect,
    expected_revenue,
    fit,
    histories,
    predict,
)
from insiders.value.lifetime.processes import PROCESSES, Histories
from insiders.value.lifetime.spend import Spend, fit_spend

__all__ = [
    "HISTORY",
    "PAST",
    "PROCESSES",
    "Calibration",
    "Histories",
    "Spend",
    "ValueModel",
    "calibrate",
    "expect",
    "expected_revenue",
    "fit",
    "fit_process",
    "fit_spend",
    "histories",
    "log_likelihood",
    "predict",
]
