"""A pytest plugin for nbval: every notebook gets an empty cache of its own and draws no progress
bars.

Notebooks run beside each other in any order, so none may see the records that another left a moment
ago.
"""

import os
import tempfile

import pytest

HELD = []


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item):
    """Before a notebook's kernel starts, which is when its first cell is set up."""
    if not HELD or HELD[-1][0] != item.path:
        HELD.append((item.path, tempfile.TemporaryDirectory(prefix="satlib-")))
    os.environ |= {
        "SATLIB_CACHE": HELD[-1][1].name,
        "SATLIB_QUIET": "1",
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",
    }
