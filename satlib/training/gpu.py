"""What a training is to do: its hyperparameters, its rows, their order, and the learning rate of
each update.

Taught with lesson 42 beside ``training``, whose loop follows a Plan.
"""

import torch

PRECISIONS = ("auto", "fp32", "bf16", "fp16")


def precision(wanted: str = "auto") -> str:
    """fp16 on a GPU without real bf16 (a T4), bf16 where the hardware computes it (GPU or CPU),
    fp32 otherwise.

    "auto" chooses; any other value is kept. PyTorch says that a T4 supports bf16 because it can
    emulate it, slowly.
    """
    if wanted != "auto":
        return wanted
    if torch.cuda.is_available():
        return "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "fp16"
    known = (
        getattr(torch.cpu, name, bool)
        for name in ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
    )
    return "bf16" if any(ask() for ask in known) else "fp32"
