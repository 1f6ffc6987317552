"""The templates of the pages that the tools write: the report, and the tables of the README.

They lie in the folder ``templates`` beside this module. A tool of ``report_page`` and ``readme``;
no lesson imports it.
"""

from pathlib import Path

import jinja2

TEMPLATES = Path(__file__).with_name("templates")


def environment(autoescape: bool) -> jinja2.Environment:
    """What renders a template. autoescape: whether it is HTML, in which & and < are written
    otherwise. A name that a template asks for and does not get is an error, not a gap."""
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=autoescape,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
