"""Take a trained model out of PyTorch: an ONNX file, the same with 8-bit weights, and a scorer that
needs no torch.

Taught with lesson 45. Needs the optional packages onnx, onnxscript and onnxruntime
(``satlib[onnx]``), which are imported only where they are used.
"""

import logging
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from satlib import storage
from satlib.encoding import tokens

MODEL, SMALL, SETTINGS = "model.onnx", "model-int8.onnx", "onnx.json"
REMEDY = "pip install 'satlib[onnx]' (in a checkout: make bench)"


def export_onnx(model, folder: str | Path) -> Path:
    """Write a SatisfactionModel as ``model.onnx`` (fp32) into ``folder`` and return the file's
    path.

    The graph takes input_ids and attention_mask, int64 [B, L], for any B and L (and features,
    float32 [B, F], where the model has some), and gives logits [B] or [B, C]. ``onnx.json`` beside
    it keeps the id to pad with.
    """
    import torch

    needed("onnx", "onnxscript")
    folder = Path(folder)
    (ids, mask), names = (
        tokens.pad([[0, 1, 2], [3, 4]], model.pad_id),
        ["input_ids", "attention_mask"],
    )
    given = [torch.from_numpy(ids).to(model.device), torch.from_numpy(mask).to(model.device)]
    shapes: list[dict] = [{0: "batch", 1: "length"}] * 2
    if model.config.features:
        given.append(torch.zeros(2, model.config.features, device=model.device))
        names, shapes = [*names, "features"], [*shapes, {0: "batch"}]
    with quiet(), storage.replacing(folder / MODEL) as temporary:
        torch.onnx.export(
            _logits(model.eval()),
            tuple(given),
            str(temporary),
            dynamo=True,
            verbose=False,
            input_names=names,
            output_names=["logits"],
            dynamic_shapes=(tuple(shapes),),
            external_data=False,
        )
    storage.write_json(
        folder / SETTINGS, {"pad_id": model.pad_id, "features": model.config.features}
    )
    return folder / MODEL


def _logits(model):
    """The model as a module that returns its logits alone."""
    import torch

    class Logits(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.model = model

        def forward(self, *inputs: torch.Tensor) -> torch.Tensor:
            return self.model(*inputs).logits

    return Logits().eval()


def quantise(path: str | Path) -> Path:
    """Write ``model-int8.onnx`` beside an exported model: 8-bit weights, activations rounded to 8
    bits as they come.

    The products of the layers get 8-bit weights, with a scale for each output; so do the tables of
    the embeddings.
    """
    needed("onnx", "onnxruntime")
    from onnxruntime.quantization import QuantType, quantize_dynamic

    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"no file {path}; write it with export_onnx")
    with quiet(), storage.replacing(path.with_name(SMALL)) as temporary:
        quantize_dynamic(path, temporary, weight_type=QuantType.QInt8, per_channel=True)
    return path.with_name(SMALL)


class OnnxScorer:
    """An exported model in ONNX Runtime. path: of a file that ``export_onnx`` or ``quantise``
    wrote.

    threads: of one product; 0 takes as many as there are cores.
    """

    def __init__(self, path: str | Path, threads: int = 0):
        needed("onnxruntime")
        import onnxruntime

        path = Path(path)
        settings = storage.read_json(path.with_name(SETTINGS))
        self.pad_id, self.features = settings["pad_id"], settings["features"]
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.log_severity_level = threads, 3
        try:
            self.session = onnxruntime.InferenceSession(
                path, options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # onnxruntime has an exception class for each of its states
            reason = str(error).splitlines()[0]
            raise ValueError(
                f"{path} is not a model for ONNX Runtime ({reason}); write it anew"
            ) from error

    def run(
        self,
        sequences: Sequence[Sequence[int]],
        features: np.ndarray | None = None,
        batch_size: int = 32,
    ) -> np.ndarray:
        """Logits [N] or [N, C] of token sequences, in their order, as ``satisfaction_model.run``
        gives them."""
        if not len(sequences) or (0 if features is None else features.shape[1]) != self.features:
            raise ValueError(
                f"{len(sequences)} texts with {0 if features is None else features.shape[1]} behaviour "
                f"features; give at least one text, and the {self.features} features of the model"
            )
        order = np.argsort(
            [len(s) for s in sequences], kind="stable"
        )  # similar lengths share a batch
        rows: list = [None] * len(order)
        for start in range(0, len(order), batch_size):
            batch = order[start : start + batch_size]
            given = dict(
                zip(
                    ("input_ids", "attention_mask"),
                    tokens.pad([sequences[i] for i in batch], self.pad_id),
                    strict=True,
                )
            )
            if features is not None:
                given["features"] = np.asarray(features, dtype=np.float32)[batch]
            for i, row in zip(batch, self.session.run(None, given)[0], strict=True):
                rows[i] = row
        return np.stack(rows)


def needed(*names: str) -> None:
    """Raise ImportError with the remedy where an optional package is not installed."""
    from importlib.util import find_spec

    missing = [name for name in names if find_spec(name) is None]
    if missing:
        raise ImportError(f"{' and '.join(missing)} not installed; {REMEDY}")


@contextmanager
def quiet() -> Iterator[None]:
    """Hold back the exporters' notes on packages and options that concern nobody here."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)
