"""The systems that are compared: what each is, and how much of the work it gets in a round."""

from dataclasses import dataclass
from importlib.util import find_spec

# Common to all.
BATCH = 16
LEARNING_RATE = 5e-5
WARMUP = 0.1
LONGEST = 128  # tokens of an example
# Of satlib and of its fp32 reference, whose spread is the noise that the loss is judged by.
SEEDS = (0, 1, 2)


@dataclass(frozen=True)
class System:
    """A system. about: what it is. rows: examples in a round, the first ones; 0: as many as
    ``--examples`` says. target: how many times as fast satlib shall be. needs: packages beyond the
    kit's own. judged: it learns once more, on more examples, with each of SEEDS."""

    about: str
    rows: int = 0
    target: float | None = None
    needs: tuple[str, ...] = ()
    judged: bool = False


SENTENCE_TRANSFORMERS = ("sentence_transformers",)
ONNX = ("onnx", "onnxscript", "onnxruntime")

TRAINING = {
    "listing-512": System(
        "article's first listing, made right: padded to 512, tokenised per item, fp32",
        rows=BATCH,
        target=40,
    ),
    "listing-128": System(
        "article's second listing, made right: padded to 128, tokenised per item, fp32",
        rows=128,
        target=3,
    ),
    "trainer": System(
        "transformers.Trainer, defaults, DataCollatorWithPadding", rows=128, target=4
    ),
    "trainer-tuned": System(
        "Trainer: half precision, grouped by length, fused AdamW, the faster attention", target=1.3
    ),
    "cross-encoder": System(
        "sentence-transformers' CrossEncoderTrainer, MSELoss",
        rows=64,
        target=6,
        needs=SENTENCE_TRANSFORMERS,
    ),
    "satlib": System("satlib's training.train", judged=True),
    "satlib-fp32": System("the same in fp32: the reference for the loss", rows=128, judged=True),
}
# Not in a run unless --only names it: what batches that are equal in tokens, not in examples, do
# for satlib.
EXTRA = {
    "satlib-tokens": System("satlib with as many tokens an update as 16 examples have on average"),
}
SCORING = {
    "pipeline": System("transformers.pipeline, defaults (one text at a time)", target=4),
    "pipeline-32": System("transformers.pipeline, batch_size=32"),
    "loop-fp32": System("batches of 32 as they come, padded to the longest, fp32"),
    "loop": System("the same in the precision of the machine", target=1.5),
    "cross-encoder": System(
        "sentence-transformers' CrossEncoder.predict", needs=SENTENCE_TRANSFORMERS
    ),
    "satlib-fp32": System("satlib's models.run, fp32"),
    "satlib": System("satlib's models.run, precision of the machine"),
    "onnx-fp32": System("satlib's export in ONNX Runtime, fp32", needs=ONNX),
    "onnx-int8": System("the same with 8-bit weights", needs=ONNX),
}
KINDS = {"training": TRAINING | EXTRA, "scoring": SCORING}


def chosen(kind: str, only: list[str]) -> dict[str, System]:
    """The systems of a kind that a run has: all but EXTRA, or those that are named."""
    known = KINDS[kind]
    if only:
        return {name: system for name, system in known.items() if name in only}
    return {name: system for name, system in known.items() if name not in EXTRA}


def missing(system: System) -> list[str]:
    """Packages that the system needs and that are not installed."""
    return [name for name in system.needs if find_spec(name) is None]
