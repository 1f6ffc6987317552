"""Protocol C: folds of whole conversations, models that see training rows only, and the counts of
the real corpus."""

import numpy as np
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import Ridge

from satlib import record_cache, records
from satlib.baselines import event_steps
from satlib.data import corpora
from satlib.data.interactions import Event, Example
from satlib.encoding import sequences, tokens
from satlib.models import satisfaction_model
from satlib.reproduction import ab_redial, protocols
from satlib.training import finetune, loop
from satlib.training.batches import Rows
from satlib.training.plan import Plan

WORDS = (
    "great film thanks",
    "no not that one",
    "seen it already",
    "what a perfect choice",
    "boring and old",
)


def made(n=40, conversations=20, seed=0):
    """Invented examples: the first words of a text decide its rating."""
    rng = np.random.default_rng(seed)
    found = []
    for i in range(n):
        word = int(rng.integers(len(WORDS)))
        events = (
            Event("system", "say", f"how about film {i % 7}"),
            Event("user", "say", WORDS[word]),
        )
        ratings = tuple(np.clip(word + rng.integers(0, 2, 3), 1, 5).astype(float).tolist())
        found.append(
            Example(f"c{i % conversations}-{i}", f"c{i % conversations}", "films", events, ratings)
        )
    return found


def test_a_conversation_lies_in_one_fold_and_folds_are_alike_in_size():
    groups = [f"c{i % 195}" for i in range(600)]
    fold = ab_redial.folds(groups)
    assert len({(g, k) for g, k in zip(groups, fold, strict=True)}) == 195
    assert {int((fold == k).sum()) for k in range(ab_redial.FOLDS)} <= set(range(57, 65))
    sizes = [
        len({g for g, at in zip(groups, fold, strict=True) if at == k})
        for k in range(ab_redial.FOLDS)
    ]
    assert sum(sizes) == 195 and max(sizes) - min(sizes) <= 1


def test_the_fold_depends_on_the_conversation_not_on_the_order_of_rows():
    groups = [f"c{i % 17}" for i in range(50)]
    order = np.random.default_rng(1).permutation(50)
    assert np.array_equal(
        ab_redial.folds(groups)[order], ab_redial.folds([groups[i] for i in order])
    )


@pytest.mark.parametrize("model", ["mean", "tfidf-ridge", "embeddings-ridge"])
def test_no_rating_of_its_own_conversation_moves_a_prediction(model):
    examples = made()
    before = ab_redial.predict(model, examples, ab_redial.Settings())
    changed = [
        Example(e.id, e.group, e.domain, e.events, (5.0,) if e.group == "c3" else e.ratings)
        for e in examples
    ]
    after = ab_redial.predict(model, changed, ab_redial.Settings())
    mine = np.array([e.group == "c3" for e in examples])
    assert np.allclose(before[mine], after[mine]) and not np.allclose(before[~mine], after[~mine])


def test_ridges_are_scikit_learns():
    examples, settings = made(), ab_redial.Settings()
    fold, y = ab_redial.folds([e.group for e in examples]), np.array([e.rating for e in examples])
    texts = np.array(sequences.texts(examples), dtype=object)
    embedded = event_steps.embeddings({"all": examples})["all"]
    for model in ("tfidf-ridge", "embeddings-ridge"):
        expected = np.zeros(len(y))
        for k in range(ab_redial.FOLDS):
            train, test = fold != k, fold == k
            if model == "tfidf-ridge":
                view = TfidfVectorizer(
                    min_df=2, ngram_range=(1, 2), sublinear_tf=True, token_pattern=event_steps.TOKEN
                )
                seen, asked = view.fit_transform(texts[train]), view.transform(texts[test])
            else:
                seen, asked = embedded[train], embedded[test]
            expected[test] = Ridge(alpha=1.0).fit(seen, y[train]).predict(asked)
        assert np.allclose(
            ab_redial.predict(model, examples, settings), expected.clip(1, 5), atol=1e-4
        )


def test_the_encoder_is_the_one_that_the_loop_of_the_kit_trains():
    examples = made(24, 12)
    train, test = np.arange(16), np.arange(16, 24)
    settings = ab_redial.Settings(epochs=1, batch_size=8, max_length=16, precision="fp32")
    found = ab_redial.encoder(examples, settings)(train, test)
    model, tokenizer = satisfaction_model.build(head="regression", seed=0)
    ids = tokens.tokenise(sequences.texts(examples), tokenizer, 16)
    rows = Rows([ids[i] for i in train], np.array([examples[i].rating for i in train]))
    finetune.fit_head(model, rows, strengths=(1.0,))
    plan = Plan(
        epochs=1,
        batch_size=8,
        learning_rate=settings.learning_rate,
        patience=0,
        precision="fp32",
    )
    loop.train(model, rows, plan, rows)
    expected = satisfaction_model.predict(
        model, tokenizer, [sequences.to_text(examples[i]) for i in test], max_length=16
    ).rating
    assert found.shape == (8,) and np.allclose(found, expected, atol=1e-4)


def test_unknown_names_are_refused():
    with pytest.raises(ValueError, match="unknown model 'gru'"):
        ab_redial.predict("gru", made(), ab_redial.Settings())
    with pytest.raises(ValueError, match="unknown level 'utterance'"):
        ab_redial.run("utterance", "mean", ab_redial.Settings(), "nowhere")


@pytest.mark.parametrize(("level", "count"), [("turn", 600), ("dialogue", 200)])
def test_the_record_of_a_level(real_data, tmp_path, level, count):
    record = ab_redial.run(level, "tfidf-ridge", ab_redial.Settings(), tmp_path, str(real_data))
    cut = record_cache.load_split(f"split-ab-redial-{level}-C", tmp_path)
    examples = corpora.load("ab-redial", real_data, level=level).examples
    group = {e.id: e.group for e in examples}
    assert sorted(i for ids in cut.values() for i in ids) == sorted(group) and len(group) == count
    assert len(set(group.values())) == 195
    assert sum(len({group[i] for i in ids}) for ids in cut.values()) == 195
    columns = record.predictions["test"]
    assert columns["id"] == [e.id for e in examples]
    assert set(columns) == {"id", "group", "rating", "predicted", "expected"}
    value = {row["metric"]: row["value"] for row in record.rows}
    assert list(value) == list(protocols.PROTOCOLS["C"].metrics) and all(
        row["n"] == count for row in record.rows
    )
    assert value["pearson"] == pytest.approx(
        np.corrcoef(columns["rating"], columns["expected"])[0, 1], abs=1e-4
    )
    (path,) = tmp_path.glob(f"ab-redial-{level}-C-*.json")
    assert ab_redial.run(
        level, "tfidf-ridge", ab_redial.Settings(), tmp_path, str(real_data)
    ) == records.load(path)
