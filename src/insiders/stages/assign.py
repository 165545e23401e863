"""Customers to segments and members, by the registry's champion and what was decided about the programme so far."""

from insiders.errors import exit_on_input_error
from insiders.io import freshness, ledger, paths, workspace

INPUTS = (
    *(paths.CUSTOMERS, paths.SNAPSHOTS, paths.HOLDOUT, paths.HISTORY, paths.ORDERS, paths.REGISTERED),
    *(paths.TRANSACTIONS, paths.SOURCE),
)
OUTPUTS = (
    *(paths.MEMBERS, paths.MOVEMENT, paths.ASSIGNMENTS, paths.CONFIDENCE, paths.PLACES, paths.MEMBERSHIPS),
    *(paths.TERMS, paths.EXPECTATIONS, paths.OUTLOOK, paths.INSIDERS),
)


@exit_on_input_error("assign")
@workspace.alone("assign")
def main() -> None:
    inputs = (*INPUTS, *ledger.files())
    if freshness.is_fresh("assign", inputs, OUTPUTS):
        return
    from insiders.answers import assignments, current_list
    from insiders.io import params, tables
    from insiders.io.tracking import datasets, runs

    settings = params.read()
    tables.require(paths.REGISTERED)  # which baseline decides where there is no champion; without it nothing was judged
    customers = assignments.read_customers(paths.CUSTOMERS)
    server = assignments.named(None, settings, customers["as_of"].iloc[0])
    with runs.stage_run("assign", {"version": server.version, "horizon_days": settings.featurize.horizon_days}) as log:
        served = current_list.make(server, customers, settings).served
        log({"customers": len(served.assigned), "insiders": len(served.insiders)}, datasets.of_tables(paths.CUSTOMERS))
    if assignments.still_serves(server):
        freshness.record("assign", inputs, OUTPUTS)


if __name__ == "__main__":
    main()
    workspace.end()
