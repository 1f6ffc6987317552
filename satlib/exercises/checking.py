"""The exercises: ``check("12.1", answer)`` judges a learner's answer, ``reveal("12.1")`` prints the
reference answer.

Each lesson has a file of its own beside this one, named like the lesson without its number. Behind
the name "12.1" stand two functions of the file of lesson 12: ``answer_1``, the reference, and
``check_1``, which returns quietly for a right answer and raises AssertionError with a hint for a
wrong one. A checker compares with ``expect``.
"""

import importlib
import inspect
import itertools
import numbers
from collections.abc import Callable
from types import ModuleType

import numpy as np

from satlib import runtime

REFERENCE = "answer_"
CHECKER = "check_"
SHOWN = 80  # characters of a result that a hint shows
FIRST = 30  # parts of a long result that are put into words at all
SMALL = 0.001  # a number below it needs more than three decimals


# What a lesson calls


def names() -> list[str]:
    """Names of all exercises, in course order."""
    found = []
    for number, stem in _files().items():
        for function in vars(_module(stem)):
            if function.startswith(REFERENCE):
                found.append(f"{number}.{function.removeprefix(REFERENCE)}")
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
        return _first_line(str(wrong)) or "the result differs from the one asked for"
    except Exception as error:  # whatever a learner's code raises is told, not thrown
        return _first_line(f"your answer raised {type(error).__name__}: {error}")
    return None


def _first_line(text: str) -> str:
    """The first line that holds words; "" where there is none."""
    return text.strip().partition("\n")[0].strip()


def _files() -> dict[str, str]:
    """Number of a lesson -> name of its file of exercises, in course order."""
    found = {}
    for path in sorted(runtime.notebooks_folder().glob("[0-9][0-9]_*.ipynb")):
        number, _, stem = path.stem.partition("_")
        if runtime.PACKAGE.joinpath("exercises", f"{stem}.py").is_file():
            found[number] = stem
    return found


def _module(stem: str) -> ModuleType:
    """A file of exercises, imported when it is asked for, as some import torch."""
    return importlib.import_module(f"satlib.exercises.{stem}")


def _function(kind: str, name: str) -> Callable:
    """The reference or the checker of an exercise; ValueError for an unknown name."""
    number, _, part = str(name).partition(".")
    stem = _files().get(number)
    if stem is not None and part:
        function = getattr(_module(stem), kind + part, None)
        if function is not None:
            return function
    runtime.one_of("exercise", name, names())
    raise ValueError(f"the exercise {name} has no function {kind}{part}; add it to {stem}.py")


# What a checker calls


def expect(got: object, right: object, mistakes: dict | None = None, otherwise: str = "") -> None:
    """Return quietly where ``got`` is ``right``; else raise AssertionError with the fitting hint.

    mistakes: hint -> the value that this common mistake gives. otherwise: the hint for any other
    value; {got} and {right} in it are filled in. What ``same`` says decides, so a mistake that
    happens to give the right value is none. A forgotten ``return`` and a result of an odd kind
    have hints of their own.
    """
    if same(got, right):
        return
    for hint, wrong in (mistakes or {}).items():
        if same(got, wrong):
            raise AssertionError(hint)
    hint = _hint_of_kind(got, right)
    if not hint:
        words = otherwise or "the result should be {right}, not {got}"
        # Not str.format: the words around may hold braces of their own, as those of a dict.
        hint = words.replace("{got}", brief(got)).replace("{right}", brief(right))
    raise AssertionError(hint)


def _hint_of_kind(got: object, right: object) -> str:
    """The hint for a result that cannot be right, whatever it holds; "" for any other."""
    if got is None:
        return "the result is None: does every branch end with `return`?"
    if hasattr(got, "__next__"):
        return "the result is a generator, which can be read only once: put it into list(...)"
    if callable(got) and not callable(right):
        return "the result is a function: is a pair of parentheses missing?"
    # What torch gives for `x.max(dim=1)`.
    if isinstance(got, tuple) and hasattr(got, "values") and hasattr(got, "indices"):
        return "the result is a pair, the values and where they stand: take its `.values`"
    return ""


def same(one: object, other: object) -> bool:
    """Whether two results are equal.

    Numbers are compared to 1e-6 of their size, whether they stand alone, in a list, a tuple, an
    array, a tensor or a table, and in whatever these and dicts hold; a text is no number. Results
    that cannot be compared are not equal.
    """
    try:
        return _same_plain(_plain(one), _plain(other))
    except Exception:  # a comparison of what a learner made may raise anything
        return False


def _plain(value: object) -> object:
    """A result in Python's and NumPy's own kinds: tensors and columns as arrays, tables as dicts of
    columns, tuples as lists."""
    if hasattr(value, "detach"):
        value = _array_of_tensor(value)
    if hasattr(value, "iterrows"):
        columns = {str(name): _plain(value[name]) for name in value.columns}
        return {"index": _plain(value.index), "columns": columns}
    if hasattr(value, "to_numpy"):
        value = value.to_numpy()
    if isinstance(value, np.ndarray) and not _is_numeric(value):
        value = value.tolist()
    if isinstance(value, dict):
        return {key: _plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    return value


def _array_of_tensor(tensor) -> np.ndarray:
    """The numbers of a torch tensor, whatever device it lies on and whether it has a gradient."""
    tensor = tensor.detach().cpu()
    try:
        return tensor.numpy()
    except TypeError:  # NumPy has no bfloat16
        return tensor.float().numpy()


def _same_plain(one: object, other: object) -> bool:
    """``same`` for what ``_plain`` gives."""
    first = _numbers_in(one)
    second = _numbers_in(other)
    if first is not None and second is not None:
        if first.shape != second.shape:
            return False
        return np.allclose(first, second, rtol=1e-6, atol=1e-9, equal_nan=True)
    if isinstance(one, list) and isinstance(other, list):
        if len(one) != len(other):
            return False
        return all(_same_plain(a, b) for a, b in zip(one, other, strict=True))
    if isinstance(one, dict) and isinstance(other, dict):
        if one.keys() != other.keys():
            return False
        return all(_same_plain(part, other[key]) for key, part in one.items())
    return bool(one == other)


def _numbers_in(value: object) -> np.ndarray | None:
    """A number, or an array or nested list of nothing but numbers, as an array; else None."""
    if not isinstance(value, np.ndarray | list | numbers.Number | np.bool_):
        return None
    try:
        array = np.asarray(value)
    except ValueError:  # lists of unequal lengths
        return None
    return array if _is_numeric(array) else None


def _is_numeric(array: np.ndarray) -> bool:
    return array.dtype.kind in "biufc"  # bool, integers, floating and complex numbers


def brief(value: object) -> str:
    """A result for a hint, in one line: numbers to three decimals, a long text cut."""
    text = value if isinstance(value, str) else _in_words(value)
    text = " ".join(text.split())
    if len(text) > SHOWN:
        return f"{text[: SHOWN - 3]}..."
    return text


def _in_words(value: object) -> str:
    """A result and what it holds, each number short."""
    if hasattr(value, "detach"):
        value = _array_of_tensor(value)
    if hasattr(value, "to_numpy"):
        value = value.to_numpy()
    if isinstance(value, np.ndarray):
        value = value[:FIRST].tolist() if value.ndim else value.item()
    if isinstance(value, bool | np.bool_):
        return str(bool(value))
    if isinstance(value, numbers.Integral):
        return str(int(value))
    if isinstance(value, numbers.Real):
        return _short_number(float(value))
    if isinstance(value, dict):
        pairs = itertools.islice(value.items(), FIRST)
        return f"{{{', '.join(f'{key!r}: {_in_words(part)}' for key, part in pairs)}}}"
    if isinstance(value, list | tuple):
        parts = ", ".join(_in_words(part) for part in itertools.islice(value, FIRST))
        if isinstance(value, list):
            return f"[{parts}]"
        return f"({parts},)" if len(value) == 1 else f"({parts})"
    return repr(value)


def _short_number(value: float) -> str:
    """Three decimals, or two digits of a number that these would make zero."""
    if 0 < abs(value) < SMALL:
        return f"{value:.2g}"
    return f"{value:.3f}"
