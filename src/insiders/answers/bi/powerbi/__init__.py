"""The board as a Power BI project (.pbip): a model and a report, as text that Power BI Desktop opens.

The model (TMDL) has every published table as its current rows, the relationships between them and the measures; the
report (PBIR) has a page per section. After Microsoft's public references of both forms.
"""

import json
from collections.abc import Mapping

from insiders.answers.bi import Board
from insiders.answers.bi.powerbi import model, report
from insiders.answers.bi.powerbi.sources import Source

NAME = "Insiders"
SCHEMAS = "https://developer.microsoft.com/json-schemas/fabric"


def project(board: Board, source: Source) -> dict[str, str]:
    """Path within the project's folder -> text."""
    pbip = {
        "$schema": f"{SCHEMAS}/pbip/pbipProperties/1.0.0/schema.json",
        "version": "1.0",
        "artifacts": [{"report": {"path": f"{NAME}.Report"}}],
        "settings": {"enableAutoRecovery": True},
    }
    pbism = {"$schema": f"{SCHEMAS}/item/semanticModel/definitionProperties/1.0.0/schema.json", "version": "4.2"}
    pbir = {
        "$schema": f"{SCHEMAS}/item/report/definitionProperties/2.0.0/schema.json",
        "version": "4.0",
        "datasetReference": {"byPath": {"path": f"../{NAME}.SemanticModel"}},
    }
    files = {
        f"{NAME}.pbip": _json(pbip),
        f"{NAME}.SemanticModel/definition.pbism": _json(pbism),
        f"{NAME}.Report/definition.pbir": _json(pbir),
    }
    parts = {f"{NAME}.SemanticModel/definition/{path}": text for path, text in model.files(board, source).items()}
    pages = {f"{NAME}.Report/definition/{path}": _json(part) for path, part in report.files(board).items()}
    return {**files, **parts, **pages}


def _json(content: Mapping[str, object]) -> str:
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"
