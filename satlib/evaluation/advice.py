"""What the records of one data set say, in plain sentences: what was predicted and how well, by how
much fine-tuning beats the best baseline, how far the best possible is, and what to do next.

Every place that gives advice calls ``advice``. Nothing is trained or loaded but records.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from satlib.data.registry import REGISTRY
from satlib.evaluation import comparable_records, comparison
from satlib.evaluation.comparison import Difference
from satlib.records import RunRecord

BY_ORACLE = "oracle"  # who says what the best possible is: the simulation
BY_ANNOTATORS = "annotators"  # their disagreement
LABELS = "labels"  # the study whose committed records hold the annotators' floor (lesson 04)
TEST_PART = "test part"  # what they say of the test part alone


@dataclass(frozen=True)
class Advice:
    """What the records of one data set and profile say.

    best: the model with the best validation metric, and reached, its test metric (value, low,
    high); seeds: how many it has. tuned: the best fine-tuned model, baseline: the best frozen or
    simple one on as many rows, both by their validation metric; "" where there is none. gains: what
    a claim on fine-tuning rests on (``gains``). floor: the best possible metric, and floor_by, who
    says so: BY_ORACLE, BY_ANNOTATORS or "" where nobody knows. steps: what to do next.
    """

    dataset: str
    profile: str
    metric: str
    training_rows: int | None
    test_rows: int
    groups: int
    best: str
    reached: tuple[float, float, float]
    seeds: int
    tuned: str
    baseline: str
    baseline_reached: float
    gains: tuple[Difference, ...]
    floor: float
    floor_by: str
    steps: tuple[str, ...]

    @property
    def simulated(self) -> bool:
        """Whether the data were made by a program."""
        return self.dataset in REGISTRY and REGISTRY[self.dataset].simulated

    @property
    def above_floor(self) -> float:
        """By which share the best model's metric lies above the best possible one; nan where nobody
        knows it."""
        return self.reached[0] / self.floor - 1

    @property
    def decisive(self) -> Difference | None:
        """The difference that decides: the first that does not speak for fine-tuning, else the
        first; None where there is none."""
        for gain in self.gains:
            if not speaks_for_model(gain):
                return gain
        return self.gains[0] if self.gains else None

    @property
    def pays(self) -> bool:
        """Whether fine-tuning is better than all that it is measured against, the seeds drawn."""
        return self._better and all(gain.drawn for gain in self.gains)

    @property
    def may_pay(self) -> bool:
        """Whether these trained models differ in favour of fine-tuning, but too few seeds were
        trained to say more."""
        return self._better and not self.pays

    @property
    def _better(self) -> bool:
        return bool(self.gains) and all(map(speaks_for_model, self.gains))

    @property
    def paragraphs(self) -> list[str]:
        """What was predicted and how well; by how much fine-tuning beats the best baseline; how far
        the best possible is; what to do next."""
        return [
            " ".join(sentences)
            for sentences in (_about(self), _against(self), [_distance(self)], self.steps)
        ]

    @property
    def text(self) -> str:
        """All of it as one paragraph."""
        return " ".join(self.paragraphs)


def advice(records: Sequence[RunRecord], metric: str = "rmse", seed: int = 0) -> Advice:
    """What the records of one data set and profile say; ValueError where they may not be compared,
    or none but the oracle's is there.

    seed: of the interval's draws.
    """
    records = comparable_records.comparable(records)
    rivals = [record for record in records if record.model != comparable_records.ORACLE]
    names = comparable_records.models(rivals)
    if not names:
        raise ValueError("no record of a model is here; run lessons 32 and 43 first")
    best = comparison.best_on_validation(records, names, metric)
    side = comparison.predictions_by_seed(records, best)
    tuned = _best_tuned(rivals, metric)
    found = gains(records, tuned, metric, rng=seed) if tuned else []
    baseline = found[0].other if found else ""
    baseline_reached = math.nan
    if baseline:
        baseline_reached = comparison.estimate(records, baseline, metric, rng=seed)[0]
    floor, floor_by = best_possible(records, metric)
    return Advice(
        dataset=records[0].dataset,
        profile=records[0].profile,
        metric=metric,
        training_rows=comparable_records.training_rows(records, best),
        test_rows=len(side.rating),
        groups=len(side.counts),
        best=best,
        reached=comparison.estimate(records, best, metric, rng=seed),
        seeds=len(side.predicted),
        tuned=tuned,
        baseline=baseline,
        baseline_reached=baseline_reached,
        gains=tuple(found),
        floor=floor,
        floor_by=floor_by,
        steps=tuple(_steps(records, tuned, found)),
    )


def _best_tuned(records: Sequence[RunRecord], metric: str) -> str:
    """The best fine-tuned model on the validation rows; "" where there is none. A blend is not
    asked: it is no training of its own."""
    tuned = []
    for model in comparable_records.models(records):
        if model.startswith(comparable_records.FINE_TUNED):
            tuned.append(model)
    return comparison.best_on_validation(records, tuned, metric) if tuned else ""


def gains(
    records: Sequence[RunRecord],
    tuned: str,
    metric: str = "rmse",
    draws: int = 1000,
    rng: np.random.Generator | int = 0,
) -> list[Difference]:
    """The differences that a claim on a fine-tuned model rests on: it minus the best baseline
    (chosen on validation rows), and minus its twin with a frozen encoder; both learned from as many
    rows. None where no such model is there."""
    rivals = comparison.rivals(records, tuned)
    if not rivals:
        return []
    others = [comparison.best_baseline(records, metric, tuned)]
    twin = comparable_records.FROZEN_TWINS.get(tuned)
    if twin in rivals and twin not in others:
        others.append(twin)
    found = []
    for other in others:
        found.append(comparison.difference(records, tuned, other, metric, draws=draws, rng=rng))
    return found


def speaks_for_model(gain: Difference) -> bool:
    """Whether the difference says that its model is better than the other one, beyond chance."""
    if gain.metric in comparison.LOSSES:
        return gain.clear and gain.value < 0
    return gain.clear and gain.value > 0


def best_possible(records: Sequence[RunRecord], metric: str = "rmse") -> tuple[float, str]:
    """The best possible value of a metric on the test rows, and who says so; nan and "" where
    nobody knows it.

    In simulated data the oracle knows it. Where several annotators rated each example, their
    disagreement leaves an RMSE that no model can be expected to fall below
    (``agreement.reachable_on``), from the committed records of lesson 04: of the test part, where
    it is the same as that of these records, else of the whole corpus.
    """
    if comparable_records.ORACLE in comparable_records.models(records):
        value, _, _ = comparison.estimate(records, comparable_records.ORACLE, metric, draws=1)
        return value, BY_ORACLE
    if metric == "rmse":
        for record in comparable_records.load_committed(records[0].dataset, "full", LABELS):
            of_corpus = next(iter(record.parameters.values()))
            of_part = record.parameters.get(TEST_PART, of_corpus)
            test_rows = len(records[0].predictions["test"]["id"])
            same_rows = of_part.get("examples") == test_rows
            judged = of_part if same_rows else of_corpus
            return judged["reachable_rmse"], BY_ANNOTATORS
    return math.nan, ""


# The sentences


def _about(a: Advice) -> list[str]:
    """What was predicted, and how well."""
    if a.dataset in REGISTRY:
        kind = "simulated" if a.simulated else "real"
        task = f"{a.dataset} is {kind} data; the task: {REGISTRY[a.dataset].task}."
    else:
        task = f"The data set is {a.dataset}."
    value, low, high = a.reached
    runs = "from one run" if a.seeds == 1 else f"the mean of {a.seeds} seeds"
    if a.training_rows is not None:
        runs = f"{runs} on {a.training_rows} training rows"
    best = (
        f"On the validation rows {a.best} is the best model. On the {a.test_rows} test rows (of "
        f"{a.groups} users or dialogues) it has an {a.metric} of {value:.3f}, 95 % interval "
        f"{low:.3f} to {high:.3f}, {runs}."
    )
    return [task, best]


def _against(a: Advice) -> list[str]:
    """By how much fine-tuning beats the best baseline."""
    if not a.tuned:
        return ["No fine-tuned model is among the records."]
    if not a.gains:
        return [f"No frozen or simple model learned from as many rows as {a.tuned}."]
    chosen = (
        f"The best frozen or simple model that learned from as many rows as {a.tuned} is "
        f"{a.baseline} with {a.baseline_reached:.3f}; the validation rows chose it, too."
    )
    return [chosen, *(f"The difference: {gain}." for gain in a.gains)]


def _distance(a: Advice) -> str:
    """How far the best possible is."""
    if not a.floor_by:
        return (
            "How far the best possible predictor is, nobody knows here: there is no oracle, and no "
            "second annotator."
        )
    if a.floor_by == BY_ORACLE:
        whose = f"The best possible predictor, which knows the simulation, has {a.floor:.3f}"
    else:
        whose = f"The annotators disagree: no model can be expected below {a.floor:.3f}"
    side = "above" if a.above_floor > 0 else "below"
    return f"{whose}; {a.best} lies {abs(a.above_floor):.0%} {side} that."


def _steps(records: Sequence[RunRecord], tuned: str, found: Sequence[Difference]) -> list[str]:
    """What to do next, one sentence each."""
    if not tuned:
        return ["Next: fine-tune a model on the same rows (lesson 43)."]
    if not found:
        return [f"Next: fit the baselines of lesson 32 on the rows that taught {tuned}."]
    steps = [_which_to_use(tuned, found)]
    own = [record for record in records if record.model == tuned]
    most = max(record.parameters.get("train_rows") or 0 for record in records)
    learned = comparable_records.training_rows(records, tuned) or most
    if learned < most:
        steps.append(f"Let {tuned} learn from all {most} rows, as other models here did.")
    elif own[0].profile == "fast":
        steps.append("Learn from all rows (profile full): the fast profile takes a part of them.")
    if all(_ended_too_early(record) for record in own):
        steps.append(f"Train {tuned} for more epochs: the last one was the best.")
    for model in (tuned, *(gain.other for gain in found)):
        names = edges(records, model)
        if names:
            steps.append(
                f"Widen the grid of {' and '.join(names)} for {model}: the chosen value lies at "
                "its edge."
            )
    return steps


def _which_to_use(tuned: str, found: Sequence[Difference]) -> str:
    """The model that the differences speak for."""
    for gain in found:
        if not gain.clear:
            return f"Next: use {gain.other}; fine-tuning gains nothing measurable on these rows."
        if not speaks_for_model(gain):
            return f"Next: use {gain.other}, which is better than the fine-tuned model here."
    if all(gain.drawn for gain in found):
        return f"Next: use {tuned}."
    return (
        f"Next: train at least {comparison.ENOUGH} seeds, before you take the gain of this one "
        "training for a gain of the method."
    )


def _ended_too_early(record: RunRecord) -> bool:
    """Whether the best epoch was the last that was allowed."""
    epochs = record.parameters.get("epochs")
    return epochs is not None and record.parameters.get("best_epoch") == epochs


def edges(records: Sequence[RunRecord], model: str) -> list[str]:
    """The settings of a model that lie at the edge of the grid that was tried, by its records."""
    names = set()
    for record in records:
        if record.model == model:
            names |= set(record.parameters.get("edge", ()))
    return sorted(names)
