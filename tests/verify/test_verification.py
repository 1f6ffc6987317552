"""``make verify`` as a whole: it knows all of the page, it imports nothing of satlib, and it can
fail."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from . import __main__ as command
from . import page, verification
from .ledger import Section

HERE = Path(__file__).parent
# What the verification may import beside the standard library.
LIBRARIES = {"numpy", "scipy", "sklearn", "threadpoolctl"}


def modules() -> list[Path]:
    """The modules of the verification, without their tests."""
    named = (path for path in HERE.glob("*.py") if not path.name.startswith(("test_", "conftest")))
    return sorted(named)


def test_no_module_imports_anything_of_satlib():
    assert len(modules()) > 8
    for path in modules():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and not node.level:
                names = [node.module]
            for name in names:
                top = name.split(".")[0]
                assert top in LIBRARIES | sys.stdlib_module_names, f"{path.name} imports {name}"


def test_nothing_of_satlib_is_loaded_when_it_runs(root):
    code = (
        "import sys, tests.verify.__main__; print('satlib' in sys.modules, 'torch' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True)
    assert run.stdout.split() == ["False", "False"], run.stderr


@pytest.mark.parametrize(
    ("added", "said"),
    [
        ("\n| kind | cost |\n|---|---|\n| a | 3 |\n", "the table with the head ['kind', 'cost']"),
        ("\n<!-- news -->\nAll is well.\n<!-- /news -->\n", "the generated part 'news'"),
        ("\nOur model reaches 0.912 on it.\n", "a result stands outside the generated parts"),
        ("\nIt is 62.2% accurate.\n", "a result stands outside the generated parts"),
        ("\nThe gain is 0.07 [0.06, 0.08].\n", "a result stands outside the generated parts"),
    ],
)
def test_what_nobody_recomputes_is_found(english, added, said):
    assert verification.check_coverage(english).wrong == []
    (fault,) = verification.check_coverage(english + added).wrong
    assert said in fault


def test_a_table_in_a_part_that_is_excluded_is_found_too(english):
    new = "\n| energy | Wh |\n|---|---|\n| satlib | 3 |\n"
    changed = english.replace("<!-- /speed -->", f"{new}<!-- /speed -->")
    (fault,) = verification.check_coverage(changed).wrong
    assert "the table with the head ['energy', 'Wh']" in fault


def test_what_is_excluded_is_named_with_the_reason(english):
    excluded = " ".join(verification.check_coverage(english).excluded)
    assert "speed" in excluded and "measured on one machine" in excluded


def test_records_without_a_table_and_a_table_without_records_are_found(parts, known):
    heading = parts["results"].splitlines()[0]
    unknown = heading.replace("satsim", "moonlens")
    (whole,) = verification.check_results(unknown, known)
    assert "nothing recomputes what begins with '**moonlens" in whole.wrong[0]
    assert "data sets and profiles: the page says []" in whole.wrong[1]


def test_a_translation_with_another_number_is_found(root, english):
    chinese = (root / "README.zh-CN.md").read_text(encoding="utf-8")
    assert verification.check_translation(english, chinese).wrong == []
    results = page.parts(chinese)["results"]
    printed = re.search(r"\d\.\d{3}", results)[0]
    changed = chinese.replace(results, results.replace(printed, "9.999", 1))
    (fault,) = verification.check_translation(english, changed).wrong
    assert printed in fault and "9.999" in fault
    shorter = chinese.replace(results, results[: results.index("|")])
    assert verification.check_translation(english, shorter).wrong


# The command


def test_the_command_prints_a_row_a_section_and_names_the_first_faults(monkeypatch, capsys):
    good = Section("good", checked=7, furthest_value=0.0004, furthest_end=0.003)
    good.exclude("speed", "of one machine")
    bad = Section("bad", checked=30)
    for number in range(12):
        bad.fail(f"number {number} is wrong")
    found = [good]
    monkeypatch.setattr(verification, "verify", lambda *pages: found)
    assert command.main([]) == 0
    out = capsys.readouterr().out
    assert re.search(r"^good +7 +0\.0004 +0\.0030 +0$", out, re.M)
    assert "  good: speed: of one machine" in out
    found.append(bad)
    assert command.main([]) == 1
    said = capsys.readouterr().err.splitlines()
    assert said[0] == "make verify: bad: number 0 is wrong"
    assert len(said) == command.FAULTS + 1 and said[-1] == "make verify: and 2 more faults"


def test_what_cannot_be_read_is_said_in_one_sentence(tmp_path, capsys):
    path = tmp_path / "page.md"
    path.write_text("<!-- figure -->\n")
    assert command.main(["--page", str(path), "--records", str(tmp_path)]) == 1
    said = capsys.readouterr().err
    assert said == "make verify: the part 'figure' of the page has no end\n"


def test_a_page_without_parts_is_not_taken_for_a_good_one(tmp_path, capsys):
    path = tmp_path / "page.md"
    path.write_text("# satlib\n")
    (tmp_path / "reproduction").mkdir()
    given = ["--page", str(path), "--translation", str(path), "--records", str(tmp_path)]
    assert command.main(given) == 1
    assert "headline figure" in capsys.readouterr().err


def test_make_verify_is_a_part_of_make_test(root):
    makefile = (root / "Makefile").read_text(encoding="utf-8")
    for target in ("test", "verify"):
        (recipe,) = re.findall(rf"^{target}: setup .*\n((?:\t.*\n)+)", makefile, re.M)
        assert "$(BIN)/python -m tests.verify\n" in recipe
