"""Metrics against scikit-learn and scipy, intervals against a plain loop and a known truth, records
recomputed."""

import math
import time
import warnings
from types import SimpleNamespace

import numpy as np
import pytest
import scipy.stats
import sklearn.metrics as sk

from satlib import records
from satlib.data.interactions import Event, Example
from satlib.evaluation import bootstrap, judging, metrics

WHO = {"model": "m", "dataset": "d", "profile": "fast", "part": "test", "seed": 3}


def half_up(values):
    return [min(5, max(1, math.floor(v + 0.5))) for v in values]


def quietly(function, *arguments, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return float(function(*arguments, **options))


def sk_auc(y, p):
    satisfied = np.asarray(y) >= 4
    return sk.roc_auc_score(satisfied, p) if 0 < satisfied.sum() < len(satisfied) else math.nan


# Independent implementations, on the same pair (rating, predicted).
ORACLES = {
    "rmse": sk.root_mean_squared_error,
    "mae": sk.mean_absolute_error,
    "accuracy": lambda y, p: sk.accuracy_score(half_up(y), half_up(p)),
    "macro_f1": lambda y, p: sk.f1_score(half_up(y), half_up(p), average="macro"),
    "uar": lambda y, p: sk.balanced_accuracy_score(half_up(y), half_up(p)),
    "qwk": lambda y, p: sk.cohen_kappa_score(
        half_up(y), half_up(p), weights="quadratic", labels=[1, 2, 3, 4, 5]
    ),
    "spearman": lambda y, p: scipy.stats.spearmanr(y, p).statistic if len(y) > 1 else math.nan,
    "auc": sk_auc,
}


def cases():
    rng = np.random.default_rng(5)
    for n in (2, 3, 7, 40, 400):
        y = rng.integers(1, 6, n).astype(float)
        yield f"random {n}", y, rng.uniform(1, 5, n)
        yield f"ties {n}", y, np.clip(np.round(y + rng.normal(0, 1, n)), 1, 5)
        yield f"halves {n}", rng.integers(2, 11, n) / 2, rng.integers(2, 11, n) / 2
        yield f"majority {n}", np.where(rng.random(n) < 0.8, 3.0, y), np.full(n, 3.0)
        yield f"perfect {n}", y, y
        yield f"reversed {n}", y, 6 - y
    yield "constant prediction", [1, 2, 3, 4, 5], [3.2] * 5
    yield "constant rating", [4] * 5, [1, 2, 3, 4, 5]
    yield "both constant, equal", [2] * 4, [2] * 4
    yield "both constant, different", [2] * 4, [5] * 4
    yield "nobody satisfied", [1, 2, 3, 3.9], [1, 5, 2, 4]
    yield "all satisfied", [4, 5, 4, 5], [1, 5, 2, 4]
    yield "one row", [4.0], [3.5]
    yield "a class only predicted", [1, 1, 2, 2], [1, 5, 5, 2]
    yield "off the scale", [1, 5, 0.5, 3], [-2.0, 7.3, 0.1, 3.0]


@pytest.mark.parametrize("name", metrics.METRICS)
@pytest.mark.parametrize("case", [pytest.param(case, id=case[0]) for case in cases()])
def test_equals_an_independent_implementation(name, case):
    _, y, p = case
    assert metrics.METRICS[name](y, p) == pytest.approx(
        quietly(ORACLES[name], y, p), abs=1e-12, nan_ok=True
    )


def test_every_metric_has_an_oracle():
    assert set(metrics.METRICS) == set(ORACLES)
    assert {"rmse", "mae", "accuracy", "macro_f1", "qwk", "spearman", "auc"} <= set(metrics.METRICS)


def test_undefined_is_nan_and_quiet(recwarn):
    y, constant = [1, 2, 3, 4, 5], [3] * 5
    assert math.isnan(metrics.spearman(y, constant)) and math.isnan(metrics.spearman(constant, y))
    assert math.isnan(metrics.auc(constant, y)) and math.isnan(metrics.qwk(constant, constant))
    assert metrics.auc(y, constant) == 0.5 and metrics.qwk(y, constant) == 0
    assert not recwarn


def test_classes_round_halves_up():
    assert metrics.classes([0.5, 1.49, 1.5, 2.5, 3.5, 4.5, 4.49, 5.0, 9, -1]).tolist() == [
        1,
        1,
        2,
        3,
        4,
        5,
        4,
        5,
        5,
        1,
    ]


def test_midranks_equal_scipy():
    whole = np.random.default_rng(0).integers(0, 6, 50)
    for values in (
        whole,
        whole / 2,
        whole / 3,
        whole - 3.0,
        whole * 1e12,
        7 + whole,
        [2.5],
        [1e300, -1e300],
    ):
        assert np.array_equal(metrics.midranks(values), scipy.stats.rankdata(values))


@pytest.mark.parametrize(
    "rating, predicted, said",
    [
        ([1, 2], [1], "2 ratings but 1 predictions"),
        ([], [], r"rating has the shape \(0,\)"),
        ([[1, 2]], [[1, 2]], r"rating has the shape \(1, 2\)"),
        ([1, math.nan], [1, 2], r"rating\[1\] is nan"),
        ([1, 2], [math.inf, 2], r"predicted\[0\] is inf"),
        ([1, "five"], [1, 2], "not a number.*five"),
        ([1, None], [1, 2], r"rating\[1\] is nan"),
    ],
)
@pytest.mark.parametrize("name", metrics.METRICS)
def test_bad_input_is_refused(name, rating, predicted, said):
    with pytest.raises(ValueError, match=said):
        metrics.METRICS[name](rating, predicted)


def test_resamples_take_whole_groups():
    groups = ["b", "a", "b", "c", "b", "a"]
    seen = set()
    for rows in bootstrap.resamples(groups, 200, np.random.default_rng(0)):
        counts = np.bincount(rows, minlength=6)
        assert counts[0] == counts[2] == counts[4] and counts[1] == counts[5]
        assert counts[0] + counts[1] + counts[3] == 3  # as many groups as there are
        seen.add(tuple(counts))
    assert len(seen) == 10  # multisets of 3 out of 3 groups


def test_bootstrap_is_the_percentile_interval_of_the_plain_loop():
    rng = np.random.default_rng(1)
    groups = np.repeat(np.arange(12), 4)
    y, p = rng.integers(1, 6, 48).astype(float), rng.uniform(1, 5, 48)
    again = np.random.default_rng(9)
    values = []
    for _ in range(150):
        chosen = again.integers(12, size=12)
        rows = [i for g in chosen for i in range(48) if groups[i] == g]
        values.append(sk.mean_absolute_error(y[rows], p[rows]))
    expected = np.percentile(values, [2.5, 97.5])
    assert bootstrap.bootstrap(
        metrics.mae, y, p, groups, 150, np.random.default_rng(9)
    ) == pytest.approx(expected)
    assert bootstrap.bootstrap(metrics.mae, y, p, groups, 150, 9) == pytest.approx(expected)


@pytest.mark.parametrize("metric", [metrics.spearman, metrics.auc])
def test_the_short_cut_of_metrics_that_look_at_the_order_only_changes_no_interval(metric):
    rng = np.random.default_rng(1)
    groups = np.repeat(np.arange(30), 3)
    for y in (rng.integers(1, 6, 90) / 1, rng.integers(1, 11, 90) / 2, rng.integers(3, 16, 90) / 3):
        p = (y + rng.normal(0, 1, 90)).round(1)
        plain = [
            metric(y[rows], p[rows])
            for rows in bootstrap.resamples(groups, 100, np.random.default_rng(9))
        ]
        assert bootstrap.bootstrap(metric, y, p, groups, 100, 9) == tuple(
            np.quantile(plain, [0.025, 0.975])
        )


def test_interval_by_group_covers_the_truth_and_by_row_does_not():
    rng, hit = np.random.default_rng(2), {"group": 0, "row": 0}
    truth = math.sqrt(2)  # user effect and row noise have variance 1 each
    for _ in range(100):
        groups = np.repeat(np.arange(30), 12)
        error = rng.normal(size=30)[groups] + rng.normal(size=360)
        for how, by in (("group", groups), ("row", range(360))):
            low, high = bootstrap.bootstrap(
                metrics.rmse, 3 + error, np.full(360, 3.0), by, 200, rng
            )
            hit[how] += low <= truth <= high
    assert hit["group"] >= 84 and hit["row"] <= 75


def test_one_group_has_no_interval_and_undefined_samples_are_left_out():
    assert all(map(math.isnan, bootstrap.bootstrap(metrics.mae, [1, 2], [2, 2], ["a", "a"])))
    assert all(map(math.isnan, bootstrap.bootstrap(metrics.spearman, [1, 2], [2, 2], ["a", "b"])))
    low, high = bootstrap.bootstrap(
        metrics.auc, [1, 5, 2, 4], [1, 5, 2, 4], range(4)
    )  # some samples have one class
    assert low == high == 1


@pytest.mark.parametrize(
    "groups, draws, said", [(["a"], 10, "2 ratings but 1 groups"), (["a", "b"], 0, "draws = 0")]
)
def test_bootstrap_refuses(groups, draws, said):
    with pytest.raises(ValueError, match=said):
        bootstrap.bootstrap(metrics.mae, [1, 2], [2, 2], groups, draws)


def test_evaluate_gives_rows_of_a_record():
    rng = np.random.default_rng(0)
    y, p, groups = rng.integers(1, 6, 60), rng.uniform(1, 5, 60), [f"u{i // 4}" for i in range(60)]
    rows = judging.evaluate(y, p, groups, **WHO)
    assert [row["metric"] for row in rows] == list(metrics.METRICS)
    for row in rows:
        assert (
            tuple(row) == records.ROW_KEYS
            and row["n"] == 60
            and row["seed"] == 3
            and row["model"] == "m"
        )
        assert row["value"] == pytest.approx(metrics.METRICS[row["metric"]](y, p), abs=1e-6)
        assert row["low"] < row["value"] < row["high"]
        expected = bootstrap.bootstrap(metrics.METRICS[row["metric"]], y, p, groups)
        assert (row["low"], row["high"]) == pytest.approx(expected, abs=1e-6)
    assert rows == judging.evaluate(y, p, groups, **WHO)


def test_evaluate_leaves_the_undefined_as_none():
    rows = {
        row["metric"]: row for row in judging.evaluate([3, 3, 2], [3, 3, 3], ["a", "b", "c"], **WHO)
    }
    for name in ("spearman", "auc"):
        assert rows[name]["value"] is rows[name]["low"] is rows[name]["high"] is None
    assert rows["accuracy"]["value"] == pytest.approx(2 / 3, abs=1e-6)


def test_evaluate_is_fast_enough():
    rng = np.random.default_rng(0)
    y, p, groups = rng.integers(1, 6, 1300), rng.uniform(1, 5, 1300), rng.integers(0, 160, 1300)
    begin = time.process_time()
    judging.evaluate(y, p, groups, **WHO)
    assert time.process_time() - begin < 6  # 1 to 2 s on a quiet machine


def an_example(i):
    return Example(
        f"e{i}", f"u{i // 2}", "shop", (Event("user", "click", "a lamp"),), (1.0 + i % 5, 2.0, 4.0)
    )


def judged(**changes):
    parts = {part: [an_example(i) for i in range(6)] for part in ("train", "validation", "test")}
    options = dict(
        parts=parts,
        loaded=SimpleNamespace(name="toy", sha256="1" * 64, scale=(1, 5)),
        draws=50,
        split_sha256="2" * 64,
        profile="fast",
        seed=4,
        parameters={"alpha": 1.0},
        curves=[{"step": 1}],
        predicted={"validation": np.full(6, 3.123456), "test": [1, 2, 3, 4, 5, 3.33333]},
    )
    return judging.judge("m", **(options | changes))


def test_judge_builds_a_record_that_can_be_saved_and_recomputed(tmp_path):
    uniform = {"test": np.full((6, 5), 0.2)}
    record = records.load(records.save(judged(distribution=uniform), tmp_path))
    assert (record.model, record.dataset, record.seed) == ("m", "toy", 4)
    assert (record.data_sha256, record.split_sha256) == ("1" * 64, "2" * 64)
    assert record.parameters == {"alpha": 1.0} and record.curves == [{"step": 1}]
    assert (
        list(record.predictions) == ["validation", "test"]
        and "distribution" not in record.predictions["validation"]
    )
    columns = record.predictions["test"]
    assert columns["id"] == [f"e{i}" for i in range(6)] and columns["group"][:3] == [
        "u0",
        "u0",
        "u1",
    ]
    assert (
        columns["rating"][0] == 2.3333
        and columns["predicted"][-1] == 3.3333
        and columns["domain"] == ["shop"] * 6
    )
    assert columns["distribution"] == [[0.2] * 5] * 6
    assert len(record.rows) == 2 * len(metrics.METRICS)
    for row in record.rows:
        columns, metric = record.predictions[row["part"]], metrics.METRICS[row["metric"]]
        value = metric(columns["rating"], columns["predicted"])
        assert (
            row["value"] is None
            and math.isnan(value)
            or row["value"] == pytest.approx(value, abs=1e-6)
        )


@pytest.mark.parametrize(
    "changes, said",
    [
        ({"predicted": {"dev": [1]}}, "no part 'dev' among train, validation, test"),
        ({"predicted": {"test": [1, 2]}}, "6 ratings but 2 predictions"),
        ({"distribution": {"test": np.ones((6, 4)) / 4}}, r"shape \(6, 4\); give \[6, 5\]"),
        ({"distribution": {"test": np.ones((6, 5))}}, "summing to 1"),
    ],
)
def test_judge_refuses(changes, said):
    with pytest.raises(ValueError, match=said):
        judged(**changes)
