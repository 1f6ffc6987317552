"""Every checker accepts the reference answer, refuses the common mistakes with a hint, and no
exercise is lost."""

import json
import math
import re
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from mistakes import WRONG

from satlib import runtime
from satlib.baselines import fitting
from satlib.evaluation import metrics
from satlib.exercises import checking, data_interactions
from satlib.exercises.checking import reference
from satlib.losses import squared_error


def said(capsys, name, answer) -> str:
    """The line that ``check`` prints, without its end."""
    checking.check(name, answer)
    out = capsys.readouterr().out
    assert out.count("\n") == 1 and out.startswith(f"{name}: ")
    return out.strip()


def test_each_exercise_has_a_checker_and_known_mistakes():
    names = checking.names()
    assert (
        names == sorted(names)
        and len(names) == len(set(names))
        and all(re.fullmatch(r"\d\d\.\d", n) for n in names)
    )
    assert set(WRONG) == set(names) and all(len(mistakes) >= 2 for mistakes in WRONG.values())


@pytest.mark.parametrize("name", sorted(WRONG))
def test_an_untouched_answer_is_not_tried_and_the_reference_is_correct(name, capsys):
    assert said(capsys, name, None) == f"{name}: not tried yet"
    assert said(capsys, name, reference(name)) == f"{name}: correct"


@pytest.mark.parametrize(
    "name, number", [(name, i) for name in sorted(WRONG) for i in range(len(WRONG[name]))]
)
def test_the_common_mistakes_get_a_hint(name, number, capsys):
    line = said(capsys, name, WRONG[name][number])
    assert line.startswith(f"{name}: not yet - ") and len(line) > 25


@pytest.mark.parametrize("name", sorted(WRONG))
def test_an_answer_that_is_nothing_of_the_kind_is_refused(name, capsys):
    assert ": not yet - your answer raised TypeError: " in said(capsys, name, 5)
    assert ": not yet - " in said(capsys, name, lambda *args, **kwargs: None)


def test_the_hints_are_those_of_the_checker(capsys, monkeypatch):
    def checker(answer):
        assert answer == 1, "look at the sign"
        assert answer is True

    monkeypatch.setattr(data_interactions, "check_1", checker)
    assert said(capsys, "01.1", 2) == "01.1: not yet - look at the sign"
    assert (
        said(capsys, "01.1", 1).startswith("01.1: not yet - ")
        and said(capsys, "01.1", True) == "01.1: correct"
    )


def test_a_wrong_answer_without_a_hint_still_gets_a_line():
    def checker(answer):
        raise AssertionError

    assert checking.hint_for(checker, 1) == "the result differs from the one asked for"


def test_whatever_an_answer_raises_is_told(capsys):
    def broken(example):
        return example.dwells[0]

    line = said(capsys, "01.1", broken)
    assert (
        line.startswith("01.1: not yet - your answer raised AttributeError: ") and "dwells" in line
    )


@pytest.mark.parametrize("ask", [lambda name: checking.check(name, None), checking.reveal])
@pytest.mark.parametrize("name", ["98.1", "01_1", "", None])
def test_an_unknown_exercise_is_refused_with_the_legal_ones(ask, name):
    with pytest.raises(ValueError, match=r"unknown exercise .*; choose one of 01\.1, 01\.2, "):
        ask(name)


@pytest.mark.parametrize("name", sorted(WRONG))
def test_the_revealed_source_is_an_answer(name, capsys):
    checking.reveal(name)
    source = capsys.readouterr().out
    assert source.startswith("def answer(") and len(source.splitlines()) <= 12
    learner = {
        "np": np,
        "math": math,
        "losses": squared_error,
        "metrics": metrics,
        "baselines": fitting,
    }
    exec(compile(source, name, "exec"), learner)
    assert said(capsys, name, learner["answer"]) == f"{name}: correct"


def test_the_lessons_ask_for_every_exercise_and_for_no_other():
    asked = {}
    for path in sorted(runtime.notebooks_folder().glob("[0-9][0-9]_*.ipynb")):
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        code = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
        for name in re.findall(r'check\("(.*?)"', code):
            assert name not in asked and name.startswith(path.name[:2])
            assert f'# reveal("{name}")' in code and f"**{name}**" in "".join(
                "".join(c["source"]) for c in cells
            )
            asked[name] = path.name
    assert sorted(asked) == checking.names()


# What a checker compares with


def tensor(values, **options):
    import torch

    return torch.tensor(values, **options)


def half(values):
    import torch

    return torch.tensor(values, dtype=torch.bfloat16)


def table(**columns):
    return pd.DataFrame(columns)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1 / 3, 0.3333333333),
        (0.1 + 0.2, np.float32(0.3)),
        (np.nan, float("nan")),
        (True, np.bool_(True)),
        ([1, 2.0], (1.0, 2)),
        ([], np.array([])),
        ([1, [2, 3]], (1, np.array([2.0, 3.0]))),
        (tensor([1.0, 2.0], requires_grad=True), [1.0, 2.0]),
        (half([1.0, 2.5]), np.array([1.0, 2.5])),
        (tensor(3), 3),
        (tensor([[1, 5], [7, 2]]).max(dim=1), ([5, 7], [1, 0])),
        (("a", 0.5), ["a", 0.5 + 1e-9]),
        (np.array(["a", "b"]), ["a", "b"]),
        ({"a": np.array([1.0, 2.0])}, {"a": [1.0, 2.0 + 1e-8]}),
        ({"a", "b"}, {"b", "a"}),
        (table(x=[1.0, 2.0], y=["a", "b"]), table(x=[1.0, 2.0 + 1e-9], y=["a", "b"])),
        (pd.Series([1.0, 2.0], index=["u", "v"]), [1.0, 2.0]),
        (None, None),
        ("text", "text"),
    ],
)
def test_equal_results_are_the_same_up_to_rounding(one, other):
    assert checking.same(one, other) and checking.same(other, one)


class Awkward:
    """What can neither be compared nor put into words."""

    def __eq__(self, other):
        raise RuntimeError("do not compare")

    __hash__ = None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1.0, 1.0001),
        ("3", 3),
        (["1", "2"], [1, 2]),
        ([1, 2], [2, 1]),
        ([1, 2], [[1], [2]]),
        ([1, 2], [1, 2, 3]),
        ([[1], [2, 3]], [[1], [2]]),
        (3, [3]),
        (None, 0),
        (None, [None]),
        (tensor([1.0, 2.0]), [1.0, 2.5]),
        (tensor([[1, 5], [7, 2]]).max(dim=1), [5, 7]),
        ((x for x in [1, 2]), [1, 2]),
        ({"a": 1}, {"a": 1, "b": 2}),
        ({"a": [1, 2]}, [1, 2]),
        (table(x=[1.0]), table(y=[1.0])),
        (table(x=[1.0, 2.0]), table(x=[1.0, 2.0]).iloc[::-1]),
        (Awkward(), 1),
        ([1, Awkward()], [1, 2]),
    ],
)
def test_different_results_are_not_the_same_and_nothing_raises(one, other):
    assert not checking.same(one, other) and not checking.same(other, one)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1 / 3, "0.333"),
        (np.float32(0.1), "0.100"),
        (0.00012, "0.00012"),
        (0.0, "0.000"),
        (np.int64(3), "3"),
        (np.bool_(True), "True"),
        (np.array([0.5, 1 / 3]), "[0.500, 0.333]"),
        (np.array(2.0), "2.000"),
        ((1, "a", None), "(1, 'a', None)"),
        ((0.5,), "(0.500,)"),
        ({"a": [0.5]}, "{'a': [0.500]}"),
        (tensor([0.25, 1.0], requires_grad=True), "[0.250, 1.000]"),
        (half([0.5]), "[0.500]"),
        (pd.Series([0.5]), "[0.500]"),
        ("two\nlines", "two lines"),
        (None, "None"),
    ],
)
def test_a_result_is_put_into_few_words(value, text):
    assert checking.brief(value) == text


def test_a_long_result_is_cut():
    for value in ("x" * 500, list(range(10**6)), np.zeros((1000, 1000))):
        assert len(checking.brief(value)) == 80 and checking.brief(value).endswith("...")


@pytest.mark.parametrize(
    ("got", "said"),
    [
        (3, "you took the sum"),
        (7, "expected 2, not 7"),
        (None, "the result is None: does every branch end with `return`?"),
        ((x for x in [2]), "a generator, which can be read only once: put it into list(...)"),
        (np.mean, "the result is a function: is a pair of parentheses missing?"),
        (tensor([[1, 5]]).max(dim=1), "take its `.values`"),
        (Awkward(), "expected 2, not <"),
    ],
)
def test_a_wrong_result_gets_the_hint_that_fits(got, said):
    mistakes = {"you took the sum": 3, "you took the right one": 2.0}
    checking.expect(2, 2, mistakes)
    with pytest.raises(AssertionError, match=re.escape(said)):
        checking.expect(got, 2, mistakes, "expected {right}, not {got}")


def test_words_around_a_hint_may_hold_braces():
    with pytest.raises(AssertionError, match=re.escape("{'a': 1} should give 2, not {'b': 3}")):
        checking.expect({"b": 3}, 2, otherwise=f"{ {'a': 1} } should give {{right}}, not {{got}}")
    with pytest.raises(AssertionError, match="the result should be 2, not 3"):
        checking.expect(3, 2)


def test_one_exercise_imports_the_file_of_its_lesson_only():
    code = (
        "import sys; from satlib.exercises import checking; checking.check('01.1', None); "
        "print(*[m for m in sys.modules if m.startswith('satlib.exercises.')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [
        "01.1: not tried yet",
        "satlib.exercises.checking satlib.exercises.data_interactions",
    ]


def test_the_hint_is_the_first_line_that_holds_words():
    def checker(answer):
        raise AssertionError(answer)

    assert checking.hint_for(checker, "\n  look at the sign\nmore") == "look at the sign"
    assert checking.hint_for(checker, " \n") == "the result differs from the one asked for"
