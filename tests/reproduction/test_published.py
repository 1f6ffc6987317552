"""Published numbers: each says whence it is, and tables are marked so."""

import math

import pytest

from satlib.reproduction import protocols, published, uss


def test_published_numbers_say_whence_they_are():
    for one in published.NUMBERS:
        assert one.known in published.KNOWN and one.source and one.model
        assert not math.isnan(one.value) or one.low <= one.high
        assert (one.known == "index") == (one.source == published.SOURCES["leaderboard"])
    keys = [
        (one.protocol, one.corpus, one.model, one.metric, one.setting) for one in published.NUMBERS
    ]
    assert len(set(keys)) == len(keys)
    assert {one.protocol for one in published.NUMBERS} - {"A-T5"} <= set(protocols.PROTOCOLS)


def test_the_published_table_of_a_corpus():
    table = published.table("A0", "uss-ccpe")
    assert table.loc["BERT [published]"].dropna().tolist() == [0.232, 0.147, 0.891, 0.245]
    assert (
        list(table.columns) == [*uss.PUBLISHED_METRICS, "accuracy"]
        and table.loc["always 3 [measured]", "kappa"] == 0
    )
    assert set(published.numbers("B", "usda-sgd")["known"]) == {"measured", "index"}
    assert len(published.numbers("D")) > len(published.numbers("D", "movielens")) > 0


@pytest.mark.parametrize("asked", [("Z",), ("A0", "movielens")])
def test_what_nobody_published_is_refused(asked):
    with pytest.raises(ValueError, match="unknown (protocol|corpus of protocol A0) "):
        published.numbers(*asked)
