"""What the site is made of: pages for every lesson and module, the README's parts, figures with
their text."""

import importlib.util
import json
import re

import pytest

from satlib.kit import course, import_contract


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


def side_bar(page: str) -> list[str]:
    """The pages that the hidden tables of contents of a page list."""
    return re.findall(r"^(?:lessons/)?([\w.]+)$", page, re.M)


def test_every_lesson_is_in_the_side_bar_once_under_its_part(laid, assemble):
    home = (laid / "index.md").read_text()
    listed = side_bar(home)
    for lesson in course.lessons():
        assert listed.count(lesson.stem) == 1, lesson.stem
        assert (laid / "lessons" / f"{lesson.stem}.ipynb").is_file()
    captions = re.findall(r"^:caption: (.*)$", home, re.M)
    parts = [*course.PARTS, "Reference"]
    assert captions == [part for part in parts if part in captions]
    assert home.index("01_data_interactions\n") < home.index(":caption: Mathematics")
    assert home.index(":caption: Report\n\nlessons/99_report\n") < home.index("Reference")


def test_every_module_but_the_answers_has_a_page_and_is_in_the_side_bar_once(laid, assemble):
    listed = side_bar((laid / "api" / "index.md").read_text())
    for module in assemble.described():
        assert listed.count(module) == 1, module
        page = (laid / "api" / f"{module}.rst").read_text()
        assert f"automodule:: satlib.{module}\n" in page
    left_out = set(course.modules()) - set(assemble.described())
    assert left_out == {f"exercises.{one.name}" for one in course.lessons()} & left_out
    assert course.CHECKING in assemble.described()


def test_modules_stand_in_course_order_under_their_folders(laid, assemble):
    index = (laid / "api" / "index.md").read_text()
    headings = re.findall(r"^## (.*)$", index, re.M)
    folders = [heading.removeprefix("satlib.") for heading in headings[1:]]
    assert headings[0] == assemble.GROUND
    assert folders == [name for name in import_contract.layers() if name in folders]
    listed = side_bar(index)
    assert listed.index("data.interactions") < listed.index("data.corpora")
    assert listed.index("data.corpora") < listed.index("losses.squared_error")


def test_a_module_says_where_the_course_has_it(assemble):
    def said(module):
        return assemble.place(module, "{0}")

    assert said("losses.cross_entropy") == "12_losses_cross_entropy"
    assert said("data.satsim.simulation") == "03_data_satsim"  # the lesson teaches the folder
    assert said("runtime") == "all" and said("kit.runner") == "none: a tool"
    assert said("data.agreement") == "used in 04_data_labels"
    assert said("data.downloads") == "behind the others of its folder"


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


def test_the_set_up_is_folded_and_its_text_is_not(assemble):
    tagged = {"tags": ["setup"]}
    cells = [
        {"cell_type": "markdown", "source": "**Set-up.** Do.", "metadata": dict(tagged)},
        {"cell_type": "code", "source": "setup()", "metadata": dict(tagged), "outputs": []},
    ]
    words, code = json.loads(assemble.lesson({"cells": cells}))["cells"]
    assert words["metadata"]["tags"] == ["setup"]
    assert code["metadata"]["tags"] == ["setup", "hide-input"]


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


def test_the_glossary_links_to_lessons_by_their_numbers(root):
    text = (root / "docs" / "glossary.md").read_text(encoding="utf-8")
    links = re.findall(r"\[([^]]*)\]\(lessons/([^)]*)\.ipynb\)", text)
    stems = {lesson.stem for lesson in course.lessons()}
    assert len(links) > 40
    for number, stem in links:
        assert stem in stems and stem[:2] == number


def test_files_and_modules_that_the_data_card_names_exist(root):
    text = (root / "data" / "satsim" / "README.md").read_text(encoding="utf-8")
    paths = re.findall(r"`((?:satlib|tests)/[^`]+)`", text)
    modules = re.findall(r"`(satlib(?:\.\w+)+)`", text)
    assert len(paths) >= 2 and len(modules) >= 2
    for path in [*paths, *(f"{name.replace('.', '/')}.py" for name in modules)]:
        assert (root / path).exists(), path


WORDS = """interaction, event, history, session, dialogue, turn, utterance, user, item, rating,
satisfaction, annotator, agreement, training set, validation set, test set, token ids,
attention mask, max_length, padding, truncation, logit, probability, loss, epoch, step,
learning rate, warm-up, weight decay, seed, run, record, RMSE, MAE, UAR, macro-F1,
quadratic weighted kappa, Spearman's rho, AUC, ECE, interval"""


@pytest.mark.parametrize("word", WORDS.replace("\n", " ").split(", "))
def test_the_glossary_has_the_words_of_the_lessons(word, root):
    text = (root / "docs" / "glossary.md").read_text(encoding="utf-8")
    assert re.search(
        rf"^{re.escape(word)} · |\*\*{re.escape(word)}\*\*|\b{re.escape(word)} \(", text, re.M
    )
