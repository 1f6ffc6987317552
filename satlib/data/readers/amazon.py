"""Amazon Reviews 2023: streamed from its hub by category, or read from local files in the same
fields.

Source: Hou et al., Bridging language and items for retrieval and recommendation, arXiv 2403.03952.
"""

import json
import re
from collections import defaultdict
from html import unescape
from pathlib import Path

from satlib import runtime, storage
from satlib.data import table_files
from satlib.data.interactions import BadRow, Event, Example
from satlib.data.readers.common import Rate, RatedStep, Read, day, refusal, seconds

HUB = "hf://datasets/McAuley-Lab/Amazon-Reviews-2023"
UNTITLED = "[untitled]"
EARLIER = 200  # characters of an earlier review


def stream(paths: dict[str, Path], category: str, rows: int, revision: str = "main") -> None:
    """Stream the first reviews of a category and their products from the hub into reviews.jsonl and
    meta.jsonl."""
    folder = f"{HUB}@{revision}/raw"
    reviews = []
    for row in table_files.hub_rows(f"{folder}/review_categories/{category}.jsonl", rows):
        reviews.append(row | {"category": category})
    wanted = {row["parent_asin"] for row in reviews}
    products = _products(f"{folder}/meta_categories/meta_{category}.jsonl", wanted)
    # The reviews last: where they are, the download is complete.
    _write_lines(paths["meta.jsonl"], products)
    _write_lines(paths["reviews.jsonl"], reviews)


def _products(url: str, wanted: set[str]) -> list[dict]:
    """The rows of the products wanted."""
    missing = set(wanted)
    products = []
    for row in table_files.hub_rows(url):
        if row["parent_asin"] in missing:
            products.append(row)
            missing.remove(row["parent_asin"])
        if not missing:  # the rest of a file of many gigabytes is not needed
            break
    return products


def _write_lines(path: Path, rows: list[dict]) -> None:
    lines = [json.dumps(row, ensure_ascii=False) + "\n" for row in rows]
    storage.write_text(path, "".join(lines))


def read(
    files: dict[str, Path],
    rate: Rate,
    *,
    category: str = "",
    own_review: bool = True,
    history: int = 8,
    characters: int = 400,
) -> Read:
    """An Example per user and category, the last review by time, from the reviews before it.

    own_review: whether the target carries its own review (at most so many characters), the easier
    task; earlier reviews are cut at 200. Users with one review are left out.
    """
    runtime.one_of("own_review", own_review, (True, False))
    bad = []
    products = _by_product(files["meta.jsonl"], bad)
    users = defaultdict(list)
    categories = set()
    for line, row in table_files.json_rows(files["reviews.jsonl"], bad):
        try:
            own_category = row.get("category", "")
            categories.add(own_category)
            if category not in ("", own_category):
                continue
            product = products.get(row["parent_asin"], {})
            fields = _review(row, product, characters)
            step = RatedStep(fields, rate(row["rating"]), _domain_of(own_category))
            users[row["user_id"], own_category].append(step)
        except (ValueError, KeyError, TypeError) as error:
            bad.append(BadRow(line, refusal(error)))
    if category and not users:
        offered = ", ".join(sorted(categories))
        place = files["reviews.jsonl"]
        raise ValueError(f"no reviews of {category!r} in {place}; it has {offered}")
    examples = []
    for (user, own_category), steps in users.items():
        if len(steps) > 1:
            examples.append(_last_review(user, own_category, steps, own_review, history))
    return examples, bad


def _domain_of(category: str) -> str:
    """The domain of an example: its category in words."""
    return category.replace("_", " ") or "reviews"


def _by_product(path: Path, bad: list[BadRow]) -> dict[str, dict]:
    """Id of a product -> its row."""
    products = {}
    for _, row in table_files.json_rows(path, bad):
        products[row.get("parent_asin")] = row
    return products


def _review(row: dict, product: dict, characters: int) -> dict:
    """The fields of an Event from a review and its product."""
    time = seconds(row["timestamp"])
    if time is None:
        raise ValueError("the timestamp is missing")
    title = product.get("title") or ""
    price = product.get("price")
    if not isinstance(price, int | float):  # some are words, such as "from 3.00"
        price = None
    return {
        "text": title.strip() or UNTITLED,
        "category": product.get("main_category") or "",
        "comment": _words(row)[:characters],
        "price": price,
        "time": time,
    }


def _words(row: dict) -> str:
    """Title and text of a review without mark-up, on one line."""
    title = row.get("title") or ""
    text = row.get("text") or ""
    words = f"{title}. {text}".strip(". ")
    without_tags = re.sub(r"<[^>]*>", " ", unescape(words))
    return re.sub(r"\s+", " ", without_tags).strip()


def _last_review(
    user: str, category: str, steps: list[RatedStep], own_review: bool, history: int
) -> Example:
    """The Example that judges a user's last review, from at most ``history`` reviews before it."""
    *earlier, last = sorted(steps, key=lambda step: step.fields["time"])
    events = []
    for step in earlier[-history:]:
        fields = step.fields | {"comment": step.fields["comment"][:EARLIER]}
        events.append(Event("user", "rate", value=step.rating, **fields))
    fields = last.fields
    if not own_review:
        fields = fields | {"comment": ""}
    target = Event("user", "rate", **fields)
    return Example(
        id=f"{user}-{category}",
        group=user,
        domain=last.domain,
        events=tuple(events),
        ratings=(last.rating,),
        target=target,
        date=day(target.time),
    )
