"""Where releases are published: databases, MongoDB, folders of files, workbooks; each adds a release whole or not."""

from insiders.io.stores.release import Store


def open_store(address: str, schema: str) -> Store:
    """The store that an address names; `schema` is that of the tables where a database has schemas."""
    from insiders.io.stores.database import Database

    return Database(address, schema)
