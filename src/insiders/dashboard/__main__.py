"""The dashboard's server: Streamlit, in a process that has imported what the pages need before somebody asks."""

import sys

from streamlit.web import cli

from insiders.answers import release
from insiders.dashboard import APP, experiment, members, models, overview, quality, segments, sizes

LOADED = (experiment, members, models, overview, quality, segments, sizes)

if __name__ == "__main__":
    release.shown().state()  # imports also what reads the store
    sys.argv = ["streamlit", "run", str(APP), *sys.argv[1:]]
    sys.exit(cli.main())
