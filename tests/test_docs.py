"""What the site is made of: pages for every lesson and module, the README's parts, figures with
their text."""

import importlib.util
import json
import re

import pytest

from satlib.kit import course


@pytest.fixture(scope="module")
def assemble(root):
    spec = importlib.util.spec_from_file_location("assemble", root / "docs" / "assemble.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def laid(assemble, tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    assemble.main(folder)
    return folder


def test_every_lesson_and_module_is_in_the_side_bar_once(laid):
    contents = (laid / "index.md").read_text() + (laid / "api" / "index.md").read_text()
    listed = re.findall(r"^(?:lessons/)?(\w+)$", contents, re.M)
    for name in [lesson.stem for lesson in course.lessons()] + course.modules():
        assert listed.count(name) == 1, name
        assert (
            laid / "lessons" / f"{name}.ipynb"
        ).is_file() or f"automodule:: satlib.{name}\n" in (laid / "api" / f"{name}.rst").read_text()


def test_all_of_the_readme_is_on_the_home_page_or_with_the_results(laid, root):
    pages = [(laid / name).read_text() for name in ("index.md", "results.md")]
    for heading in re.findall(r"^## .*", (root / "README.md").read_text(), re.M):
        assert sum(f"\n{heading}\n" in page for page in pages) == 1, heading
    assert "](notebooks/" not in "".join(pages) and "](data/" not in "".join(pages)


def test_a_section_of_the_results_that_is_missing_is_named(assemble):
    with pytest.raises(ValueError, match=r"README\.md lacks a section of .*What comes out"):
        assemble.parted("# satlib\n\n## Lessons\n")


def notebook(metadata, line="<!-- badge -->"):
    output = {"data": {"image/png": "eA==", "text/plain": "Figure: It falls"}, "metadata": metadata}
    return {
        "cells": [
            {"cell_type": "markdown", "source": f"# 11 Do\n\n{line}", "metadata": {}},
            {"cell_type": "code", "source": "1", "metadata": {"tags": ["x"]}, "outputs": [output]},
        ]
    }


@pytest.mark.parametrize(
    ("metadata", "alt"),
    [({"image/png": {"alt": "It falls. Line chart."}}, "It falls. Line chart."), ({}, "It falls")],
)
def test_a_figure_takes_its_alternative_text_along(assemble, metadata, alt):
    _, cell = json.loads(assemble.lesson(notebook(metadata)))["cells"]
    assert cell["metadata"] == {"tags": ["x"], "mystnb": {"image": {"alt": alt}}}


def test_the_badge_becomes_words_and_asks_no_other_server(assemble):
    picture = "https://colab.research.google.com/assets/colab-badge.svg"
    target = "https://colab.research.google.com/github/a/b"
    made = assemble.lesson(notebook({}, f"<!-- badge --> [![Open in Colab]({picture})]({target})"))
    assert f"# 11 Do\\n\\n[Open in Colab]({target})" in made
    assert "badge" not in assemble.lesson(notebook({}))


def test_a_second_time_only_what_changed_is_written_and_what_went_is_removed(assemble, laid):
    before = {path: path.stat().st_mtime_ns for path in laid.rglob("*.*")}
    (laid / "api" / "gone.rst").write_text("gone")
    (laid / "glossary.md").write_text("changed")
    assemble.main(laid)
    after = {path: path.stat().st_mtime_ns for path in laid.rglob("*.*")}
    assert before.keys() == after.keys()
    assert [path.name for path in before if before[path] != after[path]] == ["glossary.md"]


def test_a_term_of_the_glossary_is_english_and_chinese_and_explained_once(root):
    text = (root / "docs" / "glossary.md").read_text(encoding="utf-8")
    terms = re.findall(r"^(\S.*) · (.+)\n  \S", text, re.M)
    assert len(terms) == text.count(" · ") - text.count("{term}`") >= 50
    for english, chinese in terms:
        assert re.search("[\u4e00-\u9fff]", chinese) and not re.search("[\u4e00-\u9fff]", english)
    assert (
        len({english for english, _ in terms})
        == len({chinese for _, chinese in terms})
        == len(terms)
    )


WORDS = """interaction, event, history, session, dialogue, turn, utterance, user, item, rating, satisfaction, annotator,
agreement, training set, validation set, test set, token ids, attention mask, max_length, padding, truncation, logit,
probability, loss, epoch, step, learning rate, warm-up, weight decay, seed, run, record, RMSE, MAE, UAR, macro-F1,
quadratic weighted kappa, Spearman's rho, AUC, ECE, interval"""


@pytest.mark.parametrize("word", WORDS.replace("\n", " ").split(", "))
def test_the_glossary_has_the_words_of_the_lessons(word, root):
    text = (root / "docs" / "glossary.md").read_text(encoding="utf-8")
    assert re.search(
        rf"^{re.escape(word)} · |\*\*{re.escape(word)}\*\*|\b{re.escape(word)} \(", text, re.M
    )
