"""Assignments and orders to the nine answers: a page, the answers as JSON, and the figures that other programs read."""

from insiders.errors import exit_on_input_error
from insiders.io import workspace


@exit_on_input_error("report")
@workspace.alone("report")
def main() -> None:
    from insiders.answers import outputs
    from insiders.answers.inputs import Inputs
    from insiders.io import params
    from insiders.io.tracking import runs

    settings = params.read()
    with runs.stage_run("report", settings.report.model_dump()) as log:
        log(outputs.write(Inputs(settings)))


if __name__ == "__main__":
    main()
    workspace.end()
