"""The recipe: the head alone against scikit-learn and statsmodels, and the whole of it."""

from dataclasses import replace

import numpy as np
import pytest
import tiny
import torch
from training_script import quick_plan

from satlib.data.interactions import Event, Example
from satlib.encoding import sequences, tokens
from satlib.evaluation import metrics
from satlib.losses import cross_entropy
from satlib.models import encoders, heads, satisfaction_model
from satlib.models.heads import HEADS
from satlib.training import finetune, loop
from satlib.training.adversarial import Adversarial
from satlib.training.batches import Rows
from satlib.training.plan import Plan

ROWS = tiny.rows(40)
VALIDATION = tiny.rows(11, seed=1)

# --- the head alone


def embedded(model, rows):
    return satisfaction_model.run(model, rows.sequences, rows.features, what="embedding").astype(
        float
    )


def test_fitted_head_equals_ridge():
    from sklearn.linear_model import Ridge

    model = tiny.model(features=2)
    rows, validation = tiny.rows(60, features=2), tiny.rows(30, seed=1, features=2)
    strength = finetune.fit_head(model, rows, validation)
    fits = {
        a: Ridge(alpha=a).fit(embedded(model, rows), (rows.ratings - 1) / 4)
        for a in (0.01, 0.1, 1.0, 10.0, 100.0)
    }
    errors = {
        a: np.mean((fit.predict(embedded(model, validation)) - (validation.ratings - 1) / 4) ** 2)
        for a, fit in fits.items()
    }
    assert strength == min(errors, key=errors.get)
    logits = satisfaction_model.run(model, validation.sequences, validation.features)
    np.testing.assert_allclose(
        logits, fits[strength].predict(embedded(model, validation)), atol=1e-5
    )


@pytest.mark.parametrize("head", ["binary", "classes"])
def test_fitted_head_equals_logistic_regression(head):
    from sklearn.linear_model import LogisticRegression

    model, rows, validation = tiny.model(head=head), tiny.rows(80), tiny.rows(30, seed=1)
    finetune.fit_head(model, rows, validation, strengths=(2.0,))
    labels = rows.ratings >= 4 if head == "binary" else metrics.classes(rows.ratings)
    fit = LogisticRegression(C=0.5, max_iter=1000).fit(embedded(model, rows), labels)
    probabilities = fit.predict_proba(embedded(model, validation))
    logits = satisfaction_model.run(model, validation.sequences).astype(float)
    if head == "binary":
        np.testing.assert_allclose(cross_entropy.sigmoid(logits), probabilities[:, 1], atol=1e-4)
        expected = [rows.ratings[rows.ratings < 4].mean(), rows.ratings[rows.ratings >= 4].mean()]
        assert model.config.group_means == pytest.approx(expected)
    else:
        found = heads.read_logits(logits, model.config).distribution
        np.testing.assert_allclose(
            found[:, (fit.classes_ - 1).astype(int)], probabilities, atol=1e-4
        )


@pytest.mark.parametrize("head", ["cumulative", "coral", "corn", "soft"])
def test_fitted_ordinal_head_has_the_least_penalised_loss(head):
    model, rows, validation = (
        tiny.model(head=head, features=2),
        tiny.rows(80, features=2),
        tiny.rows(30, 1, features=2),
    )
    strength = finetune.fit_head(model, rows, validation)
    seen, ratings = torch.from_numpy(embedded(model, rows)), torch.from_numpy(rows.ratings)
    last = model.head.double()
    loss = (
        heads.loss_of(last(seen), ratings, model.config)
        + strength / (2 * 80) * last.weight.square().sum()
    )
    gradient = torch.autograd.grad(loss, last.parameters())
    assert max(float(part.abs().max()) for part in gradient) < 2e-4
    found = heads.read_logits(
        satisfaction_model.run(model.float(), validation.sequences, validation.features).astype(
            float
        ),
        model.config,
    )
    assert metrics.rmse(validation.ratings, found.rating) < np.std(validation.ratings)


@pytest.mark.parametrize("head", ["cumulative", "coral", "corn", "soft"])
def test_fitted_ordinal_head_where_classes_are_missing(head):
    rng = np.random.default_rng(0)
    few = Rows(ROWS.sequences, rng.choice([2.0, 4.0], 40))
    model = tiny.model(head=head)
    finetune.fit_head(model, few, few, strengths=(1.0,))
    found = heads.read_logits(
        satisfaction_model.run(model, few.sequences).astype(float), model.config
    )
    assert (
        found.distribution[:, [1, 3]].sum(axis=1).min() > 0.97 and np.isfinite(found.rating).all()
    )
    state = loop.train(model, ROWS, quick_plan(epochs=6, learning_rate=0.02), VALIDATION)
    loss = [point["train_loss"] for point in state.curves]
    assert (
        np.isfinite(loss).all() and loss[-1] < 0.8 * loss[0]
    )  # it can still learn what it had not met


@pytest.mark.parametrize("head", [head for head in HEADS if head != "regression"])
def test_head_needs_two_classes(head):
    same = Rows(ROWS.sequences, np.full(40, 5.0))
    with pytest.raises(ValueError, match="all 40 ratings fall into one class") as error:
        finetune.fit_head(tiny.model(head=head), same, VALIDATION)
    assert "\n" not in str(error.value)


def test_one_strength_needs_no_validation_rows():
    with_rows, without = tiny.model(), tiny.model()
    finetune.fit_head(with_rows, ROWS, VALIDATION, strengths=(1.0,))
    assert finetune.fit_head(without, ROWS, strengths=(1.0,)) == 1.0
    assert torch.equal(with_rows.head.weight, without.head.weight)
    with pytest.raises(ValueError, match="5 strengths .* and no validation rows .*; give one"):
        finetune.fit_head(without, ROWS)


# --- the rows


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return str(tiny.bert_folder(tmp_path_factory.mktemp("bert")))


def examples(n: int = 24) -> list[Example]:
    events = [Event("user", "rate", text, value=3.0) for text in tiny.TEXTS]
    made = []
    for i in range(n):
        past = tuple(events[: 1 + i % len(events)])
        target = Event("user", "review", tiny.TEXTS[i % len(tiny.TEXTS)])
        made.append(Example(f"e{i}", f"u{i % 5}", "films", past, (1.0 + i % 5,), target))
    return made


def test_examples_become_rows(folder):
    settings = finetune.Settings(encoder=folder, max_length=20)
    parts = {"train": examples(), "test": examples(6)}
    features = {"train": np.ones((24, 2)), "test": np.zeros((6, 2))}
    rows = finetune.encode(parts, settings, features)
    _, tokenizer = encoders.load_encoder(folder)
    assert rows["test"].sequences == tokens.tokenise(sequences.texts(parts["test"]), tokenizer, 20)
    assert rows["train"].ratings.tolist() == [example.rating for example in parts["train"]]
    assert np.array_equal(rows["train"].features, features["train"])
    assert rows["train"].lengths.max() == 20
    assert finetune.encode(parts, settings)["train"].features is None


@pytest.mark.parametrize("history", [0, 2, 99])
def test_only_the_last_events_are_read(folder, history):
    settings = finetune.Settings(encoder=folder, max_length=60, history=history)
    whole = examples(12)
    cut = [replace(e, events=e.events[len(e.events) - history :]) for e in whole]
    cut = whole if history == 99 else cut
    cut = [replace(e, events=()) for e in whole] if history == 0 else cut
    expected = finetune.encode({"all": cut}, replace(settings, history=-1))["all"]
    assert finetune.encode({"all": whole}, settings)["all"].sequences == expected.sequences


def test_an_empty_text_is_read_as_a_dot(folder):
    settings = finetune.Settings(encoder=folder, max_length=20)
    ids = finetune.token_ids(["", ".", "a lovely film"], settings)
    assert ids[0] == ids[1] != ids[2]
    rows = finetune.encode_texts({"all": ["", "a lovely film"]}, {"all": np.ones(2)}, settings)
    assert rows["all"].sequences == [ids[0], ids[2]]


# --- the whole


@pytest.mark.parametrize(
    ("changed", "batch_pass"), [({}, Adversarial(0.5)), ({"adversarial": 0}, loop.plain)]
)
def test_the_recipe_is_its_steps_by_hand(folder, changed, batch_pass):
    settings = finetune.Settings(
        encoder=folder,
        batch_size=8,
        learning_rate=1e-3,
        max_length=20,
        train_rows=16,
        seed=3,
        precision="fp32",  # as the steps by hand are
        **changed,
    )
    rows = finetune.encode({"train": examples(), "validation": examples(10)}, settings)
    looked = []
    made = finetune.finetune(
        rows["train"],
        settings,
        rows["validation"],
        judged=rows,
        before=True,
        scale=(0.5, 5.0),
        look=lambda model: looked.append(model.head.weight.detach().clone()),
    )

    model, _ = satisfaction_model.build(folder, seed=3, low=0.5)
    learnt = rows["train"].some(16)
    strength = finetune.fit_head(model, learnt, rows["validation"])
    before = satisfaction_model.predict_tokens(model, rows["validation"].sequences)
    plan = Plan(epochs=2, batch_size=8, learning_rate=1e-3, seed=3, precision="fp32")
    state = loop.train(model, learnt, plan, rows["validation"], batch_pass=batch_pass)
    after = satisfaction_model.predict_tokens(model, rows["validation"].sequences)
    assert made.strength == strength and made.state == state and settings.plan == plan
    assert {*made.before} == {*made.after} == {"train", "validation"}
    assert np.allclose(made.before["validation"].rating, before.rating, atol=0.02)
    assert np.allclose(made.after["validation"].rating, after.rating, atol=0.02)
    assert len(looked) == 3 and not torch.equal(looked[0], looked[2])


def test_the_recipe_without_validation_rows_keeps_the_last_epoch(folder):
    settings = finetune.Settings(
        encoder=folder, strengths=(1.0,), batch_size=8, learning_rate=1e-3, max_length=20
    )
    rows = finetune.encode({"train": examples()}, settings)["train"]
    seen = []
    made = finetune.finetune(
        rows, settings, look=lambda model: seen.append(model.head.weight.detach().clone())
    )
    assert made.before == made.after == {} and len(made.state.curves) == 2
    assert torch.equal(made.model.head.weight.detach(), seen[-1])


def test_a_given_model_is_trained_and_a_folder_keeps_its_checkpoints(folder, tmp_path):
    model, _ = satisfaction_model.build(folder, features=2)
    settings = finetune.Settings(encoder=folder, epochs=1, batch_size=8, max_length=20)
    features = {"train": np.random.default_rng(0).normal(size=(24, 2))}
    rows = finetune.encode({"train": examples()}, settings, features)["train"]
    made = finetune.finetune(rows, settings, rows, model=model, folder=tmp_path)
    assert made.model is model
    assert len(list(tmp_path.glob("step-*"))) == 1
