"""Invented reviews and products in the fields of Amazon Reviews 2023."""

import json


def review(user, product, time, stars=4.0, category="Toys", **more):
    text = f"It was<br />all right &amp; {'long ' * 90}"
    return {
        "rating": stars,
        "title": f"On {product}",
        "text": text,
        "user_id": user,
        "parent_asin": product,
        "timestamp": time,
        "category": category,
    } | more


def product(name, **more):
    return {
        "parent_asin": name,
        "main_category": "Toys",
        "title": f"The {name}",
        "price": 9.5,
        "store": None,
    } | more


def written(folder, reviews, products):
    folder.mkdir(exist_ok=True)
    for name, rows in (("reviews.jsonl", reviews), ("meta.jsonl", products)):
        lines = (row if isinstance(row, str) else json.dumps(row) for row in rows)
        (folder / name).write_text("".join(line + "\n" for line in lines))
    return {name: folder / name for name in ("reviews.jsonl", "meta.jsonl")}


REVIEWS = [
    review("u", "kite", 3_000_000_000_000, 5.0),
    review("u", "yo-yo", 1_000_000_000_000, 1.0),
    review("u", "drum", 2_000_000_000_000, 2.0),
    review("v", "kite", 1_000_000_000_000),
]
PRODUCTS = [product("kite"), product("yo-yo", title="", price="from 3.00"), product("drum")]
