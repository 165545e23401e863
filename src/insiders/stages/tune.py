"""Choose the score, and search for segments that foretell and stay: snapshots to trials and the candidate."""

from insiders.errors import exit_on_input_error
from insiders.io import workspace


@exit_on_input_error("tune")
@workspace.alone("tune")
def main() -> None:
    from insiders.answers import search
    from insiders.io import params

    search.tune(params.read())


if __name__ == "__main__":
    main()
    workspace.end()
