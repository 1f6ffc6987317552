"""Amazon Reviews 2023: streamed from its hub by category, or read from local files in the same
fields."""

import json
import re
from collections import defaultdict
from html import unescape
from pathlib import Path

from satlib import runtime, storage
from satlib.data import table_files
from satlib.data.interactions import BadRow, Event, Example
from satlib.data.readers.common import Rate, Read, Step, day, seconds, why

HUB = "hf://datasets/McAuley-Lab/Amazon-Reviews-2023"
UNTITLED = "[untitled]"
EARLIER = 200  # characters of an earlier review


def stream(paths: dict[str, Path], category: str, rows: int, revision: str = "main") -> None:
    """Stream the first reviews of a category and their products from the hub into reviews.jsonl and
    meta.jsonl."""
    folder, products = f"{HUB}@{revision}/raw", []
    reviews = list(table_files.hub_rows(f"{folder}/review_categories/{category}.jsonl", rows))
    wanted = {row["parent_asin"] for row in reviews}
    for row in table_files.hub_rows(f"{folder}/meta_categories/meta_{category}.jsonl"):
        if row["parent_asin"] in wanted:
            products.append(row)
            wanted.remove(row["parent_asin"])
        if not wanted:  # the rest of a file of many gigabytes is not needed
            break
    for name, found in (
        ("meta.jsonl", products),
        ("reviews.jsonl", [row | {"category": category} for row in reviews]),
    ):
        storage.write_text(
            paths[name], "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in found)
        )


def read(
    files: dict[str, Path],
    rate: Rate,
    *,
    category: str = "",
    own_review: bool = True,
    history: int = 8,
    characters: int = 400,
) -> Read:
    """Amazon reviews: an Example per user and category, the last review by time, from the reviews
    before it.

    own_review: whether the target carries its own review (at most so many characters), the easier
    task; earlier reviews are cut at 200. Users with one review are left out: nothing came before
    it.
    """
    runtime.one_of("own_review", own_review, (True, False))
    users, bad, found = defaultdict(list), [], set()
    products = {
        row.get("parent_asin"): row for _, row in table_files.json_rows(files["meta.jsonl"], bad)
    }
    for line, row in table_files.json_rows(files["reviews.jsonl"], bad):
        try:
            kind = row.get("category", "")
            found.add(kind)
            if category in ("", kind):
                fields = _review(row, products.get(row["parent_asin"], {}), characters)
                domain = kind.replace("_", " ") or "reviews"
                users[row["user_id"], kind].append(Step(fields, rate(row["rating"]), domain))
        except (ValueError, KeyError, TypeError) as error:
            bad.append(BadRow(line, why(error)))
    if not users and category:
        raise ValueError(
            f"no reviews of {category!r} in {files['reviews.jsonl']}; it has {', '.join(sorted(found))}"
        )
    return [
        _last_review(*key, steps, own_review, history)
        for key, steps in users.items()
        if len(steps) > 1
    ], bad


def _review(row: dict, product: dict, characters: int) -> dict:
    price, time = product.get("price"), seconds(row["timestamp"])
    if time is None:
        raise ValueError("the timestamp is missing")
    words = f"{row.get('title') or ''}. {row.get('text') or ''}".strip(". ")
    return {
        "text": (product.get("title") or "").strip() or UNTITLED,
        "category": product.get("main_category") or "",
        "comment": re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", unescape(words))).strip()[
            :characters
        ],
        "price": price if isinstance(price, int | float) else None,
        "time": time,
    }


def _last_review(
    user: str, category: str, steps: list[Step], own_review: bool, history: int
) -> Example:
    *earlier, last = sorted(steps, key=lambda step: step.fields["time"])
    past = tuple(
        Event(
            "user",
            "rate",
            value=step.rating,
            **step.fields | {"comment": step.fields["comment"][:EARLIER]},
        )
        for step in earlier[-history:]
    )
    target = Event("user", "rate", **last.fields | {"comment": last.fields["comment"] * own_review})
    return Example(
        f"{user}-{category}", user, last.domain, past, (last.rating,), target, date=day(target.time)
    )
