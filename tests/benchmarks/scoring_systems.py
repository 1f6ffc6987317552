"""What each system does to score texts; a function from texts to logits [N], tokenising included.

``prepare`` trains the two models that are scored, briefly: transformers' classifier and satlib's,
which it exports.
"""

import functools
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch

from satlib.encoding import tokens
from satlib.models import satisfaction_model
from satlib.training import gpu, onnx_export

from . import classifier, training_systems
from .examples import Text
from .measure import Clock, device
from .systems import LONGEST, ONNX
from .training_systems import Score, Task, pairs_of, token_ids, tuned, wholes_of

# Folders of the two models.
USUAL = "classifier"
OURS = "satlib"


def prepare(encoder: str, texts: Sequence[Text], folder: Path) -> dict[str, float]:
    """Train and save both models on the texts; export satlib's where ONNX is installed. Size of
    each file in MB."""
    task = Task(encoder)
    usual = tuned(task, texts, Clock())
    usual.model.save_pretrained(folder / USUAL)
    usual.tokenizer.save_pretrained(folder / USUAL)
    ours = training_systems.satlib(task, texts, Clock())
    satisfaction_model.save(ours.model, ours.tokenizer, folder / OURS)
    files = {"torch-fp32": folder / OURS / "model.safetensors"}
    if all(find_spec(package) for package in ONNX):
        files["onnx-fp32"] = onnx_export.export_onnx(ours.model, folder / OURS)
        files["onnx-int8"] = onnx_export.quantise(files["onnx-fp32"])
    return {name: path.stat().st_size / 2**20 for name, path in files.items()}


def pipeline(folder: Path, batch_size: int | None) -> Score:
    """transformers.pipeline; None: as it is made, a text at a time, which its manual recommends on
    a processor."""
    import transformers

    classify = transformers.pipeline(
        "text-classification", str(folder / USUAL), function_to_apply="none", device=device()
    )
    positions = classify.model.config.max_position_embeddings
    options = {"truncation": True, "max_length": min(LONGEST, positions)}
    if batch_size is not None:
        options["batch_size"] = batch_size

    def score(texts: Sequence[Text]) -> np.ndarray:
        answers = classify(wholes_of(texts), **options)
        return np.array([answer["score"] for answer in answers])

    return score


def plain_loop(folder: Path, half: bool) -> Score:
    """A plain loop over batches."""
    tokenizer, model = classifier.load(folder / USUAL)
    model.to(device())
    precision = gpu.autocast_dtype() if half else None

    def score(texts: Sequence[Text]) -> np.ndarray:
        return classifier.scores(model, tokenizer, wholes_of(texts), half=precision)

    return score


def cross_encoder(folder: Path) -> Score:
    """sentence-transformers' predict, which sorts by length itself; the texts are pairs, as it
    wants them."""
    from sentence_transformers.cross_encoder import CrossEncoder

    model = CrossEncoder(
        str(folder / USUAL), num_labels=1, max_length=LONGEST, device=str(device())
    )

    def score(texts: Sequence[Text]) -> np.ndarray:
        logits = torch.nn.Identity()
        return model.predict(pairs_of(texts), activation_fn=logits, show_progress_bar=False)

    return score


def satlib(folder: Path, half: bool) -> Score:
    """satisfaction_model.run on tokens."""
    model, tokenizer = satisfaction_model.load(folder / OURS)
    model.to(device())
    precision = gpu.autocast_dtype() if half else None

    def score(texts: Sequence[Text]) -> np.ndarray:
        return satisfaction_model.run(model, token_ids(texts, tokenizer), autocast=precision)

    return score


def onnx(folder: Path, name: str) -> Score:
    """ONNX Runtime on the processor."""
    scorer = onnx_export.OnnxScorer(folder / OURS / name)
    tokenizer = tokens.load_tokenizer(folder / OURS)

    def score(texts: Sequence[Text]) -> np.ndarray:
        return scorer.run(token_ids(texts, tokenizer))

    return score


SCORE: dict[str, Callable[[Path], Score]] = {
    "pipeline": functools.partial(pipeline, batch_size=None),
    "pipeline-32": functools.partial(pipeline, batch_size=32),
    "loop-fp32": functools.partial(plain_loop, half=False),
    "loop": functools.partial(plain_loop, half=True),
    "cross-encoder": cross_encoder,
    "satlib-fp32": functools.partial(satlib, half=False),
    "satlib": functools.partial(satlib, half=True),
    "onnx-fp32": functools.partial(onnx, name=onnx_export.MODEL),
    "onnx-int8": functools.partial(onnx, name=onnx_export.SMALL),
}
