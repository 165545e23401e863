"""MLflow: runs of stages and trials, the registry of models. Nothing else in the project imports it."""

from insiders.io.tracking.cards import gate_tags as gate_tags
from insiders.io.tracking.cards import model_card as model_card
from insiders.io.tracking.connection import connect as connect
from insiders.io.tracking.connection import moved_from as moved_from
from insiders.io.tracking.connection import schema_version as schema_version
from insiders.io.tracking.connection import shown as shown
from insiders.io.tracking.registry import Facts as Facts
from insiders.io.tracking.registry import Version as Version
from insiders.io.tracking.registry import challenger as challenger
from insiders.io.tracking.registry import champion as champion
from insiders.io.tracking.registry import find as find
from insiders.io.tracking.registry import load as load
from insiders.io.tracking.registry import promote as promote
from insiders.io.tracking.registry import register as register
from insiders.io.tracking.registry import rollback as rollback
from insiders.io.tracking.registry import serving as serving
from insiders.io.tracking.registry import versions as versions
from insiders.io.tracking.runs import SearchRun as SearchRun
from insiders.io.tracking.runs import Trial as Trial
from insiders.io.tracking.runs import search_run as search_run
from insiders.io.tracking.runs import stage_run as stage_run
