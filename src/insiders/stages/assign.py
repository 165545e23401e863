"""Customers to assignments, the list and the memberships of the past, by whatever the registry's champion is now."""

from insiders.errors import exit_on_input_error
from insiders.io import freshness, paths

INPUTS = (paths.CUSTOMERS, paths.SNAPSHOTS, paths.HOLDOUT, paths.HISTORY, paths.REGISTERED)
OUTPUTS = (paths.ASSIGNMENTS, paths.CONFIDENCE, paths.PLACES, paths.MEMBERSHIPS, paths.EXPECTATIONS, paths.INSIDERS)


@exit_on_input_error("assign")
def main() -> None:
    if freshness.is_fresh("assign", INPUTS, OUTPUTS):
        return
    from insiders.answers import assignments
    from insiders.io import params, tables
    from insiders.io.tracking import runs

    settings = params.read().featurize
    tables.require(paths.REGISTERED)  # which baseline decides where there is no champion; without it nothing was judged
    customers = assignments.read_customers(paths.CUSTOMERS)
    server = assignments.named(None)
    with runs.stage_run("assign", {"version": server.version, "horizon_days": settings.horizon_days}) as log:
        past, months = assignments.read_history(), assignments.read_months()
        served = assignments.serve(server, customers, past, months, settings.horizon_days)
        assignments.write(served)
        log({"customers": len(served.assigned), "insiders": len(served.insiders)})
    if assignments.still_serves(server):
        freshness.record("assign", INPUTS, OUTPUTS)


if __name__ == "__main__":
    main()
