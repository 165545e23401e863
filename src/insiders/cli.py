"""The command `insiders`: each command is a thin function, what it does stands elsewhere."""

from pathlib import Path
from typing import Annotated

import typer

from insiders.errors import exit_on_input_error

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, add_completion=False)
ends_on_input_error = exit_on_input_error("insiders")


@app.callback()
def _insiders() -> None:
    """Find the customers whom a loyalty programme should name, and say how sure that is."""


@app.command()
@ends_on_input_error
def fetch(
    url: Annotated[str | None, typer.Option(help="Another address than the publisher's.")] = None,
    sha256: Annotated[str | None, typer.Option(help="The digest that the file must have.")] = None,
) -> None:
    """Download the public data set Online Retail from its publisher into data/raw/."""
    from insiders.io import paths
    from insiders.io.delivery import download, sources

    address = url or download.ONLINE_RETAIL
    with sources.naming(address):
        path = download.cached(address, sha256, paths.RAW)
    typer.echo(f"{path} is there. Write into params.yaml, under ingest:\n\n  source: {path}\n\nthen run: dvc repro")


@app.command()
@ends_on_input_error
def simulate(
    customers: Annotated[int, typer.Option(min=1, help="Customers whom the shop ever sees.")],
    out: Annotated[Path, typer.Option(help="File to write: .parquet or .csv.")],
    seed: Annotated[int | None, typer.Option(min=0, help="Another seed than params.yaml's.")] = None,
) -> None:
    """Write the invoice lines of a shop with known customers; its other settings are those of params.yaml."""
    from insiders.io import params, sinks
    from insiders.io.delivery import sources

    settings = params.read()
    shop = settings.model_copy(
        update={
            "simulate": settings.simulate.model_copy(update={"customers": customers}),
            "seed": settings.seed if seed is None else seed,
        }
    )
    sinks.write_shop(sources.shop(shop).blocks(), out)
    typer.echo(f"{out} holds a shop with {customers:,} customers")


@app.command()
@ends_on_input_error
def assign(
    customers: Annotated[
        Path | None, typer.Option(help="Another table of customers, as data/customers.parquet.")
    ] = None,
    version: Annotated[
        str | None, typer.Option(help="Number or alias of a version; the champion when left out.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Folder for data/ and reports/; the project when left out.")] = None,
) -> None:
    """Give every customer a segment and write the list of Insiders, by the model that serves or by another."""
    from insiders.answers import assignments
    from insiders.io import params, paths

    horizon = params.read().featurize.horizon_days
    table = assignments.read_customers(customers or paths.CUSTOMERS)
    server = assignments.named(version)
    past, months = assignments.read_history(), assignments.read_months()
    served = assignments.serve(server, table, past, months, horizon)
    assignments.write(served, out or Path())
    sizes = f"{len(served.insiders):,} Insiders among {len(served.assigned):,} customers"
    typer.echo(f"{sizes}, by model version {server.version}")


@app.command()
@ends_on_input_error
def promote(
    version: Annotated[str | None, typer.Argument(help="Number of the version; the challenger when left out.")] = None,
) -> None:
    """Let a version serve; the next `dvc repro` follows."""
    from insiders.io.tracking import registry

    if chosen := registry.promote(version):
        warning = "" if chosen.passed else " (it has not passed every gate)"
        typer.echo(f"version {chosen.number} serves{warning}: run `dvc repro`")


@app.command()
@ends_on_input_error
def rollback() -> None:
    """Let the champion before the present one serve again; the next `dvc repro` follows."""
    from insiders.io.tracking import registry

    typer.echo(f"version {registry.rollback().number} serves again: run `dvc repro`")


@app.command()
@ends_on_input_error
def explain(customer_id: Annotated[str, typer.Argument(help="The customer's id, as in the tables.")]) -> None:
    """Say where a customer is, why, and by which figures."""
    from insiders.answers import customer

    typer.echo("\n".join(customer.explain(customer_id)))


@app.command()
@ends_on_input_error
def ui(port: Annotated[int, typer.Option(min=1, max=65535, help="Port on this machine.")] = 5000) -> None:
    """Open MLflow's page on the runs and models of this project, until interrupted."""
    from insiders.io.tracking import server

    typer.echo(f"{server.ui_address(port)}\n{server.HINT}\nthe trials side by side: {server.trials_address(port)}")
    server.serve(port)


@app.command()
@ends_on_input_error
def doctor() -> None:
    """Look at what the project needs from this machine, and say what to do where it is missing."""
    from insiders.io import doctor as needs

    findings = needs.examine()
    for each in findings:
        typer.echo(f"{'ok' if each.ok else 'problem':<8} {each.need:<12} {each.state}")
        if not each.ok:
            typer.echo(f"{'':<8} {'to do':<12} {each.advice}")
    raise typer.Exit(0 if all(each.ok for each in findings) else 1)
