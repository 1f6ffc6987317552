"""The table on the literature: what its sentences say of the reproduction's records.

Each row is known by words of its first column. Published numbers are quoted and not recomputed; the
output of ``make verify`` names them.
"""

from collections.abc import Callable
from pathlib import Path

import scipy.stats
import sklearn.metrics as sk

from . import ledger, measures, page, records
from .ledger import Section, Sentence
from .protocol import ENOUGH
from .records import Predictions, Records

USS = ("uss-redial", "uss-ccpe", "uss-sgd")
USDA = ("usda-redial", "usda-sgd")
UNTRAINED = ("always-3", "prior")
QUOTED = "a published number"
NOT_KEPT = "only their numbers are kept, not their predictions; chosen by these"
BY_THE_RECORD = "counted from data that are not in the repository; the record says the same"
# The averages among which protocol B chooses, on validation rows: their members.
BERT = ("bert-utterance", "bert-utterance-previous", "bert-context", "bert-context-previous")
AVERAGES = (
    *((member,) for member in BERT),
    ("bert-utterance-previous", "bert-context-previous"),
    BERT,
    (*BERT, "tfidf-logistic"),
    ("bert-utterance", "bert-utterance-previous", "tfidf-logistic"),
)
# Words of the row on AB-ReDial -> the part of the record "aspects" that they speak of.
ASPECTS = {
    "from aspects by the same annotators: ": "means of the same annotators",
    "the single rating, it is ": "same annotator's aspects",
    "from her own aspects and ": "others' aspects",
}
UPDATES = ("biases", "biases-online", "trees-static", "trees")


class Study:
    """The reproduction's folder of records."""

    def __init__(self, folder: Path):
        self.folder = folder

    def records(self, dataset: str, profile: str) -> Records:
        """Model -> its records, one a seed; none of what nobody ran."""
        return records.protocols(self.folder).get((dataset, profile), {})

    def predictions(
        self, dataset: str, profile: str, model: str, part: str = "test"
    ) -> Predictions:
        """What the seeds of a model predicted; ValueError where it has no record."""
        own = self.records(dataset, profile)
        if model not in own:
            raise ValueError(f"{self.folder.name} has no record of {model} on {dataset}, {profile}")
        return records.predictions(own[model], part)


# USS


def published_rho(rating, predicted) -> float:
    """The rank correlation of Sun et al.: equal values take the first rank, and the shortcut that
    holds without ties is used all the same."""
    n = len(rating)
    rank = scipy.stats.rankdata(rating, method="min")
    distance = rank - scipy.stats.rankdata(predicted, method="min")
    return float(1 - 6 * (distance**2).sum() / (n**3 - n))


def constant(row: Sentence, kept: Study) -> None:
    """The published rank correlation of always saying 3."""
    for said in row.take("always saying 3 has ({n}), ({n}), ({n}) by its formula"):
        for corpus, shown in zip(USS, said.groups(), strict=True):
            part = kept.predictions(corpus, "A0", "always-3")
            row.compare(corpus, shown, published_rho(part.rating, part.predicted[0]))
    row.exclude("the published XGBoost .*", QUOTED)


def halved(row: Sentence, kept: Study) -> None:
    """The F1 of "rated below 3" that the published formula prints, and the true one."""
    row.take(r"max\(P \+ R, 1\)")
    for said in row.take("it prints ({n}), ({n}), ({n}) where the F1 is ({n}), ({n}), ({n})"):
        for corpus, printed, true in zip(USS, said.groups()[:3], said.groups()[3:], strict=True):
            part = kept.predictions(corpus, "A0", "tfidf-logistic")
            low, said_low = part.rating < 3, part.predicted[0] < 3
            precision = sk.precision_score(low, said_low, zero_division=0)
            recall = sk.recall_score(low, said_low, zero_division=0)
            as_published = 2 * precision * recall / max(precision + recall, 1)
            row.compare(f"{corpus} as published", printed, float(as_published))
            row.compare(corpus, true, float(sk.f1_score(low, said_low)))


def corrected(row: Sentence, kept: Study) -> None:
    """How far kappa reaches without the faults, and how the encoder was trained."""
    highest_ends = []
    for said in row.take(r"(uss-\w+) ({n}) to ({n})", exactly=len(USS)):
        reached = []
        for model in kept.records(said[1], "A1").keys() - set(UNTRAINED):
            part = kept.predictions(said[1], "A1", model)
            value, _, high = measures.estimate("kappa", part)
            reached.append(value)
            highest_ends.append(high)
        row.compare(f"lowest kappa on {said[1]}", said[2], min(reached))
        row.compare(f"highest kappa on {said[1]}", said[3], max(reached))
    for said in row.take("no interval reaches above ({n})"):
        row.compare("highest end of kappa", said[1], max(highest_ends), ledger.ENDS_WITHIN)
    row.exclude(r"\(theirs: [^)]*\)", QUOTED)

    encoders = []
    for corpus in USS:
        for model, own in kept.records(corpus, "A1").items():
            if model.startswith("bert"):
                encoders += [record["parameters"] for record in own]
    for said in row.take("learned from ({n}) rows, ({n}) tokens and ({n}) epochs? a fold"):
        names = ("train_rows", "max_length", "epochs")
        for name, shown in zip(names, said.groups(), strict=True):
            row.expect(name, {int(shown.replace(",", ""))}, {one[name] for one in encoders})
    epochs = []
    for one in encoders:
        epochs += [fold["epoch"] for fold in one["chosen"]]
    for said in row.take("in ({n}) of ({n}) folds"):
        row.expect("folds that stayed frozen", said[1], epochs.count(0))
        row.expect("folds", said[2], len(epochs))


def copied_first(row: Sentence, kept: Study) -> None:
    """The kappa of a look-up table where rows are copied before the split, and after it."""

    def compare(corpus: str, switch: str, shown: str) -> None:
        part = kept.predictions(corpus, f"A0-{switch}", "look-up")
        row.compare(f"{switch} on {corpus}", shown, measures.value("kappa", part))

    row.exclude(r"\(T5 reports {n}\)", QUOTED)
    corpora = []
    for said in row.take(r"({n}) on (uss-\w+)"):
        compare(said[2], "copied-then-shuffled", said[1])
        corpora.append(said[2])
    for said in row.take("after the cut it has ({n}) and ({n})"):
        for corpus, shown in zip(corpora, said.groups(), strict=True):
            compare(corpus, "shuffled-rows", shown)


# USDA and ASAP


def rebuilt(row: Sentence, kept: Study) -> None:
    """How many rows the rebuilt training set has, and how many published ones it agrees with."""
    sizes = []
    counts = {"found": 0, "agree": 0}
    for corpus in USDA:
        split = records.read(kept.folder / f"split-{corpus}-B.json.xz")
        sizes.append(len(split["parts"]["train"]))
        (annotator,) = kept.records(corpus, "B")["one-annotator"]
        for of_part in annotator["parameters"]["verified"].values():
            for name in counts:
                counts[name] += of_part[name]
    for said in row.take("reproduced: ({n}) and ({n}) rows"):
        for size, shown in zip(sizes, said.groups(), strict=True):
            row.expect("training rows", shown, size)
    for said in row.take("of ({n}) published rows found in USS ({n}) bear"):
        row.expect("rows found", said[1], counts["found"])
        row.expect("rows that agree", said[2], counts["agree"])
    row.section.exclude(f"{row.subject}, rows found and agreeing", BY_THE_RECORD)


def three_classes(row: Sentence, kept: Study) -> None:
    """The accuracy of the average that the validation rows choose, and its differences to
    baselines, in points."""
    chosen = {corpus: _chosen_average(kept, corpus) for corpus in USDA}
    pattern = r"(usda-\w+) ({n}), ({n}) points below a quoted ({n})"
    for said in row.take(pattern, exactly=len(USDA)):
        accuracy = measures.estimate("accuracy", chosen[said[1]])
        row.compare(f"accuracy on {said[1]}", said[2], accuracy)
        below = page.number(said[4]).value - accuracy[0]
        row.compare(f"points below on {said[1]}", said[3], below, unit=0.01)
        row.section.exclude(f"{row.subject}, {said[4]}", QUOTED)
    gap = r"({n}) to ([\w-]+)( \(the best on validation\))?"
    gaps = r"(?:{n} to [\w-]+(?: \(the best on validation\))?(?:, )?)+"
    for of_corpus in row.take(rf"(usda-\w+) ({gaps})", exactly=len(USDA)):
        corpus = of_corpus[1]
        best = _best_baseline_of_b(kept, corpus)
        for said in ledger.places(gap, of_corpus[2]):
            other = kept.predictions(corpus, "B", said[2])
            found = measures.difference("accuracy", chosen[corpus], other, seeds_too=False)
            what = f"points on {corpus} over {said[2]}"
            row.compare(what, said[1], found, ledger.ENDS_WITHIN, unit=0.01)
            row.expect(f"{what}: the best on validation", bool(said[3]), said[2] == best)


def _chosen_average(kept: Study, corpus: str) -> Predictions:
    """The average with the highest macro-F1 on the validation rows, on the test rows."""
    scores = {}
    for members in AVERAGES:
        parts = [kept.predictions(corpus, "B", member, "validation") for member in members]
        scores[members] = measures.value("macro_f1", records.average(parts))
    best = max(scores, key=scores.get)
    return records.average([kept.predictions(corpus, "B", member) for member in best])


def _best_baseline_of_b(kept: Study, corpus: str) -> str:
    """The model without fine-tuning that has the highest macro-F1 on the validation rows."""
    scores = {}
    for model in kept.records(corpus, "B"):
        if not model.startswith("bert") and model != "one-annotator":
            part = kept.predictions(corpus, "B", model, "validation")
            scores[model] = measures.value("macro_f1", part)
    return max(scores, key=scores.get)


# AB-ReDial


def same_people(row: Sentence, kept: Study) -> None:
    """Correlations with the same and with other annotators' aspects, and from text alone."""
    asked = kept.records("ab-redial-turn", "C")["aspects"]
    for words, part in ASPECTS.items():
        for said in row.take(f"{words}({{n}})"):
            found = measures.estimate("pearson", records.predictions(asked, part))
            row.compare(f"r of {part}", said[1], found)
    single = records.predictions(asked, "others' aspects")
    for said in row.take(r"([\w-]+) ({n}) and ({n})"):
        own = kept.predictions("ab-redial-turn", "C", said[1])
        of_single = records.of_rows(own, single)
        row.compare(f"{said[1]} on means", said[2], measures.value("pearson", own))
        row.compare(f"{said[1]} on single ratings", said[3], measures.value("pearson", of_single))
    pattern = r"({n}) on (turn|dialogue)s \(seeds: (\d+)(, these two trained models)?; ([^)]+)\)"
    for said in row.take(pattern, exactly=2):
        shown, level, seeds, one_training, verdict = said.groups()
        tuned = kept.predictions(f"ab-redial-{level}", "C", "bert-regression")
        mean = kept.predictions(f"ab-redial-{level}", "C", "mean")
        _check_gap(row, f"bert-regression minus mean on {level}s", shown, tuned, mean)
        row.expect(f"seeds on {level}s", seeds, tuned.seeds)
        row.expect(f"seeds drawn on {level}s", not one_training, tuned.seeds >= ENOUGH)
        gap = page.number(shown)
        side = "worse than" if gap.value > 0 else "better than"
        told = f"{side} the mean" if gap.clear else "not told apart from the mean"
        row.expect(f"verdict on {level}s", verdict, told)


def _check_gap(row: Sentence, what: str, shown: str, one: Predictions, other: Predictions) -> None:
    """A difference of RMSEs; the seeds are drawn, too, where ``one`` has enough of them."""
    found = measures.difference("rmse", one, other, seeds_too=one.seeds >= ENOUGH)
    row.compare(what, shown, found, ledger.ENDS_WITHIN)


# Ratings


def updating(row: Sentence, kept: Study) -> None:
    """Biases and trees, each with and without the test ratings that have passed."""
    errors = ", ".join(["({n}|-)"] * len(UPDATES))
    for said in row.take(rf"([\w-]+) {errors}(?=[;.])", exactly=4):
        known = kept.records(f"movielens-{said[1]}", "D")
        for model, shown in zip(UPDATES, said.groups()[1:], strict=True):
            what = f"{model} by {said[1]}"
            if model in known:
                error = measures.value("rmse", records.predictions(known[model]))
                row.compare(what, shown, error)
            else:
                row.expect(what, shown, page.UNDEFINED)
    for said in row.take("changes biases by ({n}) and trees by ({n}); .*? is ({n})"):
        pairs = (("biases-online", "biases"), ("trees", "trees-static"), ("trees-static", "biases"))
        for names, shown in zip(pairs, said.groups(), strict=True):
            both = [kept.predictions("movielens-global-time", "D", name) for name in names]
            _check_gap(row, " minus ".join(names), shown, *both)


def own_review(row: Sentence, kept: Study) -> None:
    """Amazon's ratings with and without the review of the rated product."""
    bert = {}
    best = {}
    for view in ("with", "without"):
        bert[view] = kept.predictions(f"amazon-{view}-review", "D", "bert")
        best[view] = _best_baseline_of_d(kept, f"amazon-{view}-review")
    row.section.exclude(f"{row.subject}, the RMSE of baselines on validation rows", NOT_KEPT)
    pattern = (
        r"({n}) against its own without it \(({n}) test rows of ({n}) users, ({n}) users in all; "
        r"seeds: (\d+)(, these two trained models)?\)"
    )
    for said in row.take(pattern):
        _check_gap(row, "bert with minus without", said[1], bert["with"], bert["without"])
        row.expect("test rows", said[2], len(bert["with"].ids))
        row.expect("test users", said[3], bert["with"].group.max() + 1)
        users = kept.records("amazon-with-review", "D")["mean"][0]["parameters"]["users"]
        row.expect("users", said[4], sum(users.values()))
        row.section.exclude(f"{row.subject}, {said[4]} users in all", BY_THE_RECORD)
        row.expect("seeds", said[5], bert["with"].seeds)
        row.expect("seeds drawn", not said[6], bert["with"].seeds >= ENOUGH)
    for said in row.take(r"({n}) (with|without) (?:the review )?\(([\w-]+)\)", exactly=2):
        shown, view, rival = said.groups()
        other = kept.predictions(f"amazon-{view}-review", "D", rival)
        _check_gap(row, f"bert minus {rival} {view} the review", shown, bert[view], other)
        row.expect(f"the best on validation {view} the review", rival, best[view])
    for said in row.take("minus the mean, ({n})"):
        mean = kept.predictions("amazon-without-review", "D", "mean")
        _check_gap(row, "bert minus mean without the review", said[1], bert["without"], mean)


def _best_baseline_of_d(kept: Study, dataset: str) -> str:
    """The baseline with the lowest RMSE on the validation rows, as the records say it."""
    errors = {}
    for model, own in kept.records(dataset, "D").items():
        of_validation = [row for row in own[0]["rows"] if row["part"] == "validation"]
        (error,) = [row["value"] for row in of_validation if row["metric"] == "rmse"]
        if model != "bert":
            errors[model] = error
    return min(errors, key=errors.get)


# Words of a row's first column -> what checks its sentence.
CHECKS: dict[str, Callable[[Sentence, Study], None]] = {
    "Spearman's rho": constant,
    "F1 of dissatisfied": halved,
    "USS: kappa": corrected,
    "T5": copied_first,
    "USDA": rebuilt,
    "ASAP": three_classes,
    "AB-ReDial": same_people,
    "MovieLens": updating,
    "Amazon": own_review,
}


def check(text: str, folder: Path) -> Section:
    """Compare the numbers of the table on the literature. folder: data/runs/reproduction."""
    section = Section("what reproduced, what did not")
    section.exclude("what the first column quotes", QUOTED)
    kept = Study(folder)
    found = []
    for line in page.prose(text):
        Sentence("below the table", line, section).end()
    for table in page.tables(text):
        for subject, said, _ in table.rows:
            words = [words for words in CHECKS if words in subject]
            if len(words) != 1:
                section.fail(f"nothing recomputes the row {subject!r}")
                continue
            row = Sentence(subject.split(":")[0], said, section)
            CHECKS[words[0]](row, kept)
            row.end()
            found += words
    section.expect("rows of the table", found, list(CHECKS))
    return section
