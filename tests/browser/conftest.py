"""Fixtures of the tests in a real browser, which `make test-browser` runs: Debian's chromium,
driven by playwright."""

import shutil
from pathlib import Path

import pytest
from browser import lab as jupyter

# What a test that failed leaves: a picture, and the notebook.
KEPT = Path(__file__).parents[2] / "build" / "browser"
pytest.register_assert_rewrite("browser.site_server")  # its checks say what they found


def pytest_configure(config):
    """Say in one sentence what is missing, before anything starts."""
    try:
        jupyter.chromium()
    except FileNotFoundError as error:
        raise pytest.UsageError(str(error)) from None


@pytest.fixture(scope="session")
def chromium():
    """A running browser."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=jupyter.chromium(), args=list(jupyter.CALM)
        )
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def shared(tmp_path_factory, worker_id) -> Path:
    """A folder that all processes of this run share."""
    base = tmp_path_factory.getbasetemp()
    if worker_id != "master":  # several processes, each with a folder of its own in one
        base = base.parent
    folder = base / "shared"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def lab(tmp_path_factory, shared):
    """A server over an empty folder; what lessons keep is shared with the other processes of this
    run."""
    folder = tmp_path_factory.mktemp("lessons")
    state = tmp_path_factory.mktemp("state")
    server = jupyter.Lab(folder, state, shared / "cache")
    yield server
    server.stop()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Leave on the test whether it failed, for its fixtures."""
    report = yield
    item.failed = getattr(item, "failed", False) or report.failed
    return report


@pytest.fixture
def seat(chromium, lab, request):
    """A page of its own in front of the lab; what a failure leaves goes to build/browser."""
    context = chromium.new_context(viewport={"width": 1280, "height": 1600})
    taken = jupyter.Seat(context.new_page(), lab)
    yield taken
    if getattr(request.node, "failed", False) and taken.name:
        KEPT.mkdir(parents=True, exist_ok=True)
        taken.page.screenshot(path=KEPT / f"{request.node.name}.png")
        taken.save()
        shutil.copy(lab.folder / taken.name, KEPT / f"{request.node.name}.ipynb")
    context.close()
    lab.end_kernels()
