"""The models of one data set and profile, recomputed, and the part that each plays in a comparison.

The roles are told by the names of models, as README.md explains them, and by ``members``, which a
record of a blend lists.
"""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from . import measures, records
from .measures import Three
from .records import Predictions, Records

ORACLE = "oracle"
# A fine-tuned model, and the same one with its encoder frozen.
TWINS = {"bert-after": "bert-before", "bert-behaviour": "frozen-behaviour"}
ENOUGH = 3  # seeds, from which on they are drawn as well as the groups


@dataclass(frozen=True, eq=False)
class Protocol:
    """The records of one data set and profile: model -> one record a seed."""

    dataset: str
    profile: str
    records: Records

    @property
    def name(self) -> str:
        """How the protocol is called on the page."""
        return f"{self.dataset}, profile {self.profile}"

    @cached_property
    def test(self) -> dict[str, Predictions]:
        """What each model predicted for the test rows; ValueError where the rows differ."""
        return self._part("test")

    @cached_property
    def validation(self) -> dict[str, Predictions]:
        """What each model predicted for the validation rows."""
        return self._part("validation")

    def _part(self, part: str) -> dict[str, Predictions]:
        found = {}
        for model, own in self.records.items():
            found[model] = records.predictions(own, part)
        first = next(iter(found.values()))
        for model, own in found.items():
            if own.ids != first.ids:
                raise ValueError(
                    f"{self.name}: {model} and {first.model} were judged on different {part} rows"
                )
        return found

    @property
    def usual_training_rows(self) -> int:
        """How many rows taught most models."""
        counts = [self.training_rows(model) for model in self.records]
        return statistics.mode(count for count in counts if count is not None)

    @property
    def seeds_shown(self) -> str:
        """The seeds that the page names: those of the fine-tuned model, or of the first."""
        shown = "bert-after" if "bert-after" in self.records else next(iter(self.records))
        return ", ".join(map(str, self.seeds(shown)))

    @property
    def test_rows(self) -> int:
        """How many rows the models were judged on."""
        return len(next(iter(self.test.values())).ids)

    def training_rows(self, model: str) -> int | None:
        """How many rows taught a model; None where its records do not say."""
        return records.training_rows(self.records[model])

    def seeds(self, model: str) -> list[int]:
        """The seeds of a model."""
        return records.seeds(self.records[model])

    def is_tuned(self, model: str) -> bool:
        """Whether a model was fine-tuned, or is a blend of which a member was."""
        names = [model, *self.records[model][0]["parameters"].get("members", ())]
        return any(name.startswith(tuple(TWINS)) for name in names)

    def by_chance(self, model: str) -> bool:
        """Whether another seed would give another model: it was trained epoch by epoch. All others
        are fitted, and run once."""
        return self.is_tuned(model) or "epochs" in self.records[model][0]["parameters"]

    def drawn(self, *models: str) -> bool:
        """Whether the seeds are drawn: each of the models that chance has a part in has ENOUGH."""
        counts = [len(self.seeds(model)) for model in models if self.by_chance(model)]
        return bool(counts) and min(counts) >= ENOUGH

    def best(self, models: Sequence[str]) -> str:
        """The model with the lowest RMSE on the validation rows, mean over its seeds."""
        return min(models, key=lambda model: measures.value("rmse", self.validation[model]))

    def competitors(self) -> list[str]:
        """All models but the oracle, which knows the truth."""
        return [model for model in self.records if model != ORACLE]

    @property
    def gaining(self) -> str:
        """The best fine-tuned model on validation rows, blends left out; "" where there is none, or
        nothing to compare it with."""
        tuned = [model for model in self.records if model.startswith(tuple(TWINS))]
        best = self.best(tuned) if tuned else ""
        return best if best and self.rivals(best) else ""

    def rivals(self, tuned: str) -> list[str]:
        """What a fine-tuned model is compared with: the best frozen or simple model that learned
        from as many rows, chosen on validation rows, and its frozen twin; none where no such model
        is there."""
        rows = self.training_rows(tuned)
        baselines = []
        for model in self.competitors():
            if not self.is_tuned(model) and self.training_rows(model) == rows:
                baselines.append(model)
        if not baselines:
            return []
        best = self.best(baselines)
        twin = TWINS.get(tuned)
        return [best, twin] if twin in baselines and twin != best else [best]

    def difference(self, model: str, other: str, metric: str = "rmse") -> Three:
        """A metric of one model minus that of another, with its interval."""
        both = self.test[model], self.test[other]
        return measures.difference(metric, *both, seeds_too=self.drawn(model, other))
