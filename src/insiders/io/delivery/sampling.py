"""A share of the customers, each with all rows: by a hash of the id, so that every source and engine takes the same.

A row without a customer is taken by its invoice. The engine decides (`of_sample`); a database leaves out beforehand
what surely is not in the sample (`database_sample`), and sends what it cannot tell, as ids may be written in several
ways.
"""

from collections.abc import Mapping
from typing import Any

import ibis

from insiders.errors import InputError
from insiders.io import engine
from insiders.io.delivery import identities, rows
from insiders.io.params import Ingest

Table = Any  # Ibis has no types that mypy could follow

TEXT, PERSON = "sample_text", "sample_person"  # columns while the sample is taken
DIGITS, VALUES = 32, 2**128  # hexadecimal digits of an MD5, and how many there are


def limit(share: float) -> str:
    """The hash below which a customer is in the sample."""
    return f"{int(share * VALUES):0{DIGITS}x}"


def of_sample(con: Any, raw: Table, mapping: Mapping[str, str | None], settings: Ingest) -> Table:
    """The rows of the customers in the sample; all of them where none is asked for.

    Raises InputError where nobody is in it.
    """
    if settings.sample is None:
        return raw
    customer, invoice = str(mapping["customer_id"]), mapping["invoice"]
    texts = raw.select(**{TEXT: raw[customer]}).distinct()
    people = identities.merged(con, texts.mutate(customer_id=rows.person_of(texts[TEXT])), settings.identities)
    known = raw.left_join(people.select(TEXT, **{PERSON: people.customer_id}), raw[customer] == people[TEXT])
    key = ibis.coalesce(known[PERSON], rows.document_of(known[invoice]) if invoice else None, "")
    chosen = engine.materialize(con, known.filter(key.hexdigest("md5") < limit(settings.sample)).select(raw.columns))
    (counted,) = engine.fetch_records(chosen.aggregate(customers=chosen[customer].nunique()))
    if not counted["customers"]:
        raise InputError(f"no customer is in the sample of {settings.sample}: raise ingest.sample in params.yaml")
    return chosen
