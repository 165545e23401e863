"""Where releases are published: databases, MongoDB, folders of files, workbooks; each adds a release whole or not."""

from pathlib import Path

from insiders.errors import InputError
from insiders.io import addresses
from insiders.io.stores.release import Store

SCHEMA = "insiders"  # where params.yaml does not say another one (publish.schema)
FORMS = "parquet:FOLDER, csv:FOLDER, FILE.xlsx, mongodb://..., or the SQLAlchemy address of a database"


def open_store(address: str, schema: str) -> Store:
    """The store that an address names; `schema` is that of the tables where a database has schemas."""
    form, _, rest = address.partition(":")
    if form in ("parquet", "csv") and rest:
        from insiders.io.stores.folder import FORMATS, Folder

        return Folder(Path(rest), FORMATS[form])
    if address.endswith(".xlsx") and "://" not in address:
        from insiders.io.stores.workbook import Workbook

        return Workbook(Path(address))
    if form in ("mongodb", "mongodb+srv"):
        from insiders.io.stores.documents import Documents

        return Documents(address)
    if "://" not in address:
        raise InputError(f"{addresses.shown(address)} names no store: expected {FORMS}")
    from insiders.io.stores.database import Database

    return Database(address, schema)
