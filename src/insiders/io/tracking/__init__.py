"""MLflow: runs of stages and trials, the registry of models. Nothing else in the project imports it."""

from insiders.io.tracking.cards import gate_tags as gate_tags
from insiders.io.tracking.cards import model_card as model_card
from insiders.io.tracking.connection import connect as connect
from insiders.io.tracking.runs import SearchRun as SearchRun
from insiders.io.tracking.runs import Trial as Trial
from insiders.io.tracking.runs import search_run as search_run
from insiders.io.tracking.runs import stage_run as stage_run
