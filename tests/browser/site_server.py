"""What the test of the site needs: a server on loopback, the links of a page, and the checks that a
page must pass."""

import functools
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from html.parser import HTMLParser
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from browser import lab

# Scripts that run in the page.

# Of the many coloured words of a page's code one of each kind is looked at, and no formula's
# strokes.
FIRSTS = """() => {
  const seen = new Set();
  for (const word of document.querySelectorAll(".highlight span")) {
    if (seen.has(word.className)) word.dataset.twin = "";
    seen.add(word.className);
  }
}"""
SEEN_ALREADY = {"exclude": [["[data-twin]"], ["mjx-container"]]}
# What reaches beyond the window's right edge and does not lie in a box of its own that scrolls.
BEYOND = """() => {
  const edge = document.documentElement.clientWidth + 1;
  const scrolls = part => ["auto", "scroll"].includes(getComputedStyle(part).overflowX);
  const boxed = part =>
    part && part !== document.body && (scrolls(part) || boxed(part.parentElement));
  const beyond = part =>
    part.getClientRects().length && part.getBoundingClientRect().right > edge
    && !boxed(part.parentElement) && !part.closest("mjx-assistive-mml");
  const page = document.documentElement.scrollWidth > edge ? ["the page scrolls sideways"] : [];
  const parts = document.querySelectorAll("article *, body > *:not(label, input, .page)");
  const wide = [...parts].filter(beyond).map(part => part.outerHTML.slice(0, 90));
  return page.concat(wide.slice(0, 3));
}"""
PICTURES = """() => {
  const whole = one => one.complete && one.naturalWidth > 0 && one.alt;
  return [...document.images].filter(one => !whole(one)).map(one => one.outerHTML.slice(0, 90));
}"""
FORMULAS = """async () => {
  if (window.MathJax) await MathJax.startup.promise;
  const drawn = one =>
    one.querySelector("mjx-container svg") && !one.querySelector("[data-mjx-error]");
  const formulas = [...document.querySelectorAll(".math")];
  return formulas.filter(one => !drawn(one)).map(one => one.textContent.slice(0, 90));
}"""
NEXT_FRAME = "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"
# A link of these kinds leads somewhere; any other address of a tag is loaded with the page.
LEADING = ("index", "search", "next", "prev", "author", "canonical")


class Links(HTMLParser):
    """Of a page: the addresses that it links to, those that it loads, and the names (ids) that it
    has."""

    def __init__(self, text: str):
        super().__init__()
        self.led: list[str] = []
        # Style sheets name what they load in their text.
        self.loaded = re.findall(r"""(?:url\(|@import)\s*["']?([^"')\s]+)""", text)
        self.names: set[str] = set()
        self.language = ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        """Called for every tag of the page, with its attributes as pairs."""
        attributes = dict(attrs)
        for key in ("id", "name"):
            if attributes.get(key):
                self.names.add(attributes[key])
        if tag == "html":
            self.language = attributes.get("lang", "")
        if tag == "a" and "href" in attributes:
            self.led.append(attributes["href"])
        elif tag != "a" and attributes.get("rel") not in LEADING:
            self._load(attributes)

    def _load(self, attributes: dict) -> None:
        for key in ("src", "href", "data", "poster"):
            if attributes.get(key):
                self.loaded.append(attributes[key])
        for source in attributes.get("srcset", "").split(","):
            if source.strip():
                self.loaded.append(source.split()[0])


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The address on loopback under which ``folder`` is served during the block."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()


def outside(address: str) -> bool:
    """Whether a page that loads this address asks another server."""
    if address.startswith("//"):
        return True
    has_scheme = ":" in address.split("/")[0]
    return has_scheme and not address.startswith("data:")


class Quiet(SimpleHTTPRequestHandler):
    """A server that does not write a line for each request."""

    def log_message(self, *args):
        pass


@contextmanager
def browser() -> Iterator[object]:
    """A running chromium of this machine."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        running = driver.chromium.launch(executable_path=lab.chromium(), args=[*lab.CALM])
        yield running
        running.close()


@contextmanager
def tab(running, origin: str) -> Iterator[object]:
    """A fresh tab; on leaving the block it must have met no error and asked only ``origin`` for
    anything."""
    context = running.new_context()
    page = context.new_page()
    met: list[str] = []
    inside = (origin, "data:", "blob:")

    def on_message(message) -> None:
        if message.type == "error":
            met.append(f"console: {message.text}")

    def on_request(request) -> None:
        if not request.url.startswith(inside):
            met.append(f"outside: {request.url}")

    def on_response(response) -> None:
        if response.status >= 400:
            met.append(f"{response.status}: {response.url}")

    page.on("pageerror", lambda error: met.append(f"error: {error}"))
    page.on("console", on_message)
    page.on("request", on_request)
    page.on("response", on_response)
    yield page
    context.close()
    assert met == []


def look(page, width: int, scheme: str, picture: Path) -> None:
    """Check the open page at one width and in one colour scheme, and keep a picture of it.

    Nothing reaches beyond the window, figures are loaded and have an alternative text, formulas are
    drawn, and axe finds nothing serious or critical.
    """
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    assert page.evaluate(FORMULAS) == []
    page.evaluate(NEXT_FRAME)
    picture.parent.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=picture, full_page=True, type="jpeg", quality=60)
    assert page.evaluate(BEYOND) == []
    assert page.evaluate(PICTURES) == []
    assert barriers(page) == []


def barriers(page) -> list[tuple[str, list[str]]]:
    """What axe finds serious or critical for readers with other means: the rule, and where."""
    from axe_playwright_python.sync_playwright import Axe

    page.evaluate(FIRSTS)
    answer = Axe().run(page, context=SEEN_ALREADY, options={"resultTypes": ["violations"]})
    grave = []
    for violation in answer.response["violations"]:
        if violation["impact"] in ("serious", "critical"):
            places = [node["html"][:120] for node in violation["nodes"][:3]]
            grave.append((violation["id"], places))
    return grave
