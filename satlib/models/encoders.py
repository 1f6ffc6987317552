"""Pretrained encoders and where they come from: the embedded one, a local folder, or a hub name at
a pinned revision.

Taught with lesson 41 beside ``models``. Only safetensors and JSON are read, and never code that
comes with weights.
"""

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


def pretrained(kind: type, name: str | Path, **options):
    """``kind.from_pretrained`` in fp32 from safetensors; raises OSError where the file cannot fill
    the model.

    transformers would log the weights that are missing and draw them at random.
    """
    loud = transformers.utils.logging.get_verbosity()
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()  # a bar per tensor, on stderr, for a second of reading
    try:
        model, report = kind.from_pretrained(
            name,
            use_safetensors=True,
            dtype=torch.float32,
            output_loading_info=True,
            ignore_mismatched_sizes=True,
            **options,
        )
    except (OSError, ValueError, RuntimeError, SafetensorError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0].rstrip(".:")
        raise OSError(
            f"cannot load the weights of {str(name)!r} ({reason}); give 'embedded', a folder with "
            "config.json, tokenizer.json and model.safetensors, or go online for a hub name"
        ) from error
    finally:
        transformers.utils.logging.set_verbosity(loud)
    drawn = {*report["missing_keys"], *(key for key, *_ in report["mismatched_keys"])}
    drawn = sorted(key for key in drawn if "pooler." not in key)  # BERT's own pooler is not used
    if drawn:
        raise OSError(
            f"the weights of {str(name)!r} lack {drawn[0]}, or have it in another size than config.json says "
            f"({len(drawn)} such in all); give the folder of a complete model"
        )
    return model


def load_encoder(name: str = "embedded", revision: str | None = None):
    """The pretrained encoder and its tokenizer: "embedded", a local folder, or a hub name with a
    revision (a commit).

    Raises ValueError for a hub name without a revision, OSError for weights that are neither here
    nor to be had.
    """
    if name == "embedded":
        name = str(embedded_encoder())
    local = Path(name).is_dir()
    revision = "main" if local else revision or REVISIONS.get(str(name))
    if revision is None:
        raise ValueError(
            f"encoder {str(name)!r} is no folder, and as a hub name it needs revision='<commit>', "
            "so that the weights cannot change unseen"
        )
    if local and storage.read_json(Path(name) / "config.json").get("model_type") == "satisfaction":
        raise ValueError(
            f"{name} holds a satisfaction model, not an encoder; open it with models.load"
        )
    encoder = pretrained(transformers.AutoModel, name, revision=revision, local_files_only=local)
    if encoder.config.is_encoder_decoder:
        raise ValueError(
            f"{str(name)!r} is an encoder with a decoder ({encoder.config.model_type}); "
            "give an encoder like BERT or a decoder like GPT-2"
        )
    return encoder, bounded(tokens.load_tokenizer(name, revision=revision), encoder)


def bounded(tokenizer, encoder: nn.Module):
    """The tokenizer, told how many positions the encoder has, so that it refuses a longer
    ``max_length``."""
    positions = (
        getattr(encoder.config, "max_position_embeddings", None) or tokenizer.model_max_length
    )
    table = getattr(getattr(encoder, "embeddings", None), "position_embeddings", None)
    if getattr(table, "padding_idx", None) is not None:
        positions -= table.padding_idx + 1  # RoBERTa counts its positions from there
    tokenizer.model_max_length = min(tokenizer.model_max_length, positions)
    return tokenizer
