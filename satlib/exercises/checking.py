"""The exercises: ``check("12.1", answer)`` judges a learner's answer, ``reveal("12.1")`` prints the
reference answer.

Each lesson has a file of its own beside this one, named like the lesson without its number. Behind
the name "12.1" stand two functions of the file of lesson 12: ``answer_1``, the reference, and
``check_1``, which returns quietly for a right answer and raises AssertionError with a hint for a
wrong one.
"""

import importlib
import inspect
from collections.abc import Callable
from types import ModuleType

import numpy as np

from satlib import runtime

REFERENCE = "answer_"
CHECKER = "check_"


def names() -> list[str]:
    """Names of all exercises, in course order."""
    found = []
    for number, module in _files().items():
        parts = [
            name.removeprefix(REFERENCE) for name in vars(module) if name.startswith(REFERENCE)
        ]
        found += [f"{number}.{part}" for part in parts]
    return found


def check(name: str, answer: object) -> None:
    """Print whether ``answer`` solves the exercise ``name``: not tried yet (None), correct, or not
    yet with a hint.

    An unknown name raises ValueError; a wrong answer raises nothing, so a notebook runs on.
    """
    checker = _function(CHECKER, name)
    if answer is None:
        print(f"{name}: not tried yet")
        return
    hint = hint_for(checker, answer)
    if hint is None:
        print(f"{name}: correct")
    else:
        print(f"{name}: not yet - {hint}")


def reveal(name: str) -> None:
    """Print the source of the reference answer of the exercise ``name``; an unknown name raises
    ValueError."""
    answer = reference(name)
    source = inspect.getsource(answer)
    print(source.replace(answer.__name__, "answer").strip())


def reference(name: str) -> Callable:
    """The reference answer of the exercise ``name``; an unknown name raises ValueError."""
    return _function(REFERENCE, name)


def hint_for(checker: Callable, answer: object) -> str | None:
    """What a checker says about an answer, in one line; None for a right answer."""
    try:
        checker(answer)
    except AssertionError as wrong:
        text = str(wrong) or "the result differs from the one asked for"
        return text.splitlines()[0]
    except Exception as error:  # whatever a learner's code raises is told, not thrown
        text = f"your answer raised {type(error).__name__}: {error}"
        return text.splitlines()[0]
    return None


def _files() -> dict[str, ModuleType]:
    """Number of a lesson -> its file of exercises, in course order."""
    found = {}
    for path in sorted(runtime.notebooks_folder().glob("[0-9][0-9]_*.ipynb")):
        number, _, stem = path.stem.partition("_")
        if runtime.PACKAGE.joinpath("exercises", f"{stem}.py").is_file():
            found[number] = importlib.import_module(f"satlib.exercises.{stem}")
    return found


def _function(kind: str, name: str) -> Callable:
    runtime.one_of("exercise", name, names())
    number, _, part = name.partition(".")
    return getattr(_files()[number], kind + part)


def expect(got: object, right: object, mistakes: dict | None = None, otherwise: str = "") -> None:
    """Return quietly where ``got`` is ``right``; else raise AssertionError with the fitting hint.

    mistakes: hint -> the value that this common mistake gives. otherwise: the hint for any other
    value; {got} and {right} in it are filled in. Numbers and arrays are compared to 1e-6 of their
    size, all else by equality; a mistake that happens to give the right value is none.
    """
    if same(got, right):
        return
    if got is None:
        raise AssertionError("the result is None: does every branch end with `return`?")
    for hint, wrong in (mistakes or {}).items():
        if same(got, wrong):
            raise AssertionError(hint)
    shown = otherwise or "the result should be {right}, not {got}"
    raise AssertionError(shown.format(got=brief(got), right=brief(right)))


def same(one: object, other: object) -> bool:
    """Whether two results are equal, numbers and arrays of numbers up to rounding."""
    try:
        first = np.asarray(one, dtype=float)
        second = np.asarray(other, dtype=float)
    except (TypeError, ValueError):  # words, None, lists of unequal lengths
        return bool(one == other)
    return first.shape == second.shape and np.allclose(first, second, 1e-6, 1e-9, equal_nan=True)


def brief(value: object) -> str:
    """A result for a hint: numbers to three decimals, a long text cut."""
    if isinstance(value, float):
        return f"{value:.3f}"
    if isinstance(value, np.ndarray):
        value = value.round(3).tolist()
    text = str(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
