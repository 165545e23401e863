"""The dashboard's server: Streamlit, in a process that has read the release before somebody asks for it."""

import sys

from streamlit.web import cli

from insiders.dashboard import APP, current, experiment, members, models, overview, quality, segments, sizes

LOADED = (experiment, members, models, overview, quality, segments, sizes)

if __name__ == "__main__":
    current.latest()
    sys.argv = ["streamlit", "run", str(APP), *sys.argv[1:]]
    sys.exit(cli.main())
