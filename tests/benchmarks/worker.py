"""A process that does the work of one system: it reads orders from stdin and answers on stdout, a
line of JSON each.

    python -m benchmarks.worker KIND NAME FOLDER

KIND: one of WORK; FOLDER: holds work.json, which ``examples.prepare`` made.
"""

import json
import os
import sys
from pathlib import Path

import numpy as np

from satlib import storage

from . import examples, growth, measure, profiling, without
from .systems import BATCH, KINDS


class Training:
    """One system of ``systems.TRAINING``."""

    def __init__(self, name: str, folder: Path):
        from .training_systems import TRAIN

        self.work = examples.read(folder / "work.json")
        self.train = TRAIN[name]
        most = self.work["examples"]
        rows = KINDS["training"][name].rows or most
        self.texts = self.work["train"][: min(rows, most)]

    def warm(self) -> dict:
        """A few steps before those that are compared, and their seconds."""
        clock, _ = self._train(self.texts[: 4 * BATCH])
        return {"seconds": clock.seconds}

    def round(self) -> dict:
        """One epoch over the system's examples, on the clock."""
        clock, _ = self._train(self.texts)
        measured = described(clock, self.texts, self.work["encoder"], training=True)
        return measured | {"steps": clock.steps}

    def memory(self) -> dict:
        """Peak memory so far, in MB."""
        return {"memory": measure.peak_memory()}

    def learn(self, rows: int, epochs: int, seed: int) -> dict:
        """Loss on the validation texts after training on the first ``rows``."""
        _, trained = self._train(self.work["train"][:rows], epochs=epochs, seed=seed)
        validation = self.work["validation"]
        return {"loss": loss(trained.scores(validation), validation)}

    def _train(self, texts, **task):
        from .training_systems import Task

        clock = measure.Clock()
        trained = self.train(Task(self.work["encoder"], **task), texts, clock)
        return clock, trained


class Scoring:
    """One system of ``systems.SCORING``; all score the validation texts."""

    def __init__(self, name: str, folder: Path):
        from .scoring_systems import SCORE

        self.work = examples.read(folder / "work.json")
        self.score = SCORE[name](folder)
        self.scores = None  # those of the last round

    def warm(self) -> dict:
        """Some texts that nobody measures."""
        self.score(self.work["validation"][:64])
        return {}

    def round(self) -> dict:
        """All texts, on the clock."""
        texts = self.work["validation"]
        clock = measure.Clock()
        clock.start()
        self.scores = self.score(texts)
        clock.stop()
        return described(clock, texts, self.work["encoder"], training=False)

    def memory(self) -> dict:
        """Peak memory so far, in MB."""
        return {"memory": measure.peak_memory()}

    def learn(self, **_) -> dict:
        """Loss of the scores of the last round."""
        return {"loss": loss(self.scores, self.work["validation"])}


class Prepare:
    """Makes the models that are scored."""

    def __init__(self, name: str, folder: Path):
        self.folder = folder

    def round(self) -> dict:
        """Train, save, export; the size of the files in MB."""
        from .scoring_systems import prepare

        work = examples.read(self.folder / "work.json")
        return prepare(work["encoder"], work["train"], self.folder)


class Peak:
    """Measures the peak of matrix products."""

    def __init__(self, name: str, folder: Path):
        work = storage.read_json(folder / "work.json")
        self.size = work.get("peak_size", 0)

    def round(self) -> dict:
        """GFLOP/s of each precision."""
        return measure.peaks(self.size)


def described(clock: measure.Clock, texts, encoder: str, training: bool) -> dict:
    """What a round measured: seconds, examples, useful tokens, and the operations that they
    need."""
    lengths = [text.length for text in texts]
    return {
        "seconds": clock.seconds,
        "examples": len(texts),
        "tokens": sum(lengths),
        "flops": measure.useful_flops(lengths, encoder, training),
    }


def loss(scores: np.ndarray, texts) -> float:
    """Mean squared error on [0, 1]: the same for every system."""
    ratings = [text.rating for text in texts]
    errors = np.asarray(scores, dtype=float) - ratings
    return float(np.mean(errors**2))


WORK = {
    "training": Training,
    "scoring": Scoring,
    "prepare": Prepare,
    "peak": Peak,
    "growth": growth.Point,
    "profile": profiling.Profile,
    "without": without.changed,
}


def main() -> None:
    """Obey until stdin ends; what libraries print goes to stderr."""
    answers = os.fdopen(os.dup(1), "w", buffering=1, encoding="utf-8")
    os.dup2(2, 1)
    kind, name, folder = sys.argv[1:]
    system = WORK[kind](name, Path(folder))
    for line in sys.stdin:
        order = json.loads(line)
        method = getattr(system, order.pop("do"))
        print(json.dumps(method(**order)), file=answers)


if __name__ == "__main__":
    main()
