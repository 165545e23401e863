"""A card as a query to PostgreSQL, written as a person would read it."""

from insiders.answers.bi.cards import Card, Figure, Rows


def select(card: Card, schema: str, also: str = "") -> str:
    """The card's query; `also` is a further condition, between marks by which a tool leaves it out.

    Groups come first, then figures, under the names that `Figure.name` gives.
    """
    groups = [quoted(name) for name in card.columns]
    shown = [*groups, *(f"{_aggregate(figure)} AS {quoted(figure.name)}" for figure in card.figures)]
    lines = ["SELECT " + ",\n       ".join(shown), f"FROM {quoted(schema)}.{quoted(card.view)}"]
    lines += _conditions(card.only, also)
    if card.figures and groups:
        lines.append(f"GROUP BY {', '.join(groups)}")
    if groups:
        lines.append(f"ORDER BY {quoted(card.order) if card.order else ', '.join(groups)}")
    return "\n".join(lines)


def _conditions(only: Rows | None, also: str) -> list[str]:
    fixed = f"WHERE {_holds(only)}" if only else "WHERE TRUE"
    return [" ".join(filter(None, [fixed, also]))] if only or also else []


def _aggregate(figure: Figure) -> str:
    match figure.aggregate, figure.share_of:
        case "count", None:
            return "count(*)"
        case "count", Rows() as rows:
            return f"avg(CASE WHEN {_holds(rows)} THEN 1.0 ELSE 0.0 END)"
        case "median", None:
            return f"percentile_cont(0.5) WITHIN GROUP (ORDER BY {quoted(figure.column)})"
        case "sum", Rows() as rows:
            column = quoted(figure.column)
            part = f"sum(CASE WHEN {_holds(rows)} THEN {column} ELSE 0 END)"
            return f"{part} / nullif(sum({column}), 0)"
        case "sum", None:
            return f"sum({quoted(figure.column)})"
    raise NotImplementedError(f"{figure.title}: a {figure.aggregate} of some rows has no form in SQL here")


def _holds(rows: Rows) -> str:
    if isinstance(rows.value, bool):
        return quoted(rows.column) if rows.value else f"NOT {quoted(rows.column)}"
    return f"{quoted(rows.column)} = '{rows.value}'"


def quoted(name: str) -> str:
    return f'"{name}"'
