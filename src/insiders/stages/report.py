"""Assignments and orders to the nine answers: a page, the answers as JSON, and the figures that other programs read."""

import gc

from insiders.errors import exit_on_input_error
from insiders.io import workspace

# A report makes many objects that live to its end, few of them in circles: to look for those after every 700 new ones,
# as Python does, costs a seventh of its time.
OBJECTS_BETWEEN_COLLECTIONS = 100_000


@exit_on_input_error("report")
@workspace.alone("report")
def main() -> None:
    gc.set_threshold(OBJECTS_BETWEEN_COLLECTIONS)
    from insiders.answers import outputs
    from insiders.answers.inputs import Inputs
    from insiders.io import params
    from insiders.io.tracking import runs

    settings = params.read()
    with runs.stage_run("report", settings.report.model_dump()) as log:
        log(outputs.write(Inputs(settings)))


if __name__ == "__main__":
    main()
