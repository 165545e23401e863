"""What every part of the project counts in: right, and written down once."""

import ast
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import norm

from insiders import units

SOURCE = Path(units.__file__).parent
NAMES = {name for name in vars(units) if name.isupper()}


def test_the_normal_quantile_leaves_half_of_the_error_on_each_side() -> None:
    assert norm.cdf(units.NORMAL_QUANTILE) == pytest.approx((1 + units.CONFIDENCE) / 2, abs=1e-15)


def test_a_list_of_a_share_names_somebody() -> None:
    assert [units.list_size(share, 400) for share in (0.0001, 0.05, 0.0513, 1.0)] == [1, 20, 21, 400]


def test_an_evenly_spaced_part_has_both_ends() -> None:
    assert units.evenly_spaced(11, 3).tolist() == [0, 5, 10]
    assert units.evenly_spaced(3, 11).tolist() == [0, 1, 2]
    assert units.evenly_spaced(0, 11).tolist() == []


def test_the_signed_logarithm_is_odd_and_counts_in_its_unit() -> None:
    amounts = np.array([-30.0, 0.0, 10.0])
    assert units.signed_log(amounts, 10.0).tolist() == pytest.approx([-np.log(4), 0.0, np.log(2)])
    assert units.signed_log(-amounts).tolist() == (-units.signed_log(amounts)).tolist()
    assert float(units.signed_log(1.0, 2.0)) == pytest.approx(np.log(1.5))


def test_rounding_keeps_significant_digits_of_any_size() -> None:
    values = np.array([123456789.123, -0.00012345678912, 9.999999996, 0.0, -0.0, 1e-12, np.inf, np.nan])
    assert str(units.round_off(values).tolist()) == "[123456790.0, -0.00012345679, 10.0, 0.0, 0.0, 1e-12, inf, nan]"
    assert units.round_off(2 / 3, 3) == 0.667


def test_rounding_is_that_of_a_printed_number_and_leaves_what_is_round() -> None:
    values = np.random.default_rng(0).lognormal(0, 8, 10_000)
    rounded = units.round_off(values)
    assert rounded.tolist() == [float(f"{value:.{units.FIGURE_DIGITS - 1}e}") for value in values]
    assert (units.round_off(rounded) == rounded).all()
    assert np.argsort(rounded, kind="stable").tolist() == np.argsort(values).tolist()


def bound(path: Path) -> set[str]:
    """Names that a module assigns at its top."""
    statements = ast.parse(path.read_text(encoding="utf-8")).body
    targets = [target for each in statements if isinstance(each, ast.Assign) for target in each.targets]
    return {name.id for target in targets for name in ast.walk(target) if isinstance(name, ast.Name)}


# paths.CONFIDENCE is a file and schemas.CONFIDENCE (schemas/results.py) its contract: how sure a customer's segment is.
@pytest.mark.parametrize("path", sorted(SOURCE.rglob("*.py")), ids=lambda path: path.relative_to(SOURCE).as_posix())
def test_no_module_has_a_unit_of_its_own(path: Path) -> None:
    if path.name != "units.py":
        assert not (bound(path) & NAMES) - ({"CONFIDENCE"} if path.name in {"paths.py", "results.py"} else set())
        text = path.read_text(encoding="utf-8")
        assert "1.96" not in text
        assert "1.9599" not in text
