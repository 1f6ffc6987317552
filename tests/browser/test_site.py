"""The site as a reader meets it, in a real browser: `make test-site` builds it in build/site and
runs this file.

Pictures of every page at both widths are left in build/site-pictures. ONLY="lessons/ glossary"
opens only pages with such a word in their name.
"""

import itertools
import os
import shutil
from pathlib import Path
from urllib.parse import unquote

import pytest
from browser import site_server as server

from satlib import runtime
from satlib.data import leaks
from satlib.evaluation import comparable_records
from satlib.kit import course, report_page
from satlib.kit.results import Result

SITE = Path(__file__).parents[2] / "build" / "site"
PICTURES = SITE.parent / "site-pictures"
PAGES = sorted(path.relative_to(SITE).as_posix() for path in SITE.rglob("*.html"))
ONLY = os.environ.get("ONLY", "")


def is_chosen(page: str) -> bool:
    """Whether a page has one of the words of ONLY in its name; all have where there is none."""
    words = ONLY.split()
    return not words or any(word in page for word in words)


CHOSEN = [page for page in PAGES if is_chosen(page)]
if not CHOSEN:
    raise pytest.UsageError(
        f"no page of {SITE} has a word of ONLY={ONLY!r} in its name; "
        "run `make site`, and name pages such as lessons/12 or glossary"
    )
LOOKS = ((1280, "light"), (390, "dark"))


@pytest.fixture(scope="module")
def running():
    with server.browser() as found:
        yield found


@pytest.fixture(scope="module")
def address():
    with server.served(SITE) as found:
        yield found


@pytest.fixture(scope="module")
def links():
    return {name: server.Links((SITE / name).read_text(encoding="utf-8")) for name in PAGES}


# What can be seen without a browser


def test_every_lesson_and_module_has_its_page_and_home_glossary_and_search_are_there():
    wanted = {"index.html", "results.html", "glossary.html", "search.html", "api/index.html"}
    wanted |= {f"lessons/{lesson.stem}.html" for lesson in course.lessons()}
    for module in course.modules():
        # A file of exercises holds answers, and has no page.
        if course.folder_of(module) != "exercises" or module == course.CHECKING:
            wanted.add(f"api/{module}.html")
    assert wanted - set(PAGES) == set(), "run `make site` first"


def test_every_figure_of_a_lesson_is_on_its_page():
    for lesson in course.lessons():
        drawn = 0
        for cell in lesson.cells:
            for output in cell.get("outputs", []):
                drawn += "image/png" in output.get("data", {})
        text = (SITE / "lessons" / f"{lesson.stem}.html").read_text(encoding="utf-8")
        assert text.count('src="../_images/') == drawn >= 2, lesson.stem


def test_the_set_up_is_folded_and_its_text_is_not():
    for lesson in course.lessons():
        text = (SITE / "lessons" / f"{lesson.stem}.html").read_text(encoding="utf-8")
        before_code, folded, code = text.partition("<details")
        assert "<strong>Set-up.</strong>" in before_code, lesson.stem
        assert folded and "google.colab" in code.partition("</details>")[0], lesson.stem


def test_nothing_is_loaded_from_elsewhere(links):
    sheets = {
        path.name: server.Links(path.read_text(encoding="utf-8")) for path in SITE.rglob("*.css")
    }
    for name, found in (links | sheets).items():
        assert list(filter(server.outside, found.loaded)) == [], name


def test_every_link_within_the_site_leads_to_a_page_and_a_name_on_it(links):
    for name, found in links.items():
        for target in found.led:
            place, _, anchor = unquote(target).partition("#")
            has_scheme = ":" in place.split("/")[0]
            closes_a_search = name == "search.html" and not place
            if has_scheme or closes_a_search:
                continue
            there = name
            if place:
                there = os.path.normpath(os.path.join(os.path.dirname(name), place))
            assert (SITE / there).is_file(), f"{name} links to {target}"
            if anchor and there in links:
                assert anchor in links[there].names, f"{name} links to {target}"


def test_every_page_says_its_language(links):
    assert {name for name, found in links.items() if found.language == "zh-CN"} <= {
        "README.zh-CN.html"
    }
    assert all(found.language in ("en", "zh-CN") for found in links.values())


# What a reader meets


@pytest.mark.parametrize("name", CHOSEN)
def test_a_page_is_whole_and_can_be_read_by_all(name, running, address):
    with server.tab(running, address) as tab:
        tab.goto(address + name)
        for width, scheme in LOOKS:
            picture = PICTURES / str(width) / f"{name.replace('/', '-')}.jpeg"
            server.look(tab, width, scheme, picture)


@pytest.mark.parametrize(
    ("word", "place"), [("oracle", "lessons/"), ("quadratic", "api/"), ("满意度", "glossary")]
)
def test_a_search_leads_to_the_pages_that_have_the_word(word, place, running, address):
    with server.tab(running, address) as tab:
        tab.goto(address + "index.html")
        tab.set_viewport_size({"width": 1280, "height": 900})
        tab.locator(".sidebar-search").fill(word)
        tab.keyboard.press("Enter")
        tab.wait_for_selector("ul.search li a")
        hits = tab.locator("ul.search li a")
        addresses = hits.evaluate_all("all => all.map(one => one.getAttribute('href'))")
        assert any(place in address for address in addresses)


def test_formulas_are_drawn_and_spoken(running, address):
    with server.tab(running, address) as tab:
        tab.goto(address + "lessons/12_losses_cross_entropy.html")
        assert tab.evaluate(server.FORMULAS) == []
        assert tab.locator("mjx-container").count() == tab.locator(".math").count() > 20
        assert tab.locator("mjx-assistive-mml math").count() > 20


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """The report's page, as the runner would write it from the stored lessons."""
    folder = tmp_path_factory.mktemp("report")
    shutil.copytree(runtime.notebooks_folder(), folder / "notebooks")
    records = comparable_records.load_committed("satsim", "fast")
    shown = []
    statuses = itertools.cycle(("ok", "failed", "unchanged"))
    for lesson, status in zip(course.lessons(), statuses, strict=False):
        result = Result(lesson.stem, status, 12.5, "cell 3: KeyError: 'no such column'")
        shown.append((lesson, result))
    refused = [leaks.Finding("split", "refused", "a user is on two sides")]
    report_page.write(folder, shown, records, "satsim", "fast", refused)
    with server.served(folder) as address:
        yield address


@pytest.mark.parametrize("width", [390, 1280])
def test_the_report_can_be_read_by_all(width, running, report):
    with server.tab(running, report) as tab:
        tab.goto(report + "index.html")
        server.look(tab, width, "light", PICTURES / str(width) / "report.jpeg")
        assert tab.locator("figure img").count() > 50
