"""Dashboards as files, of Superset and Power BI: whole, the same each time, and of nothing that is not published."""

import json
import re
import shutil
import zipfile
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from insiders import cli
from insiders.answers import bi
from insiders.answers.bi.powerbi import model
from insiders.answers.bi.sections import SECTIONS
from insiders.io.stores.folder import part
from insiders.schemas.published import BY_NAME, MOVED, RELEASES
from small_shop import TOP

CARDS = [card for section in SECTIONS for card in section.cards]
ADDRESS = "postgresql+psycopg://bi:${PASSWORD}@db.example:5433/marketing"
# The types of TMDL that hold what each kind of published value is.
HOLDS = {
    "string": {"id", "text"},
    "dateTime": {"day", "moment"},
    "decimal": {"money"},
    "double": {"share", "number"},
    "int64": {"count"},
    "boolean": {"flag"},
}


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copy(TOP / "params.yaml", tmp_path)
    monkeypatch.chdir(tmp_path)


def run(*words: str, status: int = 0) -> str:
    result = CliRunner().invoke(cli.app, ["bi", *words])
    assert result.exit_code == status, result.output
    assert "Traceback" not in result.output
    return str(result.output)


# Superset.


def archive(address: str = ADDRESS) -> dict[str, Any]:
    """Path without the folder and the ending -> content."""
    assert run("superset", "--source", address, "--out", "board.zip") == (
        f"board.zip holds {len(CARDS)} charts and the dashboard\n"
    )
    with zipfile.ZipFile("board.zip") as opened:
        return {
            name.removeprefix("insiders/").removesuffix(".yaml"): yaml.safe_load(opened.read(name))
            for name in opened.namelist()
        }


def test_superset_gets_a_chart_and_its_data_set_per_card() -> None:
    files = archive()
    charts = {name: content for name, content in files.items() if name.startswith("charts/")}
    sets = {content["uuid"]: content for name, content in files.items() if name.startswith("datasets/")}
    places = {
        node["meta"]["uuid"]
        for node in files["dashboards/Insiders"]["position"].values()
        if type(node) is dict and node["type"] == "CHART"
    }
    assert len(charts) == len(sets) == len(CARDS)
    assert {chart["uuid"] for chart in charts.values()} == places
    for chart in charts.values():
        columns = {column["column_name"] for column in sets[chart["dataset_uuid"]]["columns"]}
        form = chart["params"]
        figures = form.get("metrics") or [form[each] for each in ("metric",) if each in form]
        used = {*form.get("all_columns", []), *form.get("groupby", []), *filter(None, [form.get("x_axis")])}
        used |= {name for each in figures for name in re.findall('"(.+)"', each["sqlExpression"])}
        assert used == columns
        assert json.loads(chart["query_context"])["form_data"]["viz_type"] == chart["viz_type"]
    assert {content["database_uuid"] for content in sets.values()} == {files["databases/Insiders"]["uuid"]}


def test_every_child_in_supersets_layout_is_there() -> None:
    position = archive()["dashboards/Insiders"]["position"]
    nodes = {name: node for name, node in position.items() if isinstance(node, dict)}
    children = [child for node in nodes.values() for child in node.get("children", [])]
    assert sorted(children) == sorted(set(nodes) - {"ROOT_ID", "HEADER_ID"})
    rows = [node for node in nodes.values() if node["type"] == "ROW"]
    assert all(sum(nodes[chart]["meta"]["width"] for chart in row["children"]) <= 12 for row in rows)


def test_the_same_board_is_the_same_archive() -> None:
    archive()
    before = Path("board.zip").read_bytes()
    archive()
    assert Path("board.zip").read_bytes() == before


@pytest.mark.parametrize(
    ("address", "uri"),
    [
        (ADDRESS, "postgresql+psycopg2://bi:XXXXXXXXXX@db.example:5433/marketing"),  # pragma: allowlist secret
        ("postgresql://bi@db.example/marketing", "postgresql+psycopg2://bi@db.example/marketing"),
        ("postgresql://db.example/marketing", "postgresql+psycopg2://db.example/marketing"),
    ],
)
def test_superset_asks_for_a_password_that_is_in_no_file(address: str, uri: str) -> None:
    assert archive(address)["databases/Insiders"]["sqlalchemy_uri"] == uri


def test_what_superset_cannot_be_given_is_refused() -> None:
    where = ("--out", "board.zip")
    said = run("superset", "--source", "postgresql://bi:secret@db.example/marketing", *where, status=1)
    assert "the address holds a password" in said
    assert "secret" not in said
    assert "is no address of a PostgreSQL" in run("superset", "--source", "mysql://db.example/shop", *where, status=1)
    assert not Path("board.zip").exists()


# Power BI.


def project(address: str = ADDRESS) -> dict[str, str]:
    """Path within the project -> text."""
    shutil.rmtree("board", ignore_errors=True)
    run("powerbi", "--source", address, "--out", "board")
    return {
        path.relative_to("board").as_posix(): path.read_text(encoding="utf-8")
        for path in Path("board").rglob("*")
        if path.is_file()
    }


def tables(files: dict[str, str]) -> dict[str, dict[str, str]]:
    """Table -> column -> type, as the model has them."""
    of_tables = [text for path, text in files.items() if "/tables/" in path]
    names = [re.findall(r"^table (\w+)$", text, re.MULTILINE)[0] for text in of_tables]
    return {
        name: dict(re.findall(r"^\tcolumn (\w+)\n\t\tdataType: (\w+)$", text, re.MULTILINE))
        for name, text in zip(names, of_tables, strict=True)
    }


def measured(files: dict[str, str]) -> list[tuple[str, str, str]]:
    """Table, name and DAX of every measure."""
    rows = [
        (Path(path).stem, name.replace("''", "'"), dax)
        for path, text in files.items()
        if "/tables/" in path
        for name, dax in re.findall(r"^\tmeasure '?(.+?)'? = (.+)$", text, re.MULTILINE)
    ]
    assert len({name for _, name, _ in rows}) == len(rows)  # in a model each measure has a name of its own
    return rows


def test_the_model_of_power_bi_has_the_published_columns_in_their_types() -> None:
    files = project()
    published = {**BY_NAME, MOVED.name: MOVED, RELEASES.name: RELEASES}
    own = tables(files)
    assert {name: list(columns) for name, columns in own.items()} == {
        name: list(shape.columns) for name, shape in published.items()
    }
    assert [
        (name, column, kind)
        for name, columns in own.items()
        for column, kind in columns.items()
        if published[name].columns[column].kind not in HOLDS[kind]
    ] == []
    for name in published:
        text = files[f"Insiders.SemanticModel/definition/tables/{name}.tmdl"]
        view = "current_release" if name == "releases" else f"current_{name}"
        assert f'Source{{[Schema = "insiders", Item = "{view}"]}}' in text
    assert '"db.example:5433"' in files["Insiders.SemanticModel/definition/expressions.tmdl"]
    assert not any("PASSWORD" in text for text in files.values())


def test_relationships_and_measures_name_columns_of_the_model() -> None:
    files = project()
    own = tables(files)
    ends = re.findall(r"Column: (\w+)\.(\w+)", files["Insiders.SemanticModel/definition/relationships.tmdl"])
    named = [end for _, _, dax in measured(files) for end in re.findall(r"(\w+)\[(\w+)\]", dax)]
    assert len(ends) == 2 * len(model.RELATIONSHIPS)
    assert [(table, column) for table, column in [*ends, *named] if column not in own[table]] == []


def test_a_measure_says_in_dax_what_the_query_says_in_sql() -> None:
    dax = {name: text for _, name, text in measured(project())}
    assert dax["Members on the list"] == "COUNTROWS(insiders)"
    assert dax["Median net revenue"] == "MEDIAN(customers[net_revenue])"
    assert dax["Members' share of the customers"] == (
        "DIVIDE(CALCULATE(COUNTROWS(customers), KEEPFILTERS(customers[is_insider] = TRUE)), COUNTROWS(customers))"
    )
    assert dax["Members' share of the net revenue"] == (
        'DIVIDE(CALCULATE(SUM(revenue_by_month[net_revenue]), KEEPFILTERS(revenue_by_month[side] = "insiders")), '
        "SUM(revenue_by_month[net_revenue]))"
    )


def fields(content: Any) -> list[tuple[str, str, str]]:
    """Kind, table and name of all fields in a visual."""
    if isinstance(content, list):
        return [field for each in content for field in fields(each)]
    if not isinstance(content, dict):
        return []
    own = [
        (kind, content[kind]["Expression"]["SourceRef"]["Entity"], content[kind]["Property"])
        for kind in ("Column", "Measure")
        if kind in content and "Entity" in content[kind]["Expression"]["SourceRef"]
    ]
    return [*own, *(field for each in content.values() for field in fields(each))]


@pytest.mark.parametrize("address", [ADDRESS, "parquet:C:/published"])
def test_every_visual_of_power_bi_shows_fields_of_the_model(address: str) -> None:
    files = project(address)
    visuals = [json.loads(text) for path, text in files.items() if path.endswith("visual.json")]
    known = {("Column", table, column) for table, columns in tables(files).items() for column in columns}
    known |= {("Measure", table, name) for table, name, _ in measured(files)}
    assert [field for visual in visuals for field in fields(visual) if field not in known] == []
    pages = json.loads(files["Insiders.Report/definition/pages/pages.json"])["pageOrder"]
    assert len(pages) == len(SECTIONS)
    for page in pages:
        size = json.loads(files[f"Insiders.Report/definition/pages/{page}/page.json"])
        own = [json.loads(text) for path, text in files.items() if f"/{page}/visuals/" in path]
        assert all(each["position"]["x"] + each["position"]["width"] <= size["width"] + 0.1 for each in own)
        assert all(each["position"]["y"] + each["position"]["height"] <= size["height"] for each in own)
    shown = len(CARDS) - address.startswith("parquet")  # the moves between segments are a view, not a table
    assert len(visuals) == shown + sum(any(card.is_searchable for card in section.cards) for section in SECTIONS)


def test_power_bi_reads_the_files_that_are_published() -> None:
    files = project("parquet:C:/published")
    text = files["Insiders.SemanticModel/definition/tables/members.tmdl"]
    assert 'Folder & "/members/release=" & Uri.EscapeDataString(Release) & "/part-0.parquet"' in text
    assert part("2025-12-10/1/293b") == "release=2025-12-10%2F1%2F293b"  # as EscapeDataString writes it
    assert '[status] = "member" or [status] = "grace"' in text
    assert "each [valid_to] = null" in files["Insiders.SemanticModel/definition/tables/assignments.tmdl"]
    assert "movement" not in tables(files)


def test_the_same_board_is_the_same_project_in_either_language() -> None:
    before = project()
    assert project() == before
    own = yaml.safe_load(Path("params.yaml").read_text(encoding="utf-8"))
    own["report"]["language"] = "pt-BR"
    Path("params.yaml").write_text(yaml.safe_dump(own), encoding="utf-8")
    titles = {json.loads(text)["displayName"] for path, text in project().items() if path.endswith("page.json")}
    assert titles == {bi.read().say(section.title) for section in SECTIONS}
    assert "Segmentos" in titles


def test_what_power_bi_cannot_be_given_is_refused() -> None:
    project()
    assert "is there already" in run("powerbi", "--source", ADDRESS, "--out", "board", status=1)
    for address in ("sqlite:///shop.db", "postgresql://db.example", "parquet:"):
        assert "is nothing that Power BI is to read" in run("powerbi", "--source", address, "--out", "new", status=1)
    assert not Path("new").exists()
