"""Training only the token rows in use gives the weights of training all of them."""

import copy

import numpy as np
import pytest
import tiny
import torch

from satlib.models import satisfaction_model
from satlib.training import active_rows, batches, loop
from satlib.training.plan import Plan

VOCABULARY = 400  # tiny.rows use ids below tiny.WORDS, so most rows rest


def wide(seed: int = 0):
    torch.manual_seed(seed)
    encoder = tiny.bert_config(vocab_size=VOCABULARY).to_dict()
    return satisfaction_model.SatisfactionModel(
        satisfaction_model.SatisfactionConfig(encoder=encoder, dropout=0.0)
    )


@pytest.mark.parametrize("optimizer, rate", [("adamw", 0.01), ("sgd", 0.1)])
def test_all_weights_end_where_those_of_a_whole_table_do(monkeypatch, optimizer, rate):
    plan = Plan(
        epochs=2,
        batch_size=8,
        learning_rate=rate,
        weight_decay=0.3,
        optimizer=optimizer,
        precision="fp32",
    )
    unseen = batches.Rows(
        [[VOCABULARY - 2, 7, VOCABULARY - 1]] * 6, np.linspace(1, 5, 6)
    )  # words new to it
    found = []
    for worth in (active_rows.WORTH, 0.0):
        monkeypatch.setattr(active_rows, "WORTH", worth)
        model = wide()
        state = loop.train(model, tiny.rows(40), plan, unseen)
        found.append((dict(model.named_parameters()), [c["validation_loss"] for c in state.curves]))
    (short, short_curve), (whole, whole_curve) = found
    assert short.keys() == whole.keys() and short_curve == pytest.approx(whole_curve, rel=1e-5)
    for name, weight in short.items():
        torch.testing.assert_close(weight, whole[name], atol=2e-6, rtol=1e-5, msg=name)
    start = dict(wide().named_parameters())["encoder.embeddings.word_embeddings.weight"]
    assert not torch.equal(
        start[-1], short["encoder.embeddings.word_embeddings.weight"][-1]
    )  # it did shrink


def test_the_table_is_whole_again_after_a_failure():
    model = wide()
    before = copy.deepcopy(model.state_dict())
    with (
        pytest.raises(KeyboardInterrupt),
        active_rows.rows_in_use(model.encoder, [[1, 2, 3]], 0) as rows,
    ):
        assert (
            len(rows.active) == 4
            and "encoder.embeddings.word_embeddings.active" in model.state_dict()
        )
        raise KeyboardInterrupt
    after = model.state_dict()
    assert after.keys() == before.keys() and all(
        torch.equal(after[name], before[name]) for name in before
    )


def test_padding_has_no_gradient_and_resting_rows_are_read_in_evaluation():
    model = wide()
    table = model.encoder.get_input_embeddings().weight.detach().clone()
    with active_rows.rows_in_use(model.encoder, [[5, 9], [9, 11]], 0) as rows:
        ids = torch.tensor([[5, 11, 0]])
        rows.train()(ids).sum().backward()
        assert rows.active.grad.sum(1).tolist() == [
            0,
            32,
            0,
            32,
        ]  # rows of the ids 0, 5, 9, 11; 32 numbers each
        seen = torch.tensor([[5, 399, 0, 12]])
        torch.testing.assert_close(rows.eval()(seen), table[seen])
        rows.shrink(0.1, 0.5)
        torch.testing.assert_close(rows(seen)[0, 1], table[399] * 0.95)
        torch.testing.assert_close(rows(seen)[0, 0], table[5])


def test_where_most_rows_are_in_use_nothing_changes():
    model = tiny.model()
    with active_rows.rows_in_use(model.encoder, [list(range(tiny.WORDS))], 0) as rows:
        assert rows is None and type(model.encoder.get_input_embeddings()) is torch.nn.Embedding
