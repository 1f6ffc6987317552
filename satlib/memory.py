"""Memory in training: keep what is freed, and recompute what need not be kept.

Taught with lesson 34 beside ``training``, measured in lesson 37.
"""

import ctypes
import platform

# glibc's M_MMAP_THRESHOLD (32 MiB is the most it takes), M_TRIM_THRESHOLD and M_TOP_PAD, in bytes.
MALLOC = {-3: 32 << 20, -1: 256 << 20, -2: 16 << 20}


def keep() -> bool:
    """Keep freed memory for the next allocation, with glibc; whether it could be told.

    Training frees and takes the same large blocks in every step. By default glibc gives them back to the system, which
    zeroes each page before it hands it out again.
    """
    if platform.libc_ver()[0] != "glibc":
        return False
    mallopt = ctypes.CDLL(None).mallopt
    return all(mallopt(option, size) for option, size in MALLOC.items())


def spare(encoder, recompute: bool) -> None:
    """``keep``, and with ``recompute`` let a transformers encoder calculate its layers' inner values a second time."""
    keep()
    if recompute:
        enable = getattr(encoder, "activation_checkpointing_enable", None)  # the new name, in transformers 5.2x
        (enable or encoder.gradient_checkpointing_enable)()
