"""Transactions to clean lines, orders and the ledger of what was removed."""

from insiders.errors import exit_on_input_error
from insiders.io import workspace


@exit_on_input_error("preprocess")
@workspace.alone("preprocess")
def main() -> None:
    from insiders import schemas
    from insiders.answers import cleaning
    from insiders.io import engine, params, paths, tables
    from insiders.io.tracking import datasets, runs
    from insiders.tables import lines, orders

    settings = params.read().preprocess
    with runs.posted_run("preprocess", settings.model_dump(exclude={"currency"})) as log, engine.session() as con:
        transactions, record = engine.scan(con, paths.TRANSACTIONS), tables.read_json(paths.SOURCE)
        cleaned = cleaning.clean(con, transactions, settings).materialized(con)
        refused = engine.scan(con, paths.QUARANTINE).reason.value_counts(name="rows")
        ledger = lines.ledger(engine.fetch(con, lines.tally(cleaned.groups)), engine.fetch(con, refused))
        clean = engine.write(
            con, lines.clean(cleaned.judged), paths.LINES, schemas.LINES, ["customer_id", "ordered_at"]
        )
        engine.write(con, orders.orders(clean), paths.ORDERS, schemas.ORDERS, ["customer_id", "ordered_at"])
        tables.write(ledger, paths.LEDGER, schemas.LEDGER)
        tables.write_text(cleaned.understood(record).as_markdown(), paths.INTAKE)
        counts = engine.fetch(con, lines.counts(transactions)).iloc[0].to_dict()
        log(lines.metrics(ledger) | counts, datasets.of_tables(paths.TRANSACTIONS))


if __name__ == "__main__":
    main()
    workspace.end()
