"""What reproduced, what did not, what was wrong: the numbers behind the README's table on the
literature, computed from the records.

Each finding has the numbers that the records give and the lesson that shows them. The words, in
each language of the README, stand with the README's templates. No lesson imports this module.
"""

from collections.abc import Callable
from pathlib import Path

from satlib import record_cache, records, runtime
from satlib.evaluation import ensembles, metrics
from satlib.reproduction import protocols, published, ratings, usda


def folder() -> Path:
    """Where the committed records of the reproduction lie."""
    return runtime.data_folder() / "runs" / protocols.STUDY


def _committed(protocol: str, corpus: str) -> list[records.RunRecord]:
    return record_cache.found(folder(), corpus, protocol)


def _of_model(protocol: str, corpus: str, model: str) -> records.RunRecord:
    """The first committed record of a model."""
    return next(r for r in _committed(protocol, corpus) if r.model == model)


def _row(record: records.RunRecord, metric: str, part: str = "test") -> dict:
    """The row of a metric: value, low, high and more."""
    return next(row for row in record.rows if (row["metric"], row["part"]) == (metric, part))


def _value(record: records.RunRecord, metric: str) -> float:
    return _row(record, metric)["value"]


def _interval(row: dict) -> dict[str, float]:
    """Value and bounds of a metric's row."""
    return {"value": row["value"], "low": row["low"], "high": row["high"]}


def _quoted(protocol: str, corpus: str, model: str, metric: str) -> float:
    """A published number, not one of those that were measured for the kit."""
    numbers = published.numbers(protocol, corpus)
    chosen = (numbers["model"] == model) & (numbers["metric"] == metric)
    return numbers[chosen]["value"].iloc[0]


def constant() -> dict:
    """The published rho of a constant, and that of the published XGBoost, one for each corpus."""
    ours, theirs = [], []
    for corpus in protocols.USS:
        record = _of_model("A0", corpus, "always-3")
        ours.append(_value(record, "published_rho"))
        theirs.append(_quoted("A0", corpus, "XGBoost", "published_rho"))
    return {"ours": ours, "theirs": theirs}


def halved() -> dict:
    """The F1 of the published formula, and the true one, one for each corpus."""
    printed, true = [], []
    for corpus in protocols.USS:
        record = _of_model("A0", corpus, "tfidf-logistic")
        columns = record.predictions["test"]
        printed.append(_value(record, "published_f1"))
        true.append(metrics.f1_dissatisfied(columns["rating"], columns["predicted"]))
    return {"printed": printed, "true": true}


def corrected() -> dict:
    """The largest kappa under A1 on each corpus, and the model that has it."""
    largest = []
    for corpus in protocols.USS:
        best = max(_committed("A1", corpus), key=lambda record: _value(record, "kappa"))
        kappa = _interval(_row(best, "kappa"))
        largest.append({"corpus": corpus, "model": best.model, "kappa": kappa})
    return {"largest": largest}


def shuffled() -> dict:
    """What shuffled rows are worth to a word model: changes of kappa."""
    corpus = "uss-redial"
    changes = []
    for record in _committed("A0-shuffled-rows", corpus):
        changes.append(_interval(_row(record, "kappa_change")))
    return {"corpus": corpus, "changes": changes}


def rebuilt() -> dict:
    """The sizes of the training sets of protocol B; how many published rows were found in USS, and
    how many of them agree with it."""
    sizes = []
    in_uss = 0
    agree = 0
    for corpus in protocols.USDA:
        split = record_cache.load_split(f"split-{corpus}-B", folder())
        sizes.append(len(split["train"]))
        annotator = _of_model("B", corpus, usda.ANNOTATOR)
        for counts in annotator.parameters["verified"].values():
            in_uss += counts["found"]
            agree += counts["agree"]
    return {"sizes": sizes, "in_uss": in_uss, "agree": agree}


def three_classes() -> dict:
    """The accuracy of the chosen average of protocol B on each corpus, beside that of ASAP.
    verdict: where ASAP's lies, inside the interval, not reached (above it) or passed (below)."""
    averages = []
    for corpus in protocols.USDA:
        best = _chosen_average(corpus)
        value, low, high, _ = ensembles.score([best], best.model, "accuracy")
        quoted = _quoted("B", corpus, "ASAP", "accuracy")
        if quoted > high:
            verdict = "not reached"
        elif quoted < low:
            verdict = "passed"
        else:
            verdict = "inside"
        accuracy = {"value": value, "low": low, "high": high}
        averages.append(
            {"corpus": corpus, "accuracy": accuracy, "quoted": quoted, "verdict": verdict}
        )
    return {"averages": averages}


def _chosen_average(corpus: str) -> records.RunRecord:
    """The average of models of protocol B that is best on the validation part."""
    single = ensembles.read(folder(), corpus, "B", usda.TABLE_ORDER)
    there = {record.model for record in single}
    averages = []
    for name, members in ensembles.ENSEMBLES.items():
        if there.issuperset(members):
            averages.append(ensembles.ensemble(single, name, members))
    return max(averages, key=_validation_macro_f1)


def _validation_macro_f1(record: records.RunRecord) -> float:
    columns = record.predictions["validation"]
    return metrics.macro_f1(columns["rating"], columns["predicted"])


def same_people() -> dict:
    """AB-ReDial's correlation from the same annotators' aspects, from others', and the best one
    from text alone, with its model."""
    record = _of_model("C", "ab-redial-turn", "aspects")
    from_text = [r for r in _committed("C", "ab-redial-turn") if r.model != "aspects"]
    best = max(from_text, key=lambda record: _value(record, "pearson"))
    return {
        "own": _interval(_row(record, "pearson", "means of the same annotators")),
        "other": _interval(_row(record, "pearson", "others' aspects")),
        "text": _interval(_row(best, "pearson")),
        "model": best.model,
    }


def split_decides() -> dict:
    """The RMSE of biases and of trees under four splits."""
    rated = ratings.read(folder())
    errors = []
    for split in ratings.SPLITS:
        biases, _, _ = ratings.summary(rated[f"movielens-{split}", "biases"])
        trees, _, _ = ratings.summary(rated[f"movielens-{split}", "trees"])
        errors.append({"split": split, "biases": biases, "trees": trees})
    return {"errors": errors}


def own_review() -> dict:
    """The lowest RMSE on Amazon with and without the review of the rated product, and its model."""
    rated = ratings.read(folder())
    best = {}
    for view in ("without", "with"):
        rmse = {}
        for (dataset, model), seeds in rated.items():
            if dataset == f"amazon-{view}-review":
                rmse[model] = ratings.summary(seeds)
        model = min(rmse, key=rmse.get)
        value, low, high = rmse[model]
        best[view] = {"model": model, "rmse": {"value": value, "low": low, "high": high}}
    return {"with_review": best["with"], "without_review": best["without"]}


# What computes the numbers of a finding, and the lesson that shows it, in the order of the table.
FINDINGS: tuple[tuple[Callable[[], dict], str], ...] = (
    (constant, "61"),
    (halved, "61"),
    (corrected, "61"),
    (shuffled, "61"),
    (rebuilt, "62"),
    (three_classes, "62"),
    (same_people, "63"),
    (split_decides, "64"),
    (own_review, "64"),
)


def table() -> list[dict]:
    """The rows of the table: name of the finding, its numbers, the lesson that shows it."""
    rows = []
    for compute, lesson in FINDINGS:
        rows.append({"name": compute.__name__, "numbers": compute(), "lesson": lesson})
    return rows
