"""The figures of style are counted as `make style` says."""

import json

import pytest
import style

MODULE = '''"""Three lines

of a docstring."""

# A comment of its own.
def double(x):
    """Another."""
    return [2 * one for one in list(x)]  # not of its own
'''


def test_docstrings_are_neither_code_nor_comment():
    found = style.counts(MODULE)
    assert (found.code_lines, found.comment_lines) == (2, 1)
    line = "return [2 * one for one in list(x)]  # not of its own"
    assert found.characters == len("def double(x):") + len(line)
    assert (found.comprehensions, found.functions, found.calls) == (1, 1, 1)
    assert found.row() == ["2", "33.5", "0.0%", "50.0", "50.0", "1", "1"]


def test_counts_add_up():
    one = style.counts(MODULE)
    assert (one + one).row() == ["4", "33.5", "0.0%", "50.0", "50.0", "2", "2"]


def test_the_cells_of_a_notebook_are_counted_without_their_magics(tmp_path):
    cells = [
        {"cell_type": "markdown", "source": ["# words"]},
        {"cell_type": "code", "source": ["if x:\n", "    %pip install y"]},
    ]
    path = tmp_path / "a.ipynb"
    path.write_text(json.dumps({"cells": cells}))
    assert style.texts(path) == ["if x:\n    pass"]


@pytest.mark.parametrize("arguments", [[], [__file__]])
def test_a_table_is_printed(arguments, capsys):
    style.main(arguments)
    printed = capsys.readouterr().out
    assert "mean chars" in printed
    assert ("minGPT" in printed) == (not arguments)
