"""What each system does to score texts; a function from texts to logits [N], tokenising included.

``prepare`` trains the two models that are scored, briefly: transformers' classifier and satlib's,
which it exports.
"""

import functools
import importlib.util
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch

from satlib.encoding import tokens
from satlib.models import satisfaction_model
from satlib.training import gpu, loop, onnx_export

from . import classifier, training_systems
from .examples import Text
from .measure import Clock, device
from .systems import LONGEST, ONNX
from .training_systems import Score, Task, token_ids, tuned

USUAL, OURS = "classifier", "satlib"  # folders of the two models


def prepare(encoder: str, texts: Sequence[Text], folder: Path) -> dict[str, float]:
    """Train and save both models on the texts; export satlib's where ONNX is installed. Size of
    each file in MB."""
    task = Task(encoder)
    usual, ours = tuned(task, texts, Clock()), training_systems.satlib(task, texts, Clock())
    usual.model.save_pretrained(folder / USUAL)
    usual.tokenizer.save_pretrained(folder / USUAL)
    satisfaction_model.save(ours.model, ours.tokenizer, folder / OURS)
    files = {"torch-fp32": folder / OURS / "model.safetensors"}
    if all(map(importlib.util.find_spec, ONNX)):
        files["onnx-fp32"] = onnx_export.export_onnx(ours.model, folder / OURS)
        files["onnx-int8"] = onnx_export.quantise(files["onnx-fp32"])
    return {name: path.stat().st_size / 2**20 for name, path in files.items()}


def pipeline(folder: Path, batch_size: int | None) -> Score:
    """transformers.pipeline; None: as it is made, a text at a time, which its manual recommends on
    a processor."""
    import transformers

    made = transformers.pipeline(
        "text-classification", str(folder / USUAL), function_to_apply="none", device=device()
    )
    options = {"batch_size": batch_size} if batch_size else {}
    return lambda texts: np.array(
        [
            found["score"]
            for found in made(
                [text.whole for text in texts],
                truncation=True,
                max_length=_room(made.model),
                **options,
            )
        ]
    )


def _room(model) -> int:
    return min(LONGEST, model.config.max_position_embeddings)


def plain_loop(folder: Path, half: bool) -> Score:
    """A plain loop over batches."""
    tokenizer, model = classifier.load(folder / USUAL)
    model.to(device())
    chosen = loop.HALF.get(gpu.precision()) if half else None
    return lambda texts: classifier.scores(
        model, tokenizer, [text.whole for text in texts], half=chosen
    )


def cross_encoder(folder: Path) -> Score:
    """sentence-transformers' predict, which sorts by length itself; the texts are pairs, as it
    wants them."""
    from sentence_transformers.cross_encoder import CrossEncoder

    model = CrossEncoder(
        str(folder / USUAL), num_labels=1, max_length=LONGEST, device=str(device())
    )
    return lambda texts: model.predict(
        [(text.before, text.last) for text in texts],
        activation_fn=torch.nn.Identity(),
        show_progress_bar=False,
    )


def satlib(folder: Path, half: bool) -> Score:
    """models.run on tokens."""
    model, tokenizer = satisfaction_model.load(folder / OURS)
    model.to(device())
    chosen = loop.HALF.get(gpu.precision()) if half else None
    return lambda texts: satisfaction_model.run(model, token_ids(texts, tokenizer), autocast=chosen)


def onnx(folder: Path, name: str) -> Score:
    """ONNX Runtime on the processor."""
    scorer, tokenizer = (
        onnx_export.OnnxScorer(folder / OURS / name),
        tokens.load_tokenizer(folder / OURS),
    )
    return lambda texts: scorer.run(token_ids(texts, tokenizer))


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
