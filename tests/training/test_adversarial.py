"""Adversarial training: how far word vectors move, and the gradient of the second pass."""

import math

import numpy as np
import pytest
import tiny
import torch
from training_script import quick_plan

from satlib.models import heads, satisfaction_model
from satlib.training import finetune, loop
from satlib.training.adversarial import Adversarial, lengths, word_vectors
from satlib.training.batches import collate

ROWS = tiny.rows(12)
BATCH = collate(ROWS, np.arange(12), torch.device("cpu"))
SIZE = 0.3


def loss_by_hand(model, vectors):
    """The loss of BATCH from word vectors [B, L, H] in place of token ids."""
    mask = BATCH["attention_mask"]
    out = model.encoder(inputs_embeds=vectors, attention_mask=mask)
    pooled = satisfaction_model.pool(out.last_hidden_state, mask, model.config.pooling)
    logits = model.head(pooled).squeeze(-1)
    return heads.loss_of(logits, BATCH["labels"], model.config)


def gradients_by_hand(model, size):
    """Gradients of the plain loss plus the loss on moved vectors; each text moved by ``size``."""
    table = model.encoder.get_input_embeddings().weight
    vectors = table[BATCH["input_ids"]]
    plain = loss_by_hand(model, vectors)
    slope = torch.autograd.grad(plain, vectors, retain_graph=True)[0]
    move = torch.stack([size * text / text.norm() for text in slope])
    return torch.autograd.grad(
        plain + loss_by_hand(model, vectors + move), list(model.parameters())
    )


def gradients_of(batch_pass, model, **changed):
    """Gradients that one update of the loop works with, read before they are dropped."""
    seen = []
    plan = quick_plan(epochs=1, batch_size=12, clip=1e9, **changed)
    clip = torch.nn.utils.clip_grad_norm_

    def keep(parameters, *args, **kwargs):
        parameters = list(parameters)
        seen.extend(parameter.grad.clone() for parameter in parameters)
        return clip(parameters, *args, **kwargs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch.nn.utils, "clip_grad_norm_", keep)
        loop.train(model, ROWS, plan, batch_pass=batch_pass)
    return seen


def every_row_in_use(monkeypatch):
    """Let the loop train the whole word table, so that its gradients are those of the hand."""
    monkeypatch.setattr("satlib.training.active_rows.WORTH", 0.0)


@pytest.mark.parametrize("passes", [1, 3])
def test_gradient_is_that_of_both_losses_whatever_the_passes(passes, monkeypatch):
    every_row_in_use(monkeypatch)
    wanted = gradients_by_hand(tiny.model(), SIZE)
    made = gradients_of(Adversarial(SIZE), tiny.model(), accumulate=passes)
    for ours, by_hand in zip(made, wanted, strict=True):
        torch.testing.assert_close(ours, by_hand, atol=1e-6, rtol=1e-4)


def test_second_pass_changes_the_gradient(monkeypatch):
    every_row_in_use(monkeypatch)
    twice_plain = [2 * gradient for gradient in gradients_of(None, tiny.model())]
    made = gradients_of(Adversarial(SIZE), tiny.model())
    gap = max(float((one - two).abs().max()) for one, two in zip(made, twice_plain, strict=True))
    assert gap > 1e-3


@pytest.mark.parametrize("random", [False, True])
def test_every_text_moves_by_the_size_and_padding_stays(random):
    model = tiny.model()
    with word_vectors(model) as vectors:
        model(**BATCH).loss.backward()
        vectors.move(SIZE, random)
        change = vectors.change
    assert lengths(change).flatten().tolist() == pytest.approx([SIZE] * 12)
    assert (change[BATCH["attention_mask"] == 0] == 0).all()


def test_move_raises_the_loss_and_a_random_one_raises_it_less():
    raised = {}
    for random in (False, True):
        model = tiny.model()
        with word_vectors(model) as vectors:
            before = model(**BATCH).loss
            before.backward()
            torch.manual_seed(0)
            vectors.move(SIZE, random)
            raised[random] = model(**BATCH).loss.item() - before.item()
    assert raised[False] > 0
    assert raised[False] > 2 * abs(raised[True])


def test_model_is_as_before_after_the_block():
    model = tiny.model().eval()
    before = model(**BATCH).logits
    with pytest.raises(RuntimeError, match="interrupted"), word_vectors(model) as vectors:
        model(**BATCH).loss.backward()
        vectors.move(SIZE)
        raise RuntimeError("interrupted")
    assert torch.equal(model(**BATCH).logits, before)


def test_frozen_table_moves_too():
    model = tiny.model()
    model.encoder.get_input_embeddings().weight.requires_grad_(False)
    with word_vectors(model) as vectors:
        model(**BATCH).loss.backward()
        vectors.move(SIZE)
        assert lengths(vectors.change).flatten().tolist() == pytest.approx([SIZE] * 12)


@pytest.mark.parametrize("size", [0, -0.1, math.inf, math.nan])
def test_size_that_is_no_length_is_refused(size):
    with pytest.raises(ValueError, match=f"adversarial = {size}; give a length above 0"):
        Adversarial(size)


def test_checkpoint_of_another_size_is_refused(tmp_path):
    plan = quick_plan(epochs=1)
    loop.train(tiny.model(), ROWS, plan, folder=tmp_path, batch_pass=Adversarial(SIZE))
    with pytest.raises(ValueError, match=r"batch_pass is Adversarial\(size=0.3"):
        loop.train(tiny.model(), ROWS, plan, folder=tmp_path, batch_pass=Adversarial(0.4))


def test_settings_name_the_pass():
    assert finetune.Settings().batch_pass is loop.plain
    assert finetune.Settings(adversarial=SIZE).batch_pass == Adversarial(SIZE)
