"""Pretrained encoders and where they come from: the embedded one, a local folder, or a hub name at
a pinned revision.

Taught with lesson 41 beside ``satisfaction_model``. Only safetensors and JSON are read, and never
code that comes with weights.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
import transformers
from safetensors import SafetensorError
from torch import nn

from satlib import storage
from satlib.encoding import tokens
from satlib.encoding.embedded_encoder import embedded_encoder

# A hub name alone can change under us; a commit cannot.
REVISIONS = {
    "bert-base-uncased": "86b5e0934494bd15c9632b12f734a8a67f723594",
    "google-bert/bert-base-uncased": "86b5e0934494bd15c9632b12f734a8a67f723594",
    "sentence-transformers/all-MiniLM-L6-v2": "1110a243fdf4706b3f48f1d95db1a4f5529b4d41",
}


@contextmanager
def quiet() -> Iterator[None]:
    """Hold back transformers' notes while weights are read, and its bar for every tensor."""
    before = transformers.utils.logging.get_verbosity()
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    try:
        yield
    finally:
        transformers.utils.logging.set_verbosity(before)


def pretrained(kind: type, name: str | Path, **options):
    """``kind.from_pretrained`` in fp32 from safetensors; raises OSError where the file cannot fill
    the model.

    transformers would log the weights that are missing and draw them at random.
    """
    try:
        with quiet():
            model, report = kind.from_pretrained(
                name,
                use_safetensors=True,
                dtype=torch.float32,
                output_loading_info=True,
                ignore_mismatched_sizes=True,
                **options,
            )
    except (OSError, ValueError, RuntimeError, SafetensorError) as error:
        lines = str(error).splitlines() or [type(error).__name__]
        reason = lines[0].rstrip(".:")
        raise OSError(
            f"cannot load the weights of {str(name)!r} ({reason}); give 'embedded', a folder with "
            "config.json, tokenizer.json and model.safetensors, or go online for a hub name"
        ) from error
    drawn = drawn_at_random(report)
    if drawn:
        raise OSError(
            f"the weights of {str(name)!r} lack {drawn[0]}, or have it in another size than "
            f"config.json says ({len(drawn)} such in all); give the folder of a complete model"
        )
    return model


def drawn_at_random(report: dict) -> list[str]:
    """Names of the weights that a file did not give, from the report of ``from_pretrained``.

    BERT's own pooler does not count: it is not used.
    """
    names = set(report["missing_keys"])
    names.update(key for key, *_ in report["mismatched_keys"])
    return sorted(name for name in names if "pooler." not in name)


def load_encoder(name: str = "embedded", revision: str | None = None):
    """The pretrained encoder and its tokenizer: "embedded", a local folder, or a hub name with a
    revision (a commit).

    Raises ValueError for a hub name without a revision, OSError for weights that are neither here
    nor to be had.
    """
    if name == "embedded":
        name = str(embedded_encoder())
    local = Path(name).is_dir()
    if local:
        revision = "main"
        refuse_satisfaction_model(Path(name))
    elif not revision:
        revision = pinned_revision(str(name))
    encoder = pretrained(transformers.AutoModel, name, revision=revision, local_files_only=local)
    if encoder.config.is_encoder_decoder:
        raise ValueError(
            f"{str(name)!r} is an encoder with a decoder ({encoder.config.model_type}); "
            "give an encoder like BERT or a decoder like GPT-2"
        )
    return encoder, bounded(tokens.load_tokenizer(name, revision=revision), encoder)


def refuse_satisfaction_model(folder: Path) -> None:
    """Raise ValueError where a folder holds a whole model of ours in place of an encoder."""
    config = storage.read_json(folder / "config.json")
    if config.get("model_type") == "satisfaction":
        raise ValueError(
            f"{folder} holds a satisfaction model, not an encoder; open it with "
            "satisfaction_model.load"
        )


def pinned_revision(name: str) -> str:
    """The commit of a hub name that the kit knows; ValueError for any other name."""
    if name not in REVISIONS:
        raise ValueError(
            f"encoder {name!r} is no folder, and as a hub name it needs revision='<commit>', "
            "so that the weights cannot change unseen"
        )
    return REVISIONS[name]


def bounded(tokenizer, encoder: nn.Module):
    """The tokenizer, told how many positions the encoder has, so that it refuses a longer
    ``max_length``."""
    positions = getattr(encoder.config, "max_position_embeddings", None)
    if not positions:
        positions = tokenizer.model_max_length
    embeddings = getattr(encoder, "embeddings", None)
    table = getattr(embeddings, "position_embeddings", None)
    padding = getattr(table, "padding_idx", None)
    if padding is not None:
        positions -= padding + 1  # RoBERTa counts its positions from there
    tokenizer.model_max_length = min(tokenizer.model_max_length, positions)
    return tokenizer
