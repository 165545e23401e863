"""Judge the candidate on the untouched last period, register it, and let it serve when it passes every gate.

Runs at every `dvc repro`, since what serves is decided in the registry, which is no file; ends at once where nothing
changed.
"""

from insiders.errors import exit_on_input_error
from insiders.io import freshness, ledger, paths, tables, workspace

INPUTS = (paths.CANDIDATE, paths.SNAPSHOTS, paths.HOLDOUT, paths.CUSTOMERS, paths.TRANSACTIONS)
OUTPUTS = (paths.REGISTERED, paths.JUDGED)


@exit_on_input_error("register")
@workspace.alone("register")
def main() -> None:
    from insiders.io.delivery import files
    from insiders.io.tracking import runs

    files.refuse_changed(tables.read_json(paths.SOURCE))
    runs.deliver()
    inputs = (*INPUTS, *ledger.accepted_files())
    if freshness.is_fresh("register", inputs, OUTPUTS):
        return

    from threadpoolctl import threadpool_limits

    from insiders.answers import registration
    from insiders.io import params

    with threadpool_limits(1):  # the last bits of a figure must not depend on the machine's threads
        registration.register(params.read())
    freshness.record("register", inputs, OUTPUTS)


if __name__ == "__main__":
    main()
    workspace.end()
