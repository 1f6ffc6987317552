"""The wording of satsim: what its users, items and comments are made of (taught with lesson 03).

Every concept (a level of sentiment in a comment, a grade of quality in a title, an interest) has
three pools of phrases, one for each part of the data: no phrase of a test session occurs in a
training session. Whoever wants to read the test part must therefore understand English, not
remember phrases. The phrases stand in ``lexicon.toml``.
"""

import tomllib
from pathlib import Path

PARTS = ("train", "validation", "test")
# Sentiment of a comment: angry, disappointed, neutral, content, delighted.
LEVELS = (-2, -1, 0, 1, 2)
# Quality of an item as its title tells it: poor, plain, fine.
GRADES = (-1, 0, 1)
DOMAINS = ("shop", "news", "video")
# What is done with an item: looking at it, or committing oneself to it.
ACTIONS = {"shop": ("view", "buy"), "news": ("read", "share"), "video": ("watch", "save")}
# What stands around a comment; a frame that stands here twice is drawn twice as often.
FRAMES = ("{}", "{}", "{}", "{}", "{}", "honestly, {}", "{} this time", "for me, {}", "well, {}")

Pools = dict[str, tuple[str, ...]]  # part -> phrases


def phrases(text: str) -> tuple[str, ...]:
    """The phrases of a text that separates them by semicolons."""
    return tuple(" ".join(phrase.split()) for phrase in text.split(";"))


def _read(node: dict | str) -> dict | tuple[str, ...]:
    """Split every text of a table into phrases; keys such as "+2" become numbers."""
    if isinstance(node, str):
        return phrases(node)
    table = {}
    for key, value in node.items():
        if key[0] in "+-":
            key = int(key)
        table[key] = _read(value)
    return table


def _words() -> dict:
    path = Path(__file__).with_suffix(".toml")
    return _read(tomllib.loads(path.read_text(encoding="utf-8")))


_WORDS = _words()
# "any", a domain or "slang" -> level -> pools.
COMMENTS: dict[str, dict[int, Pools]] = _WORDS["comment"]
# Domain -> what a comment can single out.
ASPECTS: dict[str, tuple[str, ...]] = _WORDS["aspects"]
# Level -> pools of what is said of an aspect.
SAYS: dict[int, Pools] = _WORDS["says"]
# Domain -> grade -> pools of how a title begins; a noun follows.
TITLES: dict[str, dict[int, Pools]] = _WORDS["title"]
# Topic -> domain -> nouns.
NOUNS: dict[str, dict[str, tuple[str, ...]]] = _WORDS["nouns"]
# Topic -> pools of how a user states an interest in it.
INTERESTS: dict[str, Pools] = _WORDS["interest"]
TOPICS = tuple(NOUNS)


def concepts() -> dict[str, Pools]:
    """Every concept that is worded differently in the three parts, by a name such as
    ``comment/shop/+2``."""
    named = {}
    for kind, by_level in COMMENTS.items():
        for level, pools in by_level.items():
            named[f"comment/{kind}/{level:+d}"] = pools
    for level, pools in SAYS.items():
        named[f"says/{level:+d}"] = pools
    for domain, by_grade in TITLES.items():
        for grade, pools in by_grade.items():
            named[f"title/{domain}/{grade:+d}"] = pools
    for topic, pools in INTERESTS.items():
        named[f"interest/{topic}"] = pools
    return named
