"""Starts a process for every system, lets them work in turns, and collects what they measured."""

import json
import os
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

from . import systems

ROOT = Path(__file__).parents[__package__.count(".") + 1]  # where python -m finds this package
QUIET = {"HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false", "SATLIB_QUIET": "1"}


class Failed(RuntimeError):
    """A system's process ended before it had answered."""


class Worker:
    """The process of one system. Its standard error goes to ``logs``/KIND-NAME.txt."""

    def __init__(
        self,
        kind: str,
        name: str,
        folder: Path,
        logs: Path,
        environment: dict[str, str] | None = None,
    ):
        logs.mkdir(parents=True, exist_ok=True)
        self.log = logs / f"{kind}-{name}.txt"
        places = [str(ROOT)]
        if os.environ.get("PYTHONPATH"):
            places.append(os.environ["PYTHONPATH"])
        own = {**QUIET, "PYTHONPATH": os.pathsep.join(places)}
        command = [sys.executable, "-m", f"{__package__}.worker", kind, name, str(folder)]
        with open(self.log, "w", encoding="utf-8") as log:
            self.process = subprocess.Popen(
                command,
                text=True,
                stderr=log,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env=os.environ | own | (environment or {}),
            )

    def ask(self, do: str, **order) -> dict:
        """Give an order and wait for the answer."""
        try:
            print(json.dumps({"do": do, **order}), file=self.process.stdin, flush=True)
            answer = self.process.stdout.readline()
        except BrokenPipeError:
            answer = ""
        if not answer:
            raise Failed(
                f"{self.log.stem} ended; its last words are {self.last_words()!r}, "
                f"the others are in {self.log}"
            )
        return json.loads(answer)

    def last_words(self) -> str:
        """The last line of the log."""
        lines = self.log.read_text(encoding="utf-8").strip().splitlines()
        return lines[-1] if lines else "nothing"

    def end(self) -> None:
        """Let the process end."""
        with suppress(BrokenPipeError):  # of an order that a dead process did not read
            self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()


def compare(
    kind: str, names: list[str], folder: Path, logs: Path, rounds: int, learn: dict, judge: dict
) -> dict:
    """Measure the systems in turns; returns peaks (one dict a round), rounds, memory, loss and
    losses by system.

    learn: what every system's ``learn`` is told, rows and epochs, once for its loss; judge: the
    same for the systems that are judged, with each of SEEDS, for their losses.
    """
    known = systems.KINDS[kind]
    workers = {name: Worker(kind, name, folder, logs) for name in names}
    peak = Worker("peak", kind, folder, logs)
    measured: dict = {
        "peaks": [],
        "rounds": {name: [] for name in names},
        "memory": {},
        "loss": {},
        "losses": {},
    }
    try:
        say(kind, "warm-up")
        for worker in workers.values():
            worker.ask("warm")
        for number in range(1, rounds + 1):
            measured["peaks"].append(peak.ask("round"))
            for name, worker in workers.items():
                say(kind, f"round {number} of {rounds}: {name}")
                measured["rounds"][name].append(worker.ask("round"))
        for name, worker in workers.items():
            say(kind, f"loss: {name}")
            measured["memory"][name] = worker.ask("memory")["memory"]
            measured["loss"][name] = worker.ask("learn", **learn, seed=0)["loss"]
            if known[name].judged and judge["rows"]:
                losses = [worker.ask("learn", **judge, seed=seed)["loss"] for seed in systems.SEEDS]
                measured["losses"][name] = losses
    finally:
        for worker in (*workers.values(), peak):
            worker.end()
    return measured


def one_round(kind: str, name: str, folder: Path, logs: Path) -> dict:
    """What a process measures that is started for one round only."""
    worker = Worker(kind, name, folder, logs)
    try:
        return worker.ask("round")
    finally:
        worker.end()


def prepare_models(folder: Path, logs: Path) -> dict[str, float]:
    """Make the models that are scored; the size of their files in MB."""
    return one_round("prepare", "models", folder, logs)


def say(*words: str) -> None:
    """A line on stderr, with the time of day: the run takes minutes."""
    print(time.strftime("%H:%M:%S"), *words, file=sys.stderr, flush=True)
