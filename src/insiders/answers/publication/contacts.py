"""The customers' keys in a CRM, joined to the lists that campaigns are made of."""

from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from insiders.answers.inputs import Inputs
from insiders.errors import InputError
from insiders.io import engine
from insiders.io.params import Publish

if TYPE_CHECKING:
    import ibis.expr.types as ir

COLUMNS = ["customer_id", "contact_id"]


def joined(listed: "ir.Table", inputs: Inputs) -> "ir.Table":
    """The list with `contact_id`, where publish.contacts names a file of them."""
    keys = read(inputs.settings.publish)
    if keys is None:
        return listed
    table = engine.scan_frame(inputs.connection, keys)
    return listed.left_join(table, "customer_id").drop("customer_id_right")


def read(own: Publish) -> pd.DataFrame | None:
    """`customer_id` and `contact_id` as text; None where no file is named.

    Raises InputError where the file is none of such keys, or would undo the pseudonyms.
    """
    if own.contacts is None:
        return None
    if own.pseudonymise:
        raise InputError(
            "publish.contacts in params.yaml would tell who is behind a pseudonym (publish.pseudonymise): publish one "
            "of the two, or each into a store of its own"
        )
    path = Path(own.contacts)
    if not path.is_file():
        raise InputError(f"{path} is missing: mend publish.contacts in params.yaml, or set it to null")
    try:
        keys = pd.read_csv(path, dtype=str, keep_default_na=False)
    except ValueError as error:  # pandas's own errors, and those of the encoding, are such
        raise InputError(f"{path} cannot be read ({error}): expected a CSV file in UTF-8") from error
    if not set(COLUMNS) <= set(keys.columns):
        raise InputError(f"{path} has the columns {list(keys.columns)}: expected {' and '.join(COLUMNS)}")
    repeated = keys.loc[keys["customer_id"].duplicated(), "customer_id"]
    if len(repeated):
        raise InputError(
            f"{path} has more than one row for {repeated.nunique()} customers, first {repeated.iloc[0]}: expected one"
        )
    return keys[COLUMNS]
