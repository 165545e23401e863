"""Where every file lies, relative to the project's top folder; other programs rely on these places."""

from pathlib import Path

DATA = Path("data")
SOURCE = DATA / "source.json"
RAW = DATA / "raw"
LAST_READING = RAW / "_database.parquet"  # rows of a database, for those of the next run that are the same
TRANSACTIONS = DATA / "transactions.parquet"
QUARANTINE = DATA / "quarantine.parquet"
LINES = DATA / "lines.parquet"
ORDERS = DATA / "orders.parquet"
LEDGER = DATA / "ledger.csv"
CUSTOMERS = DATA / "customers.parquet"
SNAPSHOTS = DATA / "snapshots.parquet"
HOLDOUT = DATA / "holdout.parquet"
HISTORY = DATA / "history.parquet"
JUDGED = DATA / "judged.parquet"
ASSIGNMENTS = DATA / "assignments.parquet"
CONFIDENCE = DATA / "confidence.parquet"
PLACES = DATA / "places.parquet"
MEMBERSHIPS = DATA / "memberships.parquet"
OUTLOOK = DATA / "outlook.json"
EXPECTATIONS = DATA / "expectations.parquet"
MEMBERS = DATA / "members.parquet"
MOVEMENT = DATA / "movement.parquet"
TERMS = DATA / "terms.parquet"
PROGRAMME = DATA / "programme"
HANDS = PROGRAMME / "hands.jsonl"
ACCEPTED = PROGRAMME / "accepted.jsonl"
TRUTH = DATA / "truth.parquet"

SPILLED = ".spill-"  # and the number of a process: the folder with those of its tables that do not fit the memory

MODELS = Path("models")
CANDIDATE = MODELS / "candidate.json"
REGISTERED = MODELS / "registered.json"

REPORTS = Path("reports")
INTAKE = REPORTS / "intake.md"
TRIALS = REPORTS / "trials.csv"
EXPERIMENT = REPORTS / "experiment.csv"
INSIDERS = REPORTS / "insiders.csv"
ANSWERS = REPORTS / "answers.json"
AUDIENCES = REPORTS / "audiences.csv"
AUDIENCE_FILES = REPORTS / "audiences"  # one file per action
RECOMMENDATIONS = REPORTS / "recommendations.csv"
SPREADSHEETS = REPORTS / "spreadsheets"  # the lists for people
RFM = REPORTS / "rfm.csv"
METRICS = REPORTS / "metrics.json"
PAGE = REPORTS / "index.html"
EXPLORATION_NUMBERS = REPORTS / "exploration.json"
EXPLORATION_PAGE = REPORTS / "exploration.html"

MLRUNS = Path("mlruns")


def audience(action: str) -> Path:
    """The file of those whom an action means."""
    return AUDIENCE_FILES / f"{action}.csv"
