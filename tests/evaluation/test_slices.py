"""Slices are found where something was planted and not elsewhere, and their gaps equal plain
computations."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from invented import make

from satlib.data import corpora
from satlib.data.satsim import sessions, simulation
from satlib.evaluation import bootstrap, comparable_records, metrics, slices
from satlib.evaluation.ranking import holm


@pytest.fixture(scope="module")
def frame():
    """240 rows of 60 users; users of the north are rated 0.8 lower than predicted, video rows err
    twice as widely."""
    rng, user = np.random.default_rng(0), np.repeat(np.arange(60), 4)
    region, domain = (
        np.where(user % 4 == 0, "north", "south"),
        np.tile(["shop", "news", "video", "video"], 60),
    )
    error = 0.8 * (region == "north") + rng.normal(0, 0.4, 240) * np.where(domain == "video", 2, 1)
    rating = rng.integers(1, 6, 240).astype(float)
    return pd.DataFrame(
        {
            "group": user,
            "region": region,
            "domain": domain,
            "one": "same",
            "rating": rating,
            "predicted": rating + error,
        }
    )


def test_values_and_gaps_are_plain_means(frame):
    found = slices.slices(frame, ["region", "domain"], draws=50).set_index("slice")
    error = frame["predicted"] - frame["rating"]
    for name, row in found.iterrows():
        inside = frame[row["attribute"]] == name
        assert row["value"] == pytest.approx(error[inside].mean()) and row["rows"] == inside.sum()
        assert row["gap"] == pytest.approx(error[inside].mean() - error[~inside].mean())
        assert (
            row["low"] < row["value"] < row["high"]
            and row["gap_low"] < row["gap"] < row["gap_high"]
        )
    assert found.loc["north", "groups"] == 15 and found.loc["video", "groups"] == 60
    assert found["holm"].to_numpy() == pytest.approx(holm(found["p"]))
    wide = slices.slices(frame, ["region"], "rmse", draws=50).set_index("slice")
    north = frame[frame["region"] == "north"]
    assert wide.loc["north", "value"] == pytest.approx(
        metrics.rmse(north["rating"], north["predicted"])
    )


def test_what_was_planted_is_found_and_nothing_else(frame):
    signed, wide = (
        slices.slices(frame, ["region", "domain"], m).set_index("slice") for m in slices.MEASURES
    )
    assert (
        set(signed.index[signed["holm"] < 0.05]) == {"north", "south"}
        and signed.loc["north", "gap"] > 0.6
    )
    assert wide.loc["video", "holm"] < 0.05 and wide.loc["video", "gap"] > 0


def test_an_interval_is_that_of_a_bootstrap_by_group_and_close_to_statsmodels(frame):
    found = slices.slices(frame, ["domain"], draws=300, rng=4).set_index("slice").loc["video"]
    error, inside = (
        (frame["predicted"] - frame["rating"]).to_numpy(),
        (frame["domain"] == "video").to_numpy(),
    )
    drawn = [
        error[rows][inside[rows]].mean() - error[rows][~inside[rows]].mean()
        for rows in bootstrap.resamples(frame["group"], 300, np.random.default_rng(4))
    ]
    assert (found["gap_low"], found["gap_high"]) == pytest.approx(
        tuple(np.quantile(drawn, bootstrap.BOUNDS))
    )
    region = slices.slices(frame, ["region"], draws=4000).set_index("slice").loc["north"]
    fit = sm.OLS(error, sm.add_constant((frame["region"] == "north").to_numpy(float))).fit(
        cov_type="cluster", cov_kwds={"groups": frame["group"].to_numpy()}
    )
    assert region["gap"] == pytest.approx(fit.params[1])
    assert (region["gap_high"] - region["gap_low"]) / 3.92 == pytest.approx(fit.bse[1], rel=0.08)


def test_another_target_and_its_own_draws(frame):
    exact = slices.slices(
        frame.assign(expected=frame["predicted"]), ["region"], target="expected", draws=20
    )
    assert exact["value"].tolist() == exact["gap"].tolist() == [0, 0] and exact["p"].tolist() == [
        1,
        1,
    ]
    one, two = (
        slices.slices(frame, ["region"], draws=20, rng=r) for r in (1, np.random.default_rng(1))
    )
    assert one.equals(two)


def test_an_attribute_with_one_value_has_no_rest(frame):
    assert set(slices.slices(frame, ["one", "region"], draws=5)["attribute"]) == {"region"}
    with pytest.raises(ValueError, match="each of one has one value only"):
        slices.slices(frame, ["one"])
    with pytest.raises(ValueError, match="unknown measure 'mae'; choose one of error, rmse"):
        slices.slices(frame, ["region"], "mae")


def test_a_slice_of_one_group_is_sometimes_not_drawn(frame):
    lonely = frame.assign(lonely=frame["group"] == 7)
    found = slices.slices(lonely, ["lonely"], draws=50)
    assert np.isfinite(found[["value", "gap", "gap_low", "gap_high", "p"]].to_numpy()).all()


def test_attributes_are_joined_by_id_and_a_strange_id_is_refused():
    frame, examples = (
        comparable_records.predictions([make("mean")], "mean"),
        corpora.load("satsim", limit=60).examples,
    )
    with pytest.raises(
        ValueError, match="'test-0' is not among the 6.* examples; load the corpus that was judged"
    ):
        slices.attributes(frame, examples)
    chosen = examples[::-1][:5]
    joined = slices.attributes(frame.head(5).assign(id=[e.id for e in chosen]), examples)
    assert joined["region"].tolist() == [e.attributes["region"] for e in chosen]
    assert joined["age"].tolist() == [e.attributes["age"] for e in chosen] and "predicted" in joined


def test_what_is_planted_in_satsim_is_found_in_the_committed_records():
    """Harsh region, slang of teens, and drift, against the expected rating, corrected for three
    questions."""
    found = comparable_records.load_committed("satsim", "fast")
    frame = pd.concat(
        [
            comparable_records.predictions(found, "embeddings-ridge", part)
            for part in ("validation", "test")
        ]
    )
    examples, truth = corpora.load("satsim").examples, simulation.oracle()
    frame = slices.attributes(frame.reset_index(drop=True), examples)
    dates = {example.id: example.date for example in examples}
    frame["late"] = [dates[id] >= simulation.DRIFT_DATE for id in frame["id"]]
    frame["expected"] = [float(simulation.expected_rating(truth[id])) for id in frame["id"]]
    signed = slices.slices(frame, ["region", "late"], target="expected").set_index("slice")
    wide = slices.slices(frame, ["age"], "rmse", target="expected").set_index("slice")
    chosen = pd.concat([signed.loc[[sessions.HARSH_REGION, True]], wide.loc[[sessions.SLANG_AGE]]])
    assert (chosen["gap"] > 0).all() and (holm(chosen["p"]) < 0.05).all()
