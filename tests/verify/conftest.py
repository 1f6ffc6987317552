"""What the tests of the verification share: the page, and the committed records behind it."""

import pytest

from . import page, records
from .protocol import Protocol


@pytest.fixture(scope="session")
def english(root) -> str:
    """README.md."""
    return (root / "README.md").read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def parts(english) -> dict[str, str]:
    """The generated parts of README.md."""
    return page.parts(english)


@pytest.fixture(scope="session")
def runs(root):
    """The folder of the committed records."""
    return root / "data" / "runs"


@pytest.fixture(scope="session")
def known(runs) -> list[Protocol]:
    """The protocols of the committed records."""
    return [Protocol(*name, own) for name, own in records.protocols(runs).items()]
