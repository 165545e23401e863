"""Whatever `ingest.source` names to transactions, quarantine and the record of what was read."""

from datetime import date

from insiders.errors import exit_on_input_error
from insiders.io import workspace


@exit_on_input_error("ingest")
@workspace.alone("ingest")
def main() -> None:
    from insiders.io import addresses, params, paths, tables
    from insiders.io.delivery import intake, sources
    from insiders.io.tracking import datasets, runs

    settings = params.read()
    source = settings.ingest.source
    with runs.posted_run("ingest", settings.ingest.model_dump() | {"source": addresses.shown(source)}) as log:
        with sources.naming(source):
            record = intake.take(sources.open_source(settings), settings.ingest, today=date.today())
        if source == params.SAMPLE:
            tables.write(sources.shop(settings).truth(), paths.TRUTH)
        else:
            paths.TRUTH.unlink(missing_ok=True)
        tables.write_json(record, paths.SOURCE)
        log(
            {name: record[name] for name in ("rows_read", "rows", "rows_quarantined")},
            [datasets.delivery(record, paths.TRANSACTIONS)],
        )


if __name__ == "__main__":
    main()
    workspace.end()
