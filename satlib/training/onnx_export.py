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

MODEL = "model.onnx"
SMALL = "model-int8.onnx"
SETTINGS = "onnx.json"
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
    # The exporter follows one batch through the model, and is told which dimensions may vary.
    example = _batch([[0, 1, 2], [3, 4]], model.pad_id)
    varying: list[dict] = [{0: "batch", 1: "length"}, {0: "batch", 1: "length"}]
    if model.config.features:
        example["features"] = np.zeros((2, model.config.features), dtype=np.float32)
        varying.append({0: "batch"})
    arguments = tuple(torch.from_numpy(array).to(model.device) for array in example.values())
    with quiet(), storage.replacing(folder / MODEL) as temporary:
        torch.onnx.export(
            _logits_only(model.eval()),
            arguments,
            str(temporary),
            dynamo=True,
            verbose=False,
            input_names=list(example),
            output_names=["logits"],
            dynamic_shapes=(tuple(varying),),
            external_data=False,
        )
    settings = {"pad_id": model.pad_id, "features": model.config.features}
    storage.write_json(folder / SETTINGS, settings)
    return folder / MODEL


def _batch(sequences: Sequence[Sequence[int]], pad_id: int) -> dict[str, np.ndarray]:
    """Token sequences as the inputs of a graph: padded ids and mask, int64 [B, L]."""
    ids, mask = tokens.pad(sequences, pad_id)
    return {"input_ids": ids, "attention_mask": mask}


def _logits_only(model):
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
        self.pad_id = settings["pad_id"]
        self.features = settings["features"]
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 3  # errors only
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
        columns = 0 if features is None else features.shape[1]
        if not len(sequences) or columns != self.features:
            raise ValueError(
                f"{len(sequences)} texts with {columns} behaviour features; "
                f"give at least one text, and the {self.features} features of the model"
            )
        # Texts of similar length share a batch, so that little is padded.
        order = np.argsort([len(sequence) for sequence in sequences], kind="stable")
        logits: list = [None] * len(order)
        for start in range(0, len(order), batch_size):
            batch = order[start : start + batch_size]
            inputs = _batch([sequences[place] for place in batch], self.pad_id)
            if features is not None:
                inputs["features"] = np.asarray(features, dtype=np.float32)[batch]
            (outputs,) = self.session.run(None, inputs)
            for place, row in zip(batch, outputs, strict=True):
                logits[place] = row
        return np.stack(logits)


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
