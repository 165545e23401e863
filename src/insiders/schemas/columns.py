"""How a column and an identity are written in a contract."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import ibis.expr.datatypes as dt
import pandera.ibis as on_engine
import pandera.pandas as in_memory

if TYPE_CHECKING:
    from ibis import Table
    from ibis.expr.types import BooleanValue

MONEY = dt.Decimal(18, 4)  # of invoice lines and orders: exact
STAMP = dt.Timestamp(scale=6)
AT_LEAST_ONE = in_memory.Check.ge(1)
NOT_NEGATIVE = in_memory.Check.ge(0)
SHARE = in_memory.Check.in_range(0, 1)

CUSTOMER_ID = in_memory.Column("str", description="the customer")
AS_OF = in_memory.Column("datetime64[us]", description="the day as of which customers are described: earlier is known")


def line_column(dtype: dt.DataType, description: str, *, nullable: bool = False) -> on_engine.Column:
    """A column of a table of lines or orders, which the engine checks."""
    return on_engine.Column(dtype, nullable=nullable, description=description)


def column(
    dtype: str, unit: str, description: str, *checks: in_memory.Check, nullable: bool = False
) -> in_memory.Column:
    """A measured column of a table of customers; `unit`: currency, days, share (0-1) or what is counted."""
    return in_memory.Column(dtype, list(checks), nullable=nullable, description=description, metadata={"unit": unit})


def identity(rule: "Callable[[Table], BooleanValue]", name: str) -> on_engine.Check:
    """A rule that holds in every row of a table that the engine checks."""
    return on_engine.Check(lambda data: rule(data.table), name=name, error=name)
