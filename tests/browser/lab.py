"""JupyterLab as a learner has it: a server on loopback with no settings but the defaults, and one
page in a browser."""

import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

import nbformat

from satlib import storage
from satlib.kit import course, kernels

# Hosts that a page may ask; data: and blob: addresses have none.
HERE = ("127.0.0.1", "localhost", "", None)
NOWHERE = "http://127.0.0.1:9"  # a proxy that does not exist: what asks for the outside fails
# Of this process, not of a learner's shell: tests/conftest.py and CI set them.
OURS = ("CI", "SATLIB_QUIET", "SATLIB_FIGURES", "SATLIB_LESSON", "MPLBACKEND", "HF_HUB_OFFLINE")
# Everything is drawn, also what lies below the window's edge; no news, no updates.
SETTINGS = {
    "notebook-extension/tracker": {"windowingMode": "none"},
    "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
}
OPTIONS = (
    "--no-browser",
    "--allow-root",
    "--ip=127.0.0.1",
    "--ServerApp.port_retries=0",
    "--LabApp.expose_app_in_browser=True",
    "--LabApp.extension_manager=readonly",
    "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
    "--log-level=WARN",
)
# JupyterLab asks for an extension that is not installed, and logs that it is not there.
ABSENT = "/lsp/"
# The browser's options: nothing asked of the outside, and none of the sandbox that a container
# refuses.
CALM = (
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-sandbox",
)
PANEL = "window.jupyterapp.shell.currentWidget"
RUN_ALL = """() => {
  window.ended = null;
  window.jupyterapp.commands.execute("notebook:run-all-cells").then(
    () => { window.ended = "ended" },
    error => { window.ended = String(error) });
}"""
SAVE = "() => window.jupyterapp.commands.execute('docmanager:save')"
NO_WIDGET_IS_LOADING = (
    "!document.querySelector('.jp-Notebook').innerText.includes('Loading widget')"
)
# Folders of Jupyter's, by the variable that names each.
PLACES = {
    "JUPYTER_CONFIG_DIR": "config",
    "JUPYTER_DATA_DIR": "data",
    "JUPYTER_RUNTIME_DIR": "runtime",
    "JUPYTERLAB_SETTINGS_DIR": "settings",
    "JUPYTERLAB_WORKSPACES_DIR": "workspaces",
    "IPYTHONDIR": "ipython",
}


def chromium() -> str:
    """The browser's path: SATLIB_CHROMIUM, or Debian's; FileNotFoundError with one sentence where
    there is none."""
    named = os.environ.get("SATLIB_CHROMIUM")
    names = [named] if named else ["chromium", "chromium-browser"]
    for name in names:
        path = shutil.which(name)
        if path:
            return path
    raise FileNotFoundError(
        f"no browser {names[0]}; install it (Debian: apt-get install chromium), or "
        "name the program in SATLIB_CHROMIUM"
    )


class Lab:
    """A JupyterLab server over a folder; ``state`` takes its settings, ``cache`` what lessons
    keep."""

    def __init__(self, folder: Path, state: Path, cache: Path):
        self.folder = folder
        self.token = secrets.token_hex(16)
        self.log = state / "lab.log"
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        command = [
            sys.executable,
            "-m",
            "jupyterlab",
            *OPTIONS,
            f"--port={self.port}",
            f"--ServerApp.root_dir={folder}",
            f"--IdentityProvider.token={self.token}",
        ]
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                command, cwd=folder, env=surroundings(state, cache), stdout=log, stderr=log
            )
        self._wait()

    def _wait(self, seconds: float = 120) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end and self.process.poll() is None:
            try:
                return self.ask("GET", "status")
            except OSError:
                time.sleep(0.2)
        raise OSError(f"JupyterLab did not start: {self.log.read_text(errors='replace')[-2000:]}")

    def ask(self, method: str, what: str):
        """The answer of the server's interface, decoded."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/api/{what}",
            method=method,
            headers={"Authorization": f"token {self.token}"},
        )
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=30) as answer:
            return json.loads(answer.read() or "null")

    def address(self, name: str) -> str:
        """Where the page of a notebook is."""
        return f"http://127.0.0.1:{self.port}/lab/tree/{name}?token={self.token}&reset"

    def end_kernels(self) -> None:
        """End the kernels that are left."""
        for session in self.ask("GET", "sessions"):
            self.ask("DELETE", f"sessions/{session['id']}")

    def stop(self) -> None:
        """End the server, and with it its kernels."""
        self.process.terminate()
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()


def surroundings(state: Path, cache: Path) -> dict[str, str]:
    """The environment of ``satlib lab``, one thread a kernel, with all folders of Jupyter's in
    ``state``."""
    for name, value in SETTINGS.items():
        path = state / "settings" / "@jupyterlab" / f"{name}.jupyterlab-settings"
        storage.write_json(path, value)
    with kernels.own(state):
        variables = {name: value for name, value in os.environ.items() if name not in OURS}
    for name, place in PLACES.items():
        variables[name] = str(state / place)
    for proxy in ("http_proxy", "https_proxy"):
        variables[proxy] = NOWHERE
        variables[proxy.upper()] = NOWHERE
    return variables | {
        "no_proxy": "127.0.0.1,localhost",
        "NO_PROXY": "127.0.0.1,localhost",
        "JUPYTER_NO_CONFIG": "1",
        "SATLIB_CACHE": str(cache),
        "OMP_NUM_THREADS": "1",
    }


def is_outside(address: str) -> bool:
    """Whether an address is that of another machine."""
    return urlsplit(address).hostname not in HERE


class Watch:
    """What a page did that it must not: outside, addresses that it asked for (they were refused);
    errors, its own."""

    def __init__(self, page):
        self.outside: list[str] = []
        self.errors: list[str] = []
        page.route(is_outside, self._refuse)
        page.on("websocket", lambda socket: self._note(socket.url))
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", self._hear)

    def _hear(self, message) -> None:
        address = message.location.get("url", "")
        if message.type == "error" and not urlsplit(address).path.startswith(ABSENT):
            self.errors.append(f"{message.text} ({address})")

    def _refuse(self, route) -> None:
        self._note(route.request.url)
        route.abort()

    def _note(self, address: str) -> None:
        if is_outside(address):
            self.outside.append(address)


class Seat:
    """A learner in front of one notebook. Every method waits until what it did has happened."""

    def __init__(self, page, lab: Lab):
        self.page = page
        self.lab = lab
        self.watch = Watch(page)
        self.name = ""  # of the notebook's file, once it is open

    def open(self, lesson: course.Lesson) -> None:
        """Open a copy of a lesson that holds no outputs, and wait until its kernel is ready."""
        self.name = lesson.path.name
        book = nbformat.read(lesson.path, as_version=4)
        for cell in book.cells:
            if cell.cell_type == "code":
                cell.outputs = []
                cell.execution_count = None
        nbformat.write(book, self.lab.folder / self.name)
        self.page.goto(self.lab.address(self.name))
        status = self.page.locator("#jp-main-statusbar")
        status.get_by_text("Python 3 (ipykernel) | Idle").wait_for(timeout=120_000)

    def run_all(self, seconds: float) -> None:
        """Run all cells; AssertionError where a dialog comes up (as one does if a kernel died) or
        time runs out."""
        self.page.evaluate(RUN_ALL)
        self._until("window.ended", seconds)
        self.page.wait_for_function(NO_WIDGET_IS_LOADING)

    def _until(self, condition: str, seconds: float) -> None:
        end = time.monotonic() + seconds
        dialog = self.page.locator(".jp-Dialog")
        while not self.page.evaluate(condition):
            assert not dialog.count(), f"{self.name}: {dialog.first.inner_text()!r}"
            assert time.monotonic() < end, f"{self.name} did not end within {seconds:.0f} seconds"
            self.page.wait_for_timeout(250)

    def save(self) -> dict:
        """Save, and return the notebook as it now lies on the disk."""
        self.page.evaluate(SAVE)
        return nbformat.read(self.lab.folder / self.name, as_version=4)

    def run(self, containing: str, typed: str | None = None) -> str:
        """Run the one cell whose source contains this by Shift and Enter, having typed a new
        source; its output."""
        cells = f"{PANEL}.content.widgets"
        sources = self.page.evaluate(f"() => {cells}.map(cell => cell.model.sharedModel.source)")
        (place,) = [number for number, source in enumerate(sources) if containing in source]
        model = f"{cells}[{place}].model"
        cell = self.page.locator(".jp-Notebook .jp-Cell").nth(place)
        count_before = self.page.evaluate(f"{model}.executionCount") or "null"
        cell.locator(".cm-content").click()
        if typed is not None:
            self.page.keyboard.press("Control+A")
            self.page.keyboard.type(typed)
        self.page.keyboard.press("Shift+Enter")
        ended = f"{model}.executionState === 'idle' && {model}.executionCount !== {count_before}"
        self._until(ended, 60)
        output = cell.locator(".jp-OutputArea")
        return output.inner_text() if output.count() else ""
