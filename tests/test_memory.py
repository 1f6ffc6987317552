"""Freed memory is kept where the C library can be told so."""

import os
import platform
import subprocess
import sys

import pytest

from satlib import memory


def test_the_library_says_that_it_was_told():
    assert memory.keep() == (platform.libc_ver()[0] == "glibc")


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc's allocator is told anything")
def test_kept_memory_is_not_asked_for_again():
    code = """
import resource, sys
import numpy as np
from satlib import memory
if sys.argv[1] == "keep":
    assert memory.keep()
faults = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_minflt
def step():  # ten blocks of 10 MB, all free at the end, as after a training step
    blocks = [np.ones(1_250_000) for _ in range(10)]
step()
step()
before = faults()
for _ in range(5):
    step()
print(faults() - before)
"""
    kept, free = (int(subprocess.run([sys.executable, "-c", code, how], capture_output=True, text=True, check=True,
                                     env={**os.environ, "OMP_NUM_THREADS": "1"}).stdout) for how in ("keep", "free"))
    assert kept < free / 3
