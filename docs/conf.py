"""Sphinx's settings for the site. Its sources are laid out by assemble.py; `make site` does
both."""

import hashlib
import re
from importlib import metadata
from pathlib import Path

project = "satlib"
author = "the satlib authors"
version = release = metadata.version("satlib")
html_title = "satlib"
language = "en"

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.mathjax"]
nb_execution_mode = "off"  # the lessons are stored as they were executed
myst_enable_extensions = ["dollarmath", "amsmath"]
myst_heading_anchors = 4
autodoc_member_order = "bysource"
add_module_names = False
autodoc_preserve_defaults = True
python_use_unqualified_type_names = True

html_theme = "furo"
html_favicon = "icon.svg"
html_static_path = ["site.css", "site.js"]
html_css_files = ["site.css"]
html_js_files = [("site.js", {"defer": "defer"})]
html_show_sourcelink = html_copy_source = html_show_copyright = False
html_baseurl = ""  # no address of ours is known
pygments_style, pygments_dark_style = "a11y-high-contrast-light", "a11y-high-contrast-dark"

# MathJax comes from a package whose file is, byte for byte, es5/tex-svg.js of mathjax 3.2.2 on the
# npm registry.
CARRIER = "sphinx-mathjax-offline"
MATHJAX = "d4295dc33744836935c1399feece5159577b34c5c8ffb9f1c6324cd82e03a882"
mathjax_path = "tex-svg.js"
mathjax3_config = {
    "options": {"enableMenu": False}
}  # its menu makes a stop of the keyboard of each formula


def setup(app):
    """Sphinx calls this once."""
    app.connect("builder-inited", vendor)
    app.connect("html-page-context", refine, priority=900)  # after the theme


def vendor(app) -> None:
    """Put MathJax among the static files of the site."""
    (found,) = (file for file in metadata.files(CARRIER) if file.name == mathjax_path)
    data = Path(found.locate()).read_bytes()
    if hashlib.sha256(data).hexdigest() != MATHJAX:
        raise ValueError(
            f"{mathjax_path} of {CARRIER} is not the pinned file; install the locked version"
        )
    target = Path(app.outdir) / "_static" / mathjax_path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(data)


def refine(app, pagename, templatename, context, doctree) -> None:
    """Say what the theme and Sphinx leave unsaid: languages, the level of headings, which cells are
    numbers."""
    tree = context.get("furo_navigation_tree", "")
    context["furo_navigation_tree"] = tree.replace(
        'role="heading"', 'role="heading" aria-level="2"'
    )
    body = re.sub(
        r"<td>(?=<p>[-+]?[\d.,]+(?: \[|</p>))", '<td class="number">', context.get("body", "")
    )
    if pagename.endswith("zh-CN"):
        context["language"] = "zh-CN"
    else:
        body = re.sub(r"(?<=>)[^<>]+", _marked, body)
    if body:
        context["body"] = body


def _marked(text: re.Match) -> str:
    """Chinese within English, so that it is spoken and drawn as that."""
    return re.sub("[\u4e00-\u9fff]+", r'<span lang="zh-CN">\g<0></span>', text.group())
