"""What reproduced, what did not, what was wrong: the README's table on the literature, written from
the records.

Each line is a claim, what the records say, and the command that shows it. No lesson imports this
module.
"""

from collections.abc import Callable
from pathlib import Path

from satlib import record_cache, records, runtime
from satlib.evaluation import ensembles, metrics
from satlib.reproduction import protocols, published, ratings, usda

USS, USDA = ("uss-redial", "uss-ccpe", "uss-sgd"), ("usda-redial", "usda-sgd")


def folder() -> Path:
    """Where the committed records of the reproduction lie."""
    return runtime.data_folder() / "runs" / protocols.STUDY


def table() -> str:
    """The table as Markdown: claim, finding, command."""
    rows = [f"| {claim} | {find()} | `satlib run {lesson}` |" for claim, find, lesson in LINES]
    return "\n".join(
        ["| the literature says | the records say | shown by |", "|---|---|---|", *rows]
    )


def _metric(record: records.RunRecord, name: str, part: str = "test") -> dict:
    return next(row for row in record.rows if (row["metric"], row["part"]) == (name, part))


def _said(row: dict, digits: int = 2) -> str:
    return f"{row['value']:.{digits}f} [{row['low']:.{digits}f}, {row['high']:.{digits}f}]"


def _under(protocol: str, corpus: str, model: str) -> records.RunRecord:
    return next(r for r in record_cache.found(folder(), corpus, protocol) if r.model == model)


def constant() -> str:
    """The published rho of a constant."""
    values = [_metric(_under("A0", corpus, "always-3"), "published_rho")["value"] for corpus in USS]
    theirs = [
        published.numbers("A0", c)
        .query("model == 'XGBoost' and metric == 'published_rho'")["value"]
        .iloc[0]
        for c in USS
    ]
    return (
        f"wrong: always saying 3 has {', '.join(f'{v:.3f}' for v in values)} by its formula, which gives ties the "
        f"first rank; the published XGBoost ({', '.join(f'{v:.3f}' for v in theirs)}) is that constant"
    )


def halved() -> str:
    """The published F1 against the true one."""
    found = [_under("A0", corpus, "tfidf-logistic") for corpus in USS]
    printed = [_metric(record, "published_f1")["value"] for record in found]
    true = [
        metrics.f1_dissatisfied(
            record.predictions["test"]["rating"], record.predictions["test"]["predicted"]
        )
        for record in found
    ]
    return (
        "wrong: divided by max(P + R, 1); of TF-IDF with logistic regression it prints "
        f"{', '.join(f'{v:.3f}' for v in printed)} where the F1 is {', '.join(f'{v:.3f}' for v in true)}"
    )


def corrected() -> str:
    """The largest kappa under A1."""
    said = []
    for corpus in USS:
        best = max(
            record_cache.found(folder(), corpus, "A1"), key=lambda r: _metric(r, "kappa")["value"]
        )
        said.append(f"{corpus} {_said(_metric(best, 'kappa'))} ({best.model})")
    return (
        "the picture reproduces (near chance), corrected and with intervals: largest kappa "
        + ", ".join(said)
    )


def shuffled() -> str:
    """What shuffled rows are worth to a word model."""
    rows = [
        _metric(r, "kappa_change")
        for r in record_cache.found(folder(), "uss-redial", "A0-shuffled-rows")
    ]
    return (
        "not the model: shuffling rows alone moves a word model's kappa on uss-redial by "
        + " and ".join(
            f"{row['value']:+.2f} [{row['low']:+.2f}, {row['high']:+.2f}]" for row in rows
        )
    )


def rebuilt() -> str:
    """The training sets of protocol B and the verified rows."""
    sizes = [len(record_cache.load_split(f"split-{name}-B", folder())["train"]) for name in USDA]
    parts = [
        n
        for name in USDA
        for n in _under("B", name, usda.ANNOTATOR).parameters["verified"].values()
    ]
    found, agree = sum(n["found"] for n in parts), sum(n["agree"] for n in parts)
    return (
        f"reproduced: {sizes[0]:,} and {sizes[1]:,} rows; of {found:,} published rows found in USS {agree:,} bear "
        "the class that their ratings give"
    )


def three_classes() -> str:
    """The chosen average of protocol B."""
    said = []
    for name in USDA:
        every = ensembles.read(folder(), name, "B", usda.ORDER)
        there = {r.model for r in every}
        made = [
            ensembles.ensemble(every, k, m)
            for k, m in ensembles.ENSEMBLES.items()
            if there.issuperset(m)
        ]
        best = max(made, key=_validated)
        value, low, high, _ = ensembles.score([best], best.model, "accuracy")
        quoted = (
            published.numbers("B", name)
            .query("known == 'index' and model == 'ASAP'")["value"]
            .iloc[0]
        )
        where = "inside" if low <= quoted <= high else "below" if quoted > high else "above"
        said.append(
            f"{name} {value:.1%} [{low:.1%}, {high:.1%}], ASAP's {quoted:.1%} {'lies ' * (where == 'inside')}"
            f"{where if where == 'inside' else 'not reached' if where == 'below' else 'passed'}"
        )
    return "with a fifth of the parameters, average chosen on validation: " + "; ".join(said)


def _validated(record: records.RunRecord) -> float:
    columns = record.predictions["validation"]
    return metrics.macro_f1(columns["rating"], columns["predicted"])


def same_people() -> str:
    """AB-ReDial's correlation, by whose aspects."""
    record = _under("C", "ab-redial-turn", "aspects")
    own, other = (
        _said(_metric(record, "pearson", part))
        for part in ("means of the same annotators", "others' aspects")
    )
    text = max(
        (r for r in record_cache.found(folder(), "ab-redial-turn", "C") if r.model != "aspects"),
        key=lambda r: _metric(r, "pearson")["value"] or 0,
    )
    return (
        f"reproduced with the same annotators' aspects: {own}; with other annotators' {other}; "
        f"the annotators' mean from text alone {_said(_metric(text, 'pearson'))} ({text.model})"
    )


def split_decides() -> str:
    """Biases and trees under four splits."""
    found = ratings.read(folder())
    cells = [
        f"{split} {ratings.summary(found[f'movielens-{split}', 'biases'])[0]:.3f} and "
        f"{ratings.summary(found[f'movielens-{split}', 'trees'])[0]:.3f}"
        for split in ratings.SPLITS
    ]
    return "the split decides: RMSE of biases and of trees on past behaviour by " + ", ".join(cells)


def own_review() -> str:
    """Amazon with and without the own review."""
    found = ratings.read(folder())
    best = {}
    for view in ("without", "with"):
        models = [m for name, m in found if name == f"amazon-{view}-review"]
        model = min(models, key=lambda m: ratings.summary(found[f"amazon-{view}-review", m])[0])
        value, low, high = ratings.summary(found[f"amazon-{view}-review", model])
        best[view] = f"{value:.2f} [{low:.2f}, {high:.2f}] ({model})"
    return f"two tasks: lowest RMSE {best['with']} with the review of the rated product, {best['without']} without it"


LINES: tuple[tuple[str, Callable[[], str], str], ...] = (
    ("USS (SIGIR 2021): Spearman's rho of .17 to .89", constant, "61"),
    ("USS: F1 of dissatisfied users of .00 to .27", halved, "61"),
    ("USS: kappa of .00 to .17", corrected, "61"),
    ("T5 (SIGIR 2022): kappa of .61 and .76, rows copied and then split at random", shuffled, "61"),
    ("USDA (WWW 2022): a training set that was not published", rebuilt, "62"),
    ("ASAP (ACL 2023): accuracies from a third party's page, BERT-base", three_classes, "62"),
    ("AB-ReDial (TOIS 2023): r = .73 per turn from annotated aspects", same_people, "63"),
    ("rating prediction: one RMSE on MovieLens", split_decides, "64"),
    ("Amazon: stars predicted from reviews", own_review, "64"),
)
