"""What a protocol says of itself, and settings as a record's parameters."""

from satlib.evaluation import metrics
from satlib.reproduction import protocols, uss
from satlib.reproduction.text_classifiers import Settings


def test_settings_are_kept_without_the_seed():
    assert protocols.settings_of(Settings(epochs=7, seed=3))["epochs"] == 7
    assert "seed" not in protocols.settings_of(Settings())


def test_every_protocol_says_what_it_does_and_names_metrics_that_are_known():
    for name, one in protocols.PROTOCOLS.items():
        assert name == one.name and one.corpora and all(one.__dict__.values())
    known = metrics.ALL_METRICS | uss.PUBLISHED_METRICS
    assert all(name in known for p in ("A0", "A1", "B") for name in protocols.PROTOCOLS[p].metrics)
