"""Clock, peak memory, the machine's peak of matrix products, and the operations that useful tokens
cost."""

import resource
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from satlib.encoding import tokens
from satlib.training import gpu

FORMATS = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}
# Rows of the square matrices whose product is timed: enough to keep all units busy.
ROWS_ON_CPU = 2048
ROWS_ON_GPU = 8192


class Clock:
    """From the beginning of the first step to the end of the last one."""

    def __init__(self):
        self.begin = None
        self.end = None
        self.steps = 0

    def start(self, *_) -> None:
        """The first step begins; later calls change nothing."""
        if self.begin is None:
            synchronise()
            self.begin = time.perf_counter()

    def step(self, *_) -> None:
        """A step has ended."""
        self.end = time.perf_counter()
        self.steps += 1

    def stop(self) -> None:
        """The last step has ended, on the device too."""
        synchronise()
        self.end = time.perf_counter()

    @property
    def seconds(self) -> float:
        """Time of the steps."""
        return self.end - self.begin


def device() -> torch.device:
    """The GPU where there is one."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def synchronise() -> None:
    """Wait for the GPU."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def peak_memory() -> float:
    """Largest memory that this process has had, in MB of 2^20 bytes: on the GPU where there is one,
    else resident."""
    if torch.cuda.is_available():
        return torch.cuda.max_memory_allocated() / 2**20
    status = Path("/proc/self/status")
    # Unlike getrusage's, this number does not begin with that of the parent process.
    if status.is_file():
        for line in status.read_text().splitlines():
            if line.startswith("VmHWM"):
                return int(line.split()[1]) / 2**10
    unit = 2**20 if sys.platform == "darwin" else 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def product_peak(dtype: torch.dtype, size: int = 0, repeats: int = 7) -> float:
    """GFLOP/s of the fastest of some products of two square matrices; size: 2048, on a GPU 8192."""
    if not size:
        size = ROWS_ON_GPU if torch.cuda.is_available() else ROWS_ON_CPU
    first = torch.randn(size, size, device=device()).to(dtype)
    second = torch.randn(size, size, device=device()).to(dtype)
    best = float("inf")
    for _ in range(repeats):
        clock = Clock()
        clock.start()
        torch.mm(first, second)
        clock.stop()
        best = min(best, clock.seconds)
    return 2 * size**3 / best / 1e9


def peaks(size: int = 0) -> dict[str, float]:
    """Peak of matrix products in GFLOP/s: fp32, and the half precision that this machine
    computes."""
    peak_of = {"fp32": product_peak(FORMATS["fp32"], size)}
    half = gpu.precision()
    if half not in peak_of:
        peak_of[half] = product_peak(FORMATS[half], size)
    return peak_of


def useful_flops(lengths: Sequence[int], encoder: str, training: bool) -> float:
    """Operations that the tokens of the texts need, padding left out; training: thrice the forward
    pass."""
    from transformers import AutoConfig

    shape = AutoConfig.from_pretrained(encoder)
    forward = tokens.flops(
        np.asarray(lengths), shape.hidden_size, shape.num_hidden_layers, shape.intermediate_size
    )
    passes = 3 if training else 1
    return float(forward.sum()) * passes
