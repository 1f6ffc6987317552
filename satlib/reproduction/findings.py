"""What reproduced, what did not, what was wrong: the numbers behind the README's table on the
literature, computed from the records.

Each finding has the numbers that the records give and the lesson that shows them. The words, in
each language of the README, stand with the README's templates. No lesson imports this module.

A quoted number is no prediction: how far ours lies from it can be said, whether the two can be told
apart cannot. What can be tested is a difference between models whose predictions we have.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from satlib import record_cache, records, runtime
from satlib.evaluation import comparison, ensembles, metrics
from satlib.reproduction import (
    aspects,
    protocols,
    published,
    rating_splits,
    rating_updates,
    ratings,
    text_classifiers,
    usda,
    uss,
    uss_ablations,
)
from satlib.reproduction.record_rows import estimate, row_of, three

POINTS = 100  # percentage points of a share of 1
AB_REDIAL_TEXTS = ("tfidf-ridge", "embeddings-ridge", "bert-regression")


def folder() -> Path:
    """Where the committed records of the reproduction lie."""
    return runtime.data_folder() / "runs" / protocols.STUDY


def _committed(protocol: str, corpus: str) -> list[records.RunRecord]:
    return record_cache.found(folder(), corpus, protocol)


def _of_model(protocol: str, corpus: str, model: str) -> list[records.RunRecord]:
    """The committed records of a model, one a seed."""
    return [record for record in _committed(protocol, corpus) if record.model == model]


def _interval(numbers: Sequence[float]) -> dict[str, float]:
    """A value and its bounds by name."""
    return dict(zip(("value", "low", "high"), numbers, strict=True))


def _gap(difference: comparison.Difference, times: float = 1) -> dict:
    """What is said of a paired difference; times: 100 for percentage points."""
    numbers = (difference.value, difference.low, difference.high)
    bounds = _interval([times * number for number in numbers])
    told = {"clear": difference.clear, "drawn": difference.drawn, "seeds": max(difference.seeds)}
    return bounds | told | {"model": difference.model, "other": difference.other}


def _quoted(protocol: str, corpus: str, model: str, metric: str) -> float:
    """A published number, not one of those that were measured for the kit."""
    numbers = published.numbers(protocol, corpus)
    chosen = (numbers["model"] == model) & (numbers["metric"] == metric)
    return numbers[chosen]["value"].iloc[0]


def constant() -> dict:
    """The published rho of a constant, and that of the published XGBoost with its UAR and kappa,
    one for each corpus."""
    ours = []
    theirs = {metric: [] for metric in ("published_rho", "uar", "kappa")}
    for corpus in protocols.USS:
        (record,) = _of_model("A0", corpus, "always-3")
        ours.append(row_of(record, "published_rho")["value"])
        for metric, values in theirs.items():
            values.append(_quoted("A0", corpus, "XGBoost", metric))
    return {"ours": ours, "theirs": theirs}


def halved() -> dict:
    """The F1 of the published formula, and the true one, one for each corpus."""
    printed, true = [], []
    for corpus in protocols.USS:
        (record,) = _of_model("A0", corpus, "tfidf-logistic")
        columns = record.predictions["test"]
        printed.append(row_of(record, "published_f1")["value"])
        true.append(metrics.f1_dissatisfied(columns["rating"], columns["predicted"]))
    return {"printed": printed, "true": true}


def corrected() -> dict:
    """From which to which kappa the trained models reach under A1 on each corpus, the highest end
    of their intervals, how the encoder was trained, and how often it stayed frozen."""
    reached = []
    ends = []
    for corpus in protocols.USS:
        kappas = []
        for model in text_classifiers.CLASSIFIERS:
            seeds = _of_model("A1", corpus, model)
            if model not in text_classifiers.UNTRAINED and seeds:
                kappas.append(estimate(seeds, "kappa"))
        values = [value for value, _, _ in kappas]
        reached.append({"corpus": corpus, "lowest": min(values), "highest": max(values)})
        ends += [high for _, _, high in kappas]
    return {"reached": reached, "end": max(ends)} | encoder_of_a1()


def encoder_of_a1() -> dict:
    """How the encoder was trained under A1, how the published one was, and in how many of its folds
    the validation rows chose its state before any fine-tuning."""
    epochs = []
    for corpus in protocols.USS:
        for record in _committed("A1", corpus):
            if record.model in text_classifiers.HEADS:
                epochs += [fold["epoch"] for fold in record.parameters["chosen"]]
                ours = {name: record.parameters[name] for name in uss.PUBLISHED_TRAINING}
    return {
        "ours": ours,
        "theirs": uss.PUBLISHED_TRAINING,
        "frozen": epochs.count(0),
        "folds": len(epochs),
    }


def copied_first() -> dict:
    """The kappa of a look-up table where rows are copied before they are shuffled and cut, and
    where they are only shuffled, beside what T5 reports, on each corpus that it reports."""
    found = []
    for corpus in published.numbers("A-T5")["corpus"].unique():
        kappas = {}
        for switch in ("copied-then-shuffled", "shuffled-rows"):
            (record,) = _of_model(f"A0-{switch}", corpus, uss_ablations.LOOK_UP)
            kappas[switch] = row_of(record, "kappa")["value"]
        quoted = _quoted("A-T5", corpus, "T5", "kappa")
        found.append(
            {
                "corpus": corpus,
                "quoted": quoted,
                "copied": kappas["copied-then-shuffled"],
                "shuffled": kappas["shuffled-rows"],
            }
        )
    return {"found": found}


def rebuilt() -> dict:
    """The sizes of the training sets of protocol B; how many published rows were found in USS, and
    how many of them agree with it."""
    sizes = []
    in_uss = 0
    agree = 0
    for corpus in protocols.USDA:
        split = record_cache.load_split(f"split-{corpus}-B", folder())
        sizes.append(len(split["train"]))
        (annotator,) = _of_model("B", corpus, usda.ANNOTATOR)
        for counts in annotator.parameters["verified"].values():
            in_uss += counts["found"]
            agree += counts["agree"]
    return {"sizes": sizes, "in_uss": in_uss, "agree": agree}


def three_classes() -> dict:
    """The accuracy of the chosen average of protocol B on each corpus, how many points it lies
    below that quoted of ASAP, and its paired differences, in points, to TF-IDF and to the word
    model and the frozen one that are best on the validation rows; best: the better of these two
    there."""
    averages = []
    for corpus in protocols.USDA:
        single = ensembles.read(folder(), corpus, "B", usda.TABLE_ORDER)
        average = _chosen_average(single)
        value, low, high, _ = ensembles.score([average], average.model, "accuracy")
        quoted = _quoted("B", corpus, "ASAP", "accuracy")
        words = _best_on_validation(single, usda.WORD_MODELS)
        frozen = _best_on_validation(single, usda.FROZEN_MODELS)
        gaps = []
        for rival in dict.fromkeys((words, ensembles.WORDS, frozen)):
            gap = comparison.difference([average, *single], average.model, rival, "accuracy")
            gaps.append(_gap(gap, POINTS))
        averages.append(
            {
                "corpus": corpus,
                "accuracy": _interval((value, low, high)),
                "quoted": quoted,
                "below": POINTS * (quoted - value),
                "gaps": gaps,
                "best": _best_on_validation(single, (words, frozen)),
            }
        )
    return {"averages": averages}


def _best_on_validation(single: Sequence[records.RunRecord], models: Sequence[str]) -> str:
    """The one of these models with the highest macro-F1 on the validation rows, as protocol B
    chooses."""
    return comparison.best_on_validation(single, models, "macro_f1")


def _chosen_average(single: Sequence[records.RunRecord]) -> records.RunRecord:
    """The average of models of protocol B that is best on the validation part."""
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
    """AB-ReDial, turns: Pearson's r from aspects on single ratings, by the same annotator and by
    others, and on means; r of each text model on both; and the RMSE of the fine-tuned encoder minus
    that of the mean on both levels."""
    (asked,) = _of_model("C", "ab-redial-turn", "aspects")
    texts = []
    for model in AB_REDIAL_TEXTS:
        seeds = _of_model("C", "ab-redial-turn", model)
        single, _, _ = aspects.on_single_ratings(asked, seeds, draws=1)
        texts.append({"model": model, "means": estimate(seeds, "pearson")[0], "single": single})
    tuned = []
    for level in aspects.ASPECTS:
        of_level = [r for r in _committed("C", f"ab-redial-{level}") if r.model != "aspects"]
        difference = comparison.difference(of_level, "bert-regression", "mean")
        tuned.append({"level": level, "gap": _gap(difference)})
    return {
        "own": _interval(three(row_of(asked, "pearson", "same annotator's aspects"))),
        "other": _interval(three(row_of(asked, "pearson", "others' aspects"))),
        "means": _interval(three(row_of(asked, "pearson", "means of the same annotators"))),
        "texts": texts,
        "tuned": tuned,
    }


def updating() -> dict:
    """The RMSE of biases and trees under four splits, each with and without the test ratings that
    have passed, and by global time their paired differences."""
    rated = ratings.read(folder())
    models = [model for pair in rating_updates.UPDATED.items() for model in pair]
    errors = []
    for split in ratings.SPLITS:
        values = []
        for model in models:
            seeds = rated.get((f"movielens-{split}", model))
            values.append(ratings.summary(seeds)[0] if seeds else None)
        errors.append({"split": split, "errors": values})

    def gap(one: str, other: str) -> dict:
        own = [rated["movielens-global-time", model] for model in (one, other)]
        return _gap(comparison.difference(sum(own, []), one, other))

    return {
        "errors": errors,
        "biases": gap(rating_updates.ONLINE, "biases"),
        "trees": gap("trees", rating_updates.STATIC),
        "static": gap(rating_updates.STATIC, "biases"),
    }


def own_review() -> dict:
    """Amazon: how many users and test rows; the RMSE of the fine-tuned encoder with minus without
    the review of the rated product; and, in each view, minus the best baseline on the validation
    rows, without it minus the mean too."""
    rated = ratings.read(folder())
    (known,) = rated["amazon-with-review", "mean"]
    users = known.parameters["users"]
    gaps = {}
    named = {}
    for view in rating_splits.VIEWS:
        dataset = f"amazon-{view}-review"
        baselines = [model for model in rating_splits.REVIEW_MODELS if model != "bert"]
        best = ratings.best_on_validation(rated, dataset, baselines)
        own = [record for model in ("bert", best) for record in rated[dataset, model]]
        gaps[view] = _gap(comparison.difference(own, "bert", best))
        named[view] = [replace(r, model=f"bert {view}") for r in rated[dataset, "bert"]]
    both = named["with"] + named["without"]
    without = [r for model in ("bert", "mean") for r in rated["amazon-without-review", model]]
    return {
        "users": sum(users.values()),
        "test_users": users["test"],
        "test_rows": len(known.predictions["test"]["id"]),
        "review": _gap(comparison.difference(both, "bert with", "bert without")),
        "mean": _gap(comparison.difference(without, "bert", "mean")),
        "best": gaps,
    }


# What computes the numbers of a finding, and the lesson that shows it, in the order of the table.
FINDINGS: tuple[tuple[Callable[[], dict], str], ...] = (
    (constant, "61"),
    (halved, "61"),
    (corrected, "61"),
    (copied_first, "61"),
    (rebuilt, "62"),
    (three_classes, "62"),
    (same_people, "63"),
    (updating, "64"),
    (own_review, "64"),
)


def table() -> list[dict]:
    """The rows of the table: name of the finding, its numbers, the lesson that shows it."""
    rows = []
    for compute, lesson in FINDINGS:
        rows.append({"name": compute.__name__, "numbers": compute(), "lesson": lesson})
    return rows
