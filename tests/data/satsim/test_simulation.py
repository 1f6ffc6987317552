"""satsim: determinism, the oracle, the wording split, and everything that is planted."""

import json
import lzma
import re
from collections import Counter

import numpy as np
import pytest

from satlib import runtime, storage
from satlib.data import example_files, interactions
from satlib.data.satsim import lexicon, sessions, simulation

FOLDER = runtime.data_folder() / "satsim"


@pytest.fixture(scope="module")
def drawn():
    return simulation.simulate()


@pytest.fixture(scope="module")
def examples():
    return example_files.read_examples(FOLDER / simulation.EXAMPLES)[0]


@pytest.fixture(scope="module")
def chances(examples):
    oracle = simulation.oracle()
    return np.array([oracle[e.id] for e in examples])


def test_seed_gives_the_embedded_bytes(tmp_path):
    simulation.write(tmp_path)
    for name in (simulation.EXAMPLES, simulation.ORACLE):
        made, kept = (
            lzma.decompress((folder / name).read_bytes()) for folder in (tmp_path, FOLDER)
        )
        assert storage.sha256_text(made.decode()) == storage.sha256_text(kept.decode()), name
        assert (tmp_path / name).read_bytes() == (FOLDER / name).read_bytes(), name
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(
        [simulation.EXAMPLES, simulation.ORACLE]
    )


def test_same_seed_same_data_other_seed_other_data():
    one, same, other = (simulation.simulate(seed, users=20) for seed in (3, 3, 4))
    assert one == same
    assert example_files.to_lines(one[0]) != example_files.to_lines(other[0])


def test_too_few_users_are_refused():
    with pytest.raises(ValueError, match="users = 9: simulate at least 10"):
        simulation.simulate(users=9)


def test_missing_oracle_says_how_to_make_it(tmp_path):
    with pytest.raises(FileNotFoundError, match="satlib data simulate"):
        simulation.oracle(tmp_path)


def test_sizes(examples):
    assert len(examples) >= 6000
    assert len({e.group for e in examples}) == simulation.USERS >= 800
    assert {e.domain for e in examples} == set(lexicon.DOMAINS)
    assert all(3 <= len(e.events) <= 8 and e.target is None for e in examples)
    assert sum(p.stat().st_size for p in FOLDER.iterdir()) <= 1_500_000
    three = np.mean([len(e.ratings) == 3 for e in examples])
    assert abs(three - simulation.ANNOTATED_SHARE) < 0.02 and {
        len(e.ratings) for e in examples
    } == {1, 3}


def test_ids_are_unique_and_parts_are_cut_by_user(examples):
    assert len({e.id for e in examples}) == len(examples)
    part = {}
    for e in examples:
        assert part.setdefault(e.group, e.part) == e.part
    shares = Counter(part.values())
    assert {name: shares[name] / len(part) for name in shares} == {
        "train": 0.7,
        "validation": 0.1,
        "test": 0.2,
    }


def test_texts_are_short_enough_for_quick_training(examples):
    from satlib.encoding import sequences

    counts = np.array([len(re.findall(r"\w+|[^\w\s]", text)) for text in sequences.texts(examples)])
    assert counts.mean() < 90 and (counts > 128).mean() < 0.05


# The oracle


def test_oracle_has_five_probabilities_for_every_example(examples, chances):
    assert set(simulation.oracle()) == {e.id for e in examples}
    assert chances.shape == (len(examples), 5) and chances.min() >= 0
    np.testing.assert_allclose(chances.sum(1), 1.0, atol=1e-9)
    kept = json.loads(lzma.decompress((FOLDER / simulation.ORACLE).read_bytes()))
    assert all(p == round(p, 6) for row in kept.values() for p in row)


def test_probabilities_are_differences_of_logistic_curves():
    from scipy.special import expit

    for value in (-3.0, -0.4, 0.0, 1.7, 6.0):
        below = np.concatenate([[0.0], expit(np.array(simulation.THRESHOLDS) - value), [1.0]])
        np.testing.assert_allclose(simulation.probabilities(value), np.diff(below), atol=3e-6)


def test_oracle_is_calibrated(examples, chances):
    """In ten bins of the expected rating, the mean rating lies within four standard errors of
    it."""
    rating, expected = np.array([e.rating for e in examples]), simulation.expected_rating(chances)
    error = np.sqrt(simulation.variance(chances) / [len(e.ratings) for e in examples])
    for rows in np.array_split(np.argsort(expected), 10):
        off = rating[rows].mean() - expected[rows].mean()
        assert abs(off) < 4 * np.sqrt((error[rows] ** 2).mean() / len(rows))


def test_oracle_rmse_is_the_root_of_the_mean_variance_and_beats_all_shifts(examples, chances):
    rating, expected = np.array([e.rating for e in examples]), simulation.expected_rating(chances)
    promised = np.sqrt(np.mean(simulation.variance(chances) / [len(e.ratings) for e in examples]))
    found = np.sqrt(np.mean((rating - expected) ** 2))
    assert found == pytest.approx(promised, rel=0.03)
    for worse in (
        expected + 0.1,
        expected - 0.1,
        3 + 1.1 * (expected - 3),
        3 + 0.9 * (expected - 3),
    ):
        assert np.sqrt(np.mean((rating - worse) ** 2)) > found


# The utility


def who(region="south", age="30s", leniency=0.0):
    return sessions.User(
        "user-1", "train", region, age, ("music", "sport"), ("jazz", "running"), leniency
    )


def made(topic="music", grade=0, comment=None, price=None, repeated=False, accidental=False):
    event = interactions.Event(actor="user", action="view", text="guitar", price=price)
    return sessions.SimulatedStep(event, topic, grade, comment, repeated, accidental)


def test_utility_by_hand():
    steps = [
        made(grade=1),
        made("travel", grade=-1, comment=-2.0, price=100.0, repeated=True),
        made(comment=1.0),
    ]
    s = simulation
    bad = -s.INTEREST - s.QUALITY - 2 * s.COMMENT - s.FATIGUE - s.REGRET
    felt = [s.INTEREST + s.QUALITY, bad, s.INTEREST + s.COMMENT]
    terms = s.utility(steps, who(leniency=0.3), "2025-02-01")
    assert terms == pytest.approx(
        {
            "mean": s.SCALE * s.MEAN * sum(felt) / 3,
            "peak": s.SCALE * s.PEAK * felt[1],
            "end": s.SCALE * s.END * felt[2],
            "leniency": 0.3,
            "group": 0.0,
            "drift": 0.0,
        }
    )
    late = s.utility(steps, who(region=sessions.HARSH_REGION), s.DRIFT_DATE)
    assert late["group"] == s.HARSH_SHIFT and late["drift"] == s.DRIFT_SHIFT
    extra = (s.DRIFT_WEIGHT - 1) * (s.FATIGUE + s.REGRET)
    assert late["peak"] == pytest.approx(s.SCALE * s.PEAK * (felt[1] - extra))


def test_weights_of_mean_peak_and_end_add_up_to_one():
    assert simulation.MEAN + simulation.PEAK + simulation.END == pytest.approx(1.0)


def test_accidental_clicks_do_not_count():
    steps = [made(grade=1), made(comment=2.0)]
    clicked = [*steps, made(grade=-1, accidental=True)]
    assert simulation.utility(clicked, who(), "2025-02-01") == simulation.utility(
        steps, who(), "2025-02-01"
    )


def test_regret_starts_at_fifty():
    assert [simulation.regret(p) for p in (None, 0.0, 50.0, 100.0, 200.0, 900.0)] == [
        0,
        0,
        0,
        1,
        2,
        2,
    ]


# The wording


def wording(part):
    """All that sessions of a part can say, from any seed: every title, comment and interest, a line
    each."""
    pools = [(name, by[part]) for name, by in lexicon.concepts().items()]
    comments = {p for name, pool in pools if name.startswith("comment") for p in pool}
    said = {frame.format(p) for p in comments for frame in lexicon.FRAMES}
    said |= {
        f"{aspect} {says}"
        for aspects in lexicon.ASPECTS.values()
        for aspect in aspects
        for by in lexicon.SAYS.values()
        for says in by[part]
    }
    said |= {
        f"{quality} {noun}"
        for domain, by in lexicon.TITLES.items()
        for graded in by.values()
        for quality in graded[part]
        for nouns in lexicon.NOUNS.values()
        for noun in nouns[domain]
    }
    return said | {p for name, pool in pools if name.startswith("interest") for p in pool}


@pytest.mark.parametrize("part", ("validation", "test"))
def test_no_phrase_of_a_held_out_part_can_occur_in_another_part(part):
    for other in set(lexicon.PARTS) - {part}:
        text = "\n".join(sorted(wording(other))).lower()
        pools = {phrase.lower() for by in lexicon.concepts().values() for phrase in by[part]}
        near = sorted(
            phrase for phrase in pools if phrase in text
        )  # quick; then only whole words count
        met = [phrase for phrase in near if re.search(rf"(?<!\w){re.escape(phrase)}(?!\w)", text)]
        assert not met, f"{part} phrases that {other} sessions can say: {met}"


def test_sessions_say_only_what_their_part_can_say(examples):
    """Every title and every comment (on two aspects: each half) comes from the pools of the
    part."""
    can = {part: wording(part) for part in lexicon.PARTS}
    for e in examples:
        said = {event.text for event in e.events} | {
            event.comment for event in e.events if event.comment
        }
        unknown = {x for x in said - can[e.part] if not set(x.split(" but ")) <= can[e.part]}
        assert not unknown, (e.id, unknown)


def test_pools_are_disjoint_and_cover_every_level():
    for name, pools in lexicon.concepts().items():
        assert set(pools) == set(lexicon.PARTS) and all(pools.values()), name
        everything = [phrase for part in lexicon.PARTS for phrase in pools[part]]
        assert len(everything) == len(set(everything)), name
    home = {}
    for name, pools in lexicon.concepts().items():
        for part, pool in pools.items():
            for phrase in pool:
                assert home.setdefault(phrase, part) == part, (
                    f"{phrase!r} of {name} is in two parts"
                )
    for by in lexicon.COMMENTS.values():
        assert sorted(by) == list(lexicon.LEVELS)
    assert all(sorted(by) == list(lexicon.GRADES) for by in lexicon.TITLES.values())


# What is planted


def content(example):
    row = interactions.compact(example)
    del row["id"]
    return json.dumps(row, sort_keys=True)


def test_duplicates(examples):
    twice = [e for e in examples if e.id.endswith("b")]
    by_id = {e.id: e for e in examples}
    assert len(twice) == simulation.DUPLICATES
    assert all(content(e) == content(by_id[e.id[:-1]]) for e in twice)
    assert len(examples) - len({content(e) for e in examples}) == simulation.DUPLICATES


def test_accidental_clicks(examples):
    events = [event for e in examples for event in e.events]
    short = [event for event in events if event.dwell < sessions.ACCIDENTAL_SECONDS]
    assert abs(len(short) / len(events) - sessions.ACCIDENTAL_SHARE) < 0.01
    assert not any(event.comment for event in short)


def test_harsh_region_and_drift_show_in_the_ratings(examples):
    rating = np.array([e.rating for e in examples])
    harsh = np.array([e.attributes["region"] == sessions.HARSH_REGION for e in examples])
    late = np.array([e.date >= simulation.DRIFT_DATE for e in examples])
    assert rating[harsh].mean() < rating[~harsh].mean() - 0.3
    assert rating[late].mean() < rating[~late].mean() - 0.2
    assert (
        min(e.date for e in examples) < "2025-01-15"
        and max(e.date for e in examples) > "2025-12-15"
    )


def test_group_sizes(examples):
    users = {e.group: e.attributes for e in examples}
    for key, value, share in (
        ("region", sessions.HARSH_REGION, sessions.HARSH_SHARE),
        ("age", sessions.SLANG_AGE, sessions.SLANG_SHARE),
    ):
        assert abs(np.mean([a[key] == value for a in users.values()]) - share) < 0.03
    teens = Counter(e.part for e in examples if e.attributes["age"] == sessions.SLANG_AGE)
    assert min(teens.values()) >= 20, teens


def test_slang_is_the_wording_of_one_group(examples):
    slang = {p for by in lexicon.COMMENTS["slang"].values() for pool in by.values() for p in pool}
    users = {
        e.attributes["age"] for e in examples if any(event.comment in slang for event in e.events)
    }
    assert users == {sessions.SLANG_AGE}


def test_leak_knows_the_rating_and_the_other_features_know_the_past_only(examples, chances):
    rating = np.array([e.rating for e in examples])
    error = rating - simulation.expected_rating(chances)  # what even the oracle cannot know
    columns = {name: [e.features[name] for e in examples] for name in examples[0].features}
    correlation = {name: np.corrcoef(error, column)[0, 1] for name, column in columns.items()}
    assert correlation.pop(simulation.LEAK) < -0.4
    assert all(abs(value) < 0.05 for value in correlation.values()), correlation


def test_past_features_by_hand(examples):
    first = [e for e in examples if e.group == examples[0].group and not e.id.endswith("b")]
    for number, e in enumerate(first):
        past = [p.ratings[0] for p in first[:number]]
        assert e.features["past_sessions"] == number
        assert e.features["past_mean_rating"] == pytest.approx(
            np.mean(past) if past else 3.0, abs=0.005
        )
    assert [e.date for e in first] == sorted(e.date for e in first)
