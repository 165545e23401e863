"""What the pictures of the nine answers are drawn from."""

from collections.abc import Mapping
from typing import NamedTuple

import pandas as pd

from insiders.language import Language
from insiders.report.numbers import Answers


class Scene(NamedTuple):
    """`members` are customers with segment and is_insider; `labels` are readable names by column."""

    members: pd.DataFrame
    trials: pd.DataFrame
    answers: Answers
    labels: Mapping[str, str]
    language: Language
