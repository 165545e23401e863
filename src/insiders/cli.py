"""The program `insiders`: each command reads its options, calls what does the work, and prints the result."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Literal

import typer

from insiders.errors import InputError, exit_on_input_error
from insiders.io import workspace

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, add_completion=False)
ends_on_input_error = exit_on_input_error("insiders")


def _show_version(wanted: bool) -> None:
    if wanted:
        from insiders import __version__

        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def _insiders(
    _: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and end.")
    ] = False,
) -> None:
    """Find the customers for a shop's loyalty programme, and say how sure that choice is."""
    workspace.collect_seldom()


@app.command()
@ends_on_input_error
def init(
    folder: Annotated[Path, typer.Argument(help="Folder of the new project; made where it is missing.")],
) -> None:
    """Write params.yaml, dvc.yaml and the folders of a new project, and initialise DVC there."""
    from insiders.io import project

    project.create(folder)
    typer.echo(
        f"{folder} holds a project: name your file in its params.yaml (ingest.source), then run there: dvc repro"
    )


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def run(context: typer.Context) -> None:
    """Run the stages that have something to do: as `dvc repro`, whose targets and options it takes, in less time."""
    from insiders.io import pipeline

    raise typer.Exit(pipeline.run(context.args))


@app.command()
@ends_on_input_error
def check(
    file: Annotated[
        str | None, typer.Argument(help="File, folder or address of the delivery; ingest.source when left out.")
    ] = None,
    write: Annotated[bool, typer.Option("--write", help="Put the proposed settings into params.yaml.")] = False,
) -> None:
    """Read and clean a delivery without keeping anything, and show what was understood of it."""
    from insiders.answers import intake
    from insiders.io import params

    settings = params.read()
    if file is not None:
        settings = settings.model_copy(update={"ingest": settings.ingest.model_copy(update={"source": file})})
    understood = intake.check(settings, date.today())
    typer.echo(understood.as_markdown())
    if write:
        for section, name, value in understood.proposals:
            params.write_value(section, name, value)


@app.command()
@ends_on_input_error
def fetch(
    url: Annotated[str | None, typer.Option(help="Address of the file; the publisher's when left out.")] = None,
    sha256: Annotated[str | None, typer.Option(help="Expected digest of the file; not checked when left out.")] = None,
) -> None:
    """Download the public data set Online Retail into data/raw/."""
    from insiders.io import paths
    from insiders.io.delivery import download, sources

    address = url or download.ONLINE_RETAIL
    with sources.naming(address):
        path = download.cached(address, sha256, paths.RAW)
    typer.echo(f"{path} is there. Write into params.yaml, under ingest:\n\n  source: {path}\n\nthen run: dvc repro")


@app.command()
@ends_on_input_error
def simulate(
    customers: Annotated[int, typer.Option(min=1, help="Number of customers with an id.")],
    out: Annotated[Path, typer.Option(help="File to write, .parquet or .csv.")],
    seed: Annotated[
        int | None, typer.Option(min=0, help="Seed of the random draws; that of params.yaml when left out.")
    ] = None,
) -> None:
    """Write the invoice lines of a simulated shop, whose other settings are those of params.yaml."""
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
@workspace.alone("insiders assign")
def assign(
    customers: Annotated[
        Path | None,
        typer.Option(help="Table of customers in the form of data/customers.parquet, which is taken when left out."),
    ] = None,
    version: Annotated[
        str | None, typer.Option(help="Number or alias of a model version; the champion when left out.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Folder that gets data/ and reports/; the project's when left out. Or a .parquet file that gets what "
            "the model says of each customer, and no list: of any number of them, in little memory."
        ),
    ] = None,
    accept: Annotated[
        bool, typer.Option("--accept", help="Use the data although they differ from what the model was trained on.")
    ] = False,
    why: Annotated[str, typer.Option(help="The reason to accept them, which is kept with the release.")] = "",
) -> None:
    """Give every customer a segment and write the list of Insiders."""
    from insiders.answers import assignments, current_list, labels, list_forecast
    from insiders.io import params, paths

    settings, path = params.read(), customers or paths.CUSTOMERS
    is_file = out is not None and out.suffix == ".parquet"
    if (accept or why) and (customers or is_file or not accept):
        raise InputError("--accept and --why go together, and with the project's own list: no --customers, no file")
    if out and is_file:
        typer.echo(f"{out} holds the segments by model version {labels.write(path, out, version, settings)}")
        return
    table = assignments.read_customers(path)
    server = assignments.named(version, settings, table["as_of"].iloc[0])
    if customers:  # of whose orders nothing is known
        history, months = assignments.read_history(), assignments.read_months(server)
        served = assignments.serve(server, table, history, months, settings)
        list_forecast.write_unforetold(served, out or Path())
    else:
        acceptance = current_list.Acceptance(why, date.today()) if accept else None
        served, accepted = current_list.make(server, table, settings, acceptance, out or Path())
        if accept:
            typer.echo("".join(f"accepted: {fault.text}\n" for fault in accepted) or "there was nothing to accept\n")
    sizes = f"{len(served.insiders):,} Insiders among {len(served.assigned):,} customers"
    typer.echo(f"{sizes}, by model version {server.version}")


@app.command("list")
@ends_on_input_error
def list_customers(
    top: Annotated[int, typer.Option(min=1, help="How many customers, the highest score first.")],
    out: Annotated[Path, typer.Option(help="File to write, .csv or .parquet.")],
) -> None:
    """Write a list of any size, and say what it should bring; the programme's members stay as they are."""
    from insiders.answers import listing

    chosen = listing.top(top)
    listing.write(chosen, out)
    share = "" if chosen.expected_share is None else f", {chosen.expected_share:.0%} of all that is expected"
    typer.echo(f"{out} holds {top:,} customers; they should bring {chosen.expected:,.0f}{share}")
    typer.echo(f"{chosen.overlap:,} of them are among the {chosen.members:,} members")


@app.command()
@ends_on_input_error
@workspace.alone("insiders enrol")
def enrol(
    as_of: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Day as of which to decide; that of the data if none.")
    ] = None,
    undo: Annotated[bool, typer.Option("--undo", help="Withdraw the last decision; its file is kept.")] = False,
) -> None:
    """Decide who is a member as of a day, and record it in data/programme/ for good."""
    from insiders.answers import enrolment
    from insiders.io import ledger

    if undo:
        typer.echo(f"the decision as of {ledger.withdraw()} is withdrawn: run `dvc repro`")
        return
    decided = enrolment.enrol(as_of.date() if as_of else None)
    inside = decided.members[decided.members["status"] != "left"]
    state = "recorded: run `dvc repro`" if decided.is_new else "already recorded, nothing changes"
    held_out = int((inside["arm"] == "held_out").sum())
    typer.echo(f"{len(inside):,} members as of {decided.as_of}, {held_out:,} of them held out; {state}")


@app.command("set")
@ends_on_input_error
@workspace.alone("insiders set")
def set_hand(
    customer_id: Annotated[str, typer.Argument(help="Id of the customer, as in data/customers.parquet.")],
    hand: Annotated[
        Literal["in", "out", "never", "auto"],
        typer.Argument(help="in, out: whatever the score says; never: the customer objected; auto: by score again."),
    ],
    why: Annotated[str, typer.Option(help="The reason, which is kept with the date.")],
) -> None:
    """Put a customer into the programme or keep them out, by hand, from the next decision on."""
    from insiders.answers import enrolment

    enrolment.set_hand(customer_id, hand, why, date.today())
    typer.echo(f"{customer_id}: {hand}, from the next decision on: run `dvc repro` to see it")


@app.command()
@ends_on_input_error
def experiment() -> None:
    """Read what the programme itself brings: the invited beside the held-out, since the first decision."""
    from insiders.answers import readout

    typer.echo("\n".join(readout.tell()))


@app.command()
@ends_on_input_error
@workspace.alone("insiders publish")
def publish(
    to: Annotated[
        list[str],
        typer.Option(help="Address of a store, as docs/publishing.md lists them; may be given several times."),
    ],
    note: Annotated[str, typer.Option(help="What to keep beside the release in each store.")] = "",
    allow_empty: Annotated[
        bool, typer.Option("--allow-empty", help="Replace a list of members by one that names nobody.")
    ] = False,
) -> None:
    """Publish the tables of the last run as one release; the same release again changes nothing."""
    from getpass import getuser

    from insiders.answers import publication
    from insiders.io.stores.release import Publisher

    publisher = Publisher(datetime.now(UTC).replace(tzinfo=None, microsecond=0), getuser(), note)
    for done in publication.publish(to, publisher, may_empty=allow_empty):
        state = f"published, {done.outcome.rows:,} rows" if done.outcome.is_new else "is there already, nothing changes"
        typer.echo(f"{done.address}: release {done.release} {state}")


bi = typer.Typer(no_args_is_help=True, help="Write a dashboard on what was published, in the form of a BI tool.")
app.add_typer(bi, name="bi")


@bi.command()
@ends_on_input_error
def metabase(
    database: Annotated[int, typer.Option(min=1, help="Metabase's number of the database that was published to.")],
    to: Annotated[str | None, typer.Option(help="Address of a Metabase; its key is in METABASE_API_KEY.")] = None,
    out: Annotated[Path | None, typer.Option(help="JSON file to write, for those who send it themselves.")] = None,
) -> None:
    """Make a collection, its cards and a dashboard in a running Metabase, or bring them up to date."""
    from insiders.answers.bi import deliver

    for done in deliver.metabase(database, to, out):
        typer.echo(done)


@bi.command()
@ends_on_input_error
def superset(
    source: Annotated[str, typer.Option(help="Address of the PostgreSQL that was published to, as Superset sees it.")],
    out: Annotated[Path, typer.Option(help="Archive to write, .zip.")],
) -> None:
    """Write a dashboard that Apache Superset imports."""
    from insiders.answers.bi import deliver

    for done in deliver.superset(source, out):
        typer.echo(done)


@bi.command()
@ends_on_input_error
def powerbi(
    source: Annotated[
        str, typer.Option(help="Address that was published to, as Power BI sees it: PostgreSQL or parquet:FOLDER.")
    ],
    out: Annotated[Path, typer.Option(help="Folder to write; must be empty or missing.")],
) -> None:
    """Write a project that Power BI Desktop opens: a model of what was published, and a report."""
    from insiders.answers.bi import deliver

    for done in deliver.powerbi(source, out):
        typer.echo(done)


@app.command()
@ends_on_input_error
def promote(
    version: Annotated[
        str | None, typer.Argument(help="Number of the model version; the challenger when left out.")
    ] = None,
) -> None:
    """Make a model version the champion; the next `dvc repro` uses it."""
    from insiders.answers import versions

    typer.echo(versions.promote(version))


@app.command()
@ends_on_input_error
def rollback() -> None:
    """Make the previous champion the champion again; the next `dvc repro` uses it."""
    from insiders.answers import versions

    typer.echo(versions.roll_back())


@app.command()
@ends_on_input_error
def explain(
    customer_id: Annotated[str, typer.Argument(help="Id of the customer, as in data/assignments.parquet.")],
) -> None:
    """Show a customer's segment, figures and membership, with the reasons."""
    from insiders.answers import customer

    typer.echo("\n".join(customer.explain(customer_id)))


@app.command()
@ends_on_input_error
def dashboard(
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port of the dashboard.")] = 8501,
    host: Annotated[
        str,
        typer.Option(help="Address to listen on. It asks for no login: behind a proxy that does, name its network."),
    ] = "127.0.0.1",
    source: Annotated[
        str | None,
        typer.Option("--from", help="Address of a store to read (docs/publishing.md); this folder when left out."),
    ] = None,
) -> None:
    """Show a release in the browser, until interrupted: answers, members, what-if, models."""
    from insiders.io import streamlit_server

    typer.echo(f"http://{host}:{port}")
    streamlit_server.serve(host, port, source)


@app.command()
@ends_on_input_error
def ui(
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port of the page on this machine.")] = 5000,
    auth: Annotated[bool, typer.Option("--auth", help="Ask for a login; see the README.")] = False,
) -> None:
    """Serve MLflow's page on the runs and models of this project, until interrupted."""
    from insiders.io.tracking import server

    typer.echo(f"{server.ui_address(port)}\n{server.HINT}\nthe trials side by side: {server.trials_address(port)}")
    server.serve(port, auth=auth)


@app.command()
@ends_on_input_error
def doctor(
    repair: Annotated[
        bool, typer.Option("--repair", help="First take away, or end, what a killed run has left behind.")
    ] = False,
) -> None:
    """Check what the project needs from this machine; ends with status 1 where something is to do."""
    from insiders.io.doctor import examine

    if repair:
        from insiders.io.repair import repair as mend

        with workspace.alone("insiders doctor --repair"):
            typer.echo("\n".join(mend()) or "nothing to repair")

    findings = examine()
    for finding in findings:
        typer.echo(f"{'ok' if finding.ok else 'problem':<8} {finding.need:<12} {finding.state}")
        if not finding.ok:
            typer.echo(f"{'':<8} {'to do':<12} {finding.advice}")
    raise typer.Exit(0 if all(finding.ok for finding in findings) else 1)
