"""How groups lie apart: silhouettes and distances of groups made by hand, and their pictures."""

import numpy as np
import pandas as pd
import pytest

from insiders.explore import clusters
from insiders.language import Language
from insiders.report.figures import clusters as figures
from insiders.report.figures import style

CENTRES = ((0.0, 0.0), (3.0, 0.0), (0.0, 40.0))


def people(each: int = 20) -> pd.DataFrame:
    """Two groups side by side and one far away; of the first, a half is invited and a half held out."""
    rng = np.random.default_rng(5)
    points = np.concatenate([rng.normal(centre, 0.5, (each, 2)) for centre in CENTRES])
    cluster = np.repeat([0, 1, 2], each)
    arms = np.where(cluster > 0, "", np.where(np.arange(len(points)) % 2, "invited", "held_out"))
    return pd.DataFrame(
        {
            "cluster": cluster,
            "segment": [f"S{number}" for number in cluster],
            "place": list(points),
            "is_insider": cluster == 0,
            "arm": arms,
        }
    )


def measured(frame: pd.DataFrame) -> clusters.Clusters:
    found = clusters.clusters(frame)
    assert found
    return found


def test_neighbours_are_nearest_and_who_stands_alone_is_far() -> None:
    groups = measured(people()).numbers["groups"]
    assert [row["nearest"] for row in groups[:2]] == ["S1", "S0"]
    assert groups[2]["distance"] > 10 * groups[0]["distance"]
    assert groups[2]["silhouette"] > 0.9 > groups[0]["silhouette"] > 0
    assert [(row["invited"], row["held_out"]) for row in groups] == [(10, 10), (0, 0), (0, 0)]
    assert [row["is_insider"] for row in groups] == [True, False, False]


def test_distances_are_shares_of_their_mean() -> None:
    triangle = people(1).assign(place=[np.array(each) for each in CENTRES])
    twice = pd.concat([triangle, triangle], ignore_index=True)
    mean = np.mean([3, 40, np.hypot(3, 40)])
    assert measured(twice).numbers["groups"][0]["distance"] == pytest.approx(3 / mean, abs=1e-6)


def test_a_customer_in_the_midst_of_another_group_lies_below_zero() -> None:
    frame = people()
    frame["place"] = [np.array(CENTRES[2]), *frame["place"].iloc[1:]]
    found = measured(frame)
    own = found.silhouettes.query("segment == 'S0'")["silhouette"]
    assert own.min() < -0.8
    assert found.numbers["groups"][0]["below_zero_share"] == (own < 0).mean() > 0


def test_who_is_in_no_cluster_is_not_measured() -> None:
    frame = people()
    noise = frame.iloc[:5].assign(cluster=-1, segment="Unclustered")
    assert measured(pd.concat([frame, noise])).numbers["customers"] == len(frame)


def test_one_group_alone_has_nothing_to_lie_apart_from() -> None:
    assert clusters.clusters(people().query("cluster == 0")) is None


def test_the_order_of_the_rows_changes_nothing() -> None:
    assert measured(people().sample(frac=1, random_state=1)).numbers == measured(people()).numbers


def test_many_customers_are_measured_by_an_evenly_spaced_part(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clusters, "LANDMARKS", 30)
    found = measured(people())
    assert found.numbers["customers"] == 30
    assert found.silhouettes["segment"].value_counts().min() > 5


def test_the_pictures_have_a_blade_and_a_circle_for_each_group() -> None:
    found = measured(people())
    groups, mean = found.numbers["groups"], found.numbers["silhouette"]
    drawn = figures.pictures(groups, found.silhouettes, mean, Language("pt-BR", "BRL"))
    blades, circles = (drawn[name].figure.axes[0].collections for name in ("silhouettes", "distances"))
    assert len(blades) == len(circles) == 3
    again = figures.pictures(groups, found.silhouettes.sample(frac=1, random_state=2), mean, Language("pt-BR", "BRL"))
    assert [style.svg(*each) for each in drawn.values()] == [style.svg(*each) for each in again.values()]
