"""Customers to assignments and the list of Insiders, by whatever version the registry's champion is at this moment."""

from insiders.errors import reported
from insiders.io import freshness, paths

INPUTS = (paths.CUSTOMERS, paths.SNAPSHOTS, paths.HOLDOUT, paths.REGISTERED)
OUTPUTS = (paths.ASSIGNMENTS, paths.INSIDERS)


@reported
def main() -> None:
    if freshness.is_fresh("assign", INPUTS, OUTPUTS):
        return
    from insiders.io import params, serving, tracking

    settings = params.read().featurize
    customers = serving.read_customers(paths.CUSTOMERS)
    server = serving.named(None)
    with tracking.stage_run("assign", {"version": server.version, "horizon_days": settings.horizon_days}) as log:
        assigned, insiders = serving.serve(server, customers, serving.read_history(), settings.horizon_days)
        serving.write(assigned, insiders)
        log({"customers": len(assigned), "insiders": len(insiders)})
    if serving.still_serves(server):
        freshness.record("assign", INPUTS, OUTPUTS)


if __name__ == "__main__":
    main()
