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

import lab

# Of the many coloured words of a page's code one of each kind is looked at, and no formula's
# strokes.
FIRSTS = """() => { const seen = new Set(); for (const word of document.querySelectorAll(".highlight span")) {
  if (seen.has(word.className)) word.dataset.twin = ""; seen.add(word.className); } }"""
SEEN_ALREADY = {"exclude": [["[data-twin]"], ["mjx-container"]]}
# What reaches beyond the window's right edge and does not lie in a box of its own that scrolls.
BEYOND = """() => { const edge = document.documentElement.clientWidth + 1;
  const boxed = part => part && part !== document.body && (["auto", "scroll"].includes(getComputedStyle(part).overflowX)
    || boxed(part.parentElement));
  const page = document.documentElement.scrollWidth > edge ? ["the page scrolls sideways"] : [];
  return page.concat([...document.querySelectorAll("article *, body > *:not(label, input, .page)")].filter(part =>
    part.getClientRects().length && part.getBoundingClientRect().right > edge && !boxed(part.parentElement)
    && !part.closest("mjx-assistive-mml")).map(part => part.outerHTML.slice(0, 90)).slice(0, 3)); }"""
PICTURES = """() => [...document.images].filter(one => !(one.complete && one.naturalWidth > 0 && one.alt))
  .map(one => one.outerHTML.slice(0, 90))"""
FORMULAS = """async () => { if (window.MathJax) await MathJax.startup.promise;
  return [...document.querySelectorAll(".math")].filter(one => !one.querySelector("mjx-container svg")
    || one.querySelector("[data-mjx-error]")).map(one => one.textContent.slice(0, 90)); }"""


class Links(HTMLParser):
    """Of a page: the addresses that it links to, those that it loads, and the names (ids) that it
    has."""

    def __init__(self, text: str):
        super().__init__()
        self.led, self.loaded, self.names = (
            [],
            re.findall(r"""(?:url\(|@import)\s*["']?([^"')\s]+)""", text),
            set(),
        )
        self.language = ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self.names |= {given[key] for key in ("id", "name") if given.get(key)}
        self.language = given.get("lang", "") if tag == "html" else self.language
        if tag == "a" and "href" in given:
            self.led.append(given["href"])
        elif tag != "a" and given.get("rel") not in (
            "index",
            "search",
            "next",
            "prev",
            "author",
            "canonical",
        ):
            self.loaded += [
                given[key] for key in ("src", "href", "data", "poster") if given.get(key)
            ]
            self.loaded += [
                part.split()[0] for part in given.get("srcset", "").split(",") if part.strip()
            ]


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
    return (
        address.startswith("//") or ":" in address.split("/")[0] and not address.startswith("data:")
    )


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
    page, met = context.new_page(), []
    page.on("pageerror", lambda error: met.append(f"error: {error}"))
    page.on(
        "console",
        lambda line: met.append(f"console: {line.text}") if line.type == "error" else None,
    )
    inside = (origin, "data:", "blob:")
    page.on(
        "request",
        lambda asked: None if asked.url.startswith(inside) else met.append(f"outside: {asked.url}"),
    )
    page.on(
        "response",
        lambda got: met.append(f"{got.status}: {got.url}") if got.status >= 400 else None,
    )
    yield page
    context.close()
    assert met == []


def look(page, width: int, scheme: str, picture: Path) -> None:
    """Check the open page at one width and in one colour scheme, and keep a picture of it.

    Nothing reaches beyond the window, figures are loaded and have an alternative text, formulas are
    drawn, and axe finds nothing serious or critical.
    """
    from axe_playwright_python.sync_playwright import Axe

    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    assert page.evaluate(FORMULAS) == []
    page.evaluate(
        "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"
    )
    picture.parent.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=picture, full_page=True, type="jpeg", quality=60)
    assert page.evaluate(BEYOND) == []
    assert page.evaluate(PICTURES) == []
    page.evaluate(FIRSTS)
    found = (
        Axe()
        .run(page, context=SEEN_ALREADY, options={"resultTypes": ["violations"]})
        .response["violations"]
    )
    assert [
        (one["id"], [part["html"][:120] for part in one["nodes"][:3]])
        for one in found
        if one["impact"] in ("serious", "critical")
    ] == []
