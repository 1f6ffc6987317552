"""The wording of satsim: what its users, items and comments are made of (taught with lesson 03).

Every concept (a level of sentiment in a comment, a grade of quality in a title, an interest) has
three pools of phrases, one for each part of the data: no phrase of a test session occurs in a
training session. Whoever wants to read the test part must therefore understand English, not
remember phrases. The phrases stand in ``lexicon.toml``.
"""

import tomllib
from pathlib import Path

PARTS = ("train", "validation", "test")
LEVELS = (
    -2,
    -1,
    0,
    1,
    2,
)  # sentiment of a comment: angry, disappointed, neutral, content, delighted
GRADES = (-1, 0, 1)  # quality of an item as its title tells it: poor, plain, fine
DOMAINS = ("shop", "news", "video")
ACTIONS = {"shop": ("view", "buy"), "news": ("read", "share"), "video": ("watch", "save")}
FRAMES = ("{}", "{}", "{}", "{}", "{}", "honestly, {}", "{} this time", "for me, {}", "well, {}")

Pools = dict[str, tuple[str, ...]]  # part -> phrases


def phrases(text: str) -> tuple[str, ...]:
    """The phrases of a text that separates them by semicolons."""
    return tuple(" ".join(phrase.split()) for phrase in text.split(";"))


def _read(node: dict | str) -> dict | tuple[str, ...]:
    """Split every text of a table into phrases; keys such as "+2" become numbers."""
    if isinstance(node, str):
        return phrases(node)
    return {int(key) if key[0] in "+-" else key: _read(value) for key, value in node.items()}


_WORDS = _read(tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8")))
COMMENTS: dict[str, dict[int, Pools]] = _WORDS[
    "comment"
]  # "any", a domain or "slang" -> level -> pools
SAYS: dict[int, Pools] = _WORDS["says"]  # level -> pools of what is said of an aspect
ASPECTS: dict[str, tuple[str, ...]] = _WORDS["aspects"]  # domain -> what a comment can single out
TITLES: dict[str, dict[int, Pools]] = _WORDS["title"]  # domain -> grade -> pools; a noun follows
INTERESTS: dict[str, Pools] = _WORDS["interest"]  # topic -> pools of how a user states it
NOUNS: dict[str, dict[str, tuple[str, ...]]] = _WORDS["nouns"]  # topic -> domain -> nouns
TOPICS = tuple(NOUNS)


def concepts() -> dict[str, Pools]:
    """Every concept that is worded differently in the three parts, by a name such as
    ``comment/shop/+2``."""
    named = {
        f"comment/{kind}/{level:+d}": pools
        for kind, by in COMMENTS.items()
        for level, pools in by.items()
    }
    named |= {f"says/{level:+d}": pools for level, pools in SAYS.items()}
    named |= {
        f"title/{domain}/{grade:+d}": pools
        for domain, by in TITLES.items()
        for grade, pools in by.items()
    }
    return named | {f"interest/{topic}": pools for topic, pools in INTERESTS.items()}
