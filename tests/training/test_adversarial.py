"""Adversarial training: how far word vectors move, and the gradient of the second pass."""

import math

import numpy as np
import pytest
import tiny
import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState
from training_script import quick_plan

from satlib.models import heads, satisfaction_model
from satlib.training import finetune, loop
from satlib.training.adversarial import Adversarial, word_vectors
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


def move_per_text(slope):
    """Each text's vectors moved by SIZE along their own slope."""
    return torch.stack([SIZE * text / text.norm() for text in slope])


def move_of_table(slope):
    """The word table moved by SIZE along its slope, as the batch sees it."""
    ids = BATCH["input_ids"]
    table = torch.zeros(tiny.WORDS, slope.shape[-1])
    for text, words in zip(slope, ids, strict=True):
        for vector, word in zip(text, words, strict=True):
            table[word] += vector
    return (SIZE * table / table.norm())[ids]


def gradients_by_hand(model, move_of):
    """Gradients of the plain loss plus the loss on vectors moved along their slope."""
    table = model.encoder.get_input_embeddings().weight
    vectors = table[BATCH["input_ids"]]
    plain = loss_by_hand(model, vectors)
    slope = torch.autograd.grad(plain, vectors, retain_graph=True)[0]
    moved = loss_by_hand(model, vectors + move_of(slope))
    return torch.autograd.grad(plain + moved, list(model.parameters()))


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


@pytest.mark.parametrize(
    "batch_pass, move_of, passes",
    [
        (Adversarial(SIZE), move_of_table, 1),
        (Adversarial(SIZE, per_text=True), move_per_text, 1),
        # A text's own move does not depend on who shares its pass.
        (Adversarial(SIZE, per_text=True), move_per_text, 3),
    ],
)
def test_gradient_is_that_of_both_losses(batch_pass, move_of, passes, monkeypatch):
    every_row_in_use(monkeypatch)
    wanted = gradients_by_hand(tiny.model(), move_of)
    made = gradients_of(batch_pass, tiny.model(), accumulate=passes)
    for ours, by_hand in zip(made, wanted, strict=True):
        torch.testing.assert_close(ours, by_hand, atol=1e-6, rtol=1e-4)


def test_second_pass_changes_the_gradient(monkeypatch):
    every_row_in_use(monkeypatch)
    twice_plain = [2 * gradient for gradient in gradients_of(None, tiny.model())]
    made = gradients_of(Adversarial(SIZE), tiny.model())
    gap = max(float((one - two).abs().max()) for one, two in zip(made, twice_plain, strict=True))
    assert gap > 1e-3


def gradient_of_vectors(model):
    """The gradient of BATCH's loss with respect to its word vectors [B, L, H]."""
    with word_vectors(model) as vectors:
        model(**BATCH).loss.backward()
        return vectors.seen.grad


@pytest.mark.parametrize("random", [False, True])
def test_words_move_by_the_size_and_padding_stays(random):
    gradient = gradient_of_vectors(tiny.model())
    ids = BATCH["input_ids"]
    per_text = Adversarial(SIZE, per_text=True, random=random).change(gradient, ids)
    assert per_text.flatten(1).norm(dim=1).tolist() == pytest.approx([SIZE] * 12)
    together = Adversarial(SIZE, random=random).change(gradient, ids)
    moves = {}
    for word, move in zip(ids.flatten().tolist(), together.flatten(0, 1), strict=True):
        assert torch.equal(moves.setdefault(word, move), move)  # the same wherever it stands
    assert float(torch.stack(list(moves.values())).norm()) == pytest.approx(SIZE)
    for change in (per_text, together):
        assert (change[BATCH["attention_mask"] == 0] == 0).all()


@pytest.mark.parametrize("per_text", [False, True])
def test_move_raises_the_loss_and_a_random_one_raises_it_less(per_text):
    gradient = gradient_of_vectors(tiny.model())
    model = tiny.model()
    before = model(**BATCH).loss.item()
    raised = {}
    for random in (False, True):
        torch.manual_seed(0)
        batch_pass = Adversarial(SIZE, per_text, random)
        with word_vectors(model) as vectors:
            vectors.change = batch_pass.change(gradient, BATCH["input_ids"])
            raised[random] = model(**BATCH).loss.item() - before
    assert raised[False] > 0
    assert raised[False] > 2 * abs(raised[True])


def test_no_gradient_moves_nothing():
    gradient = torch.zeros(2, 3, 4)
    ids = torch.tensor([[5, 6, 7], [7, 7, 8]])
    for per_text in (False, True):
        assert (Adversarial(SIZE, per_text).change(gradient, ids) == 0).all()


class HalfTraining:
    """A training in fp16, as on a GPU that has no bf16, whose losses are multiplied by ``factor``
    at first.

    accelerate multiplies on a GPU only; torch's scaler does it on a processor as well. Kept of
    every update: gradients and moves of the word vectors, and then the factor and the weights.
    """

    def __init__(self, factor, monkeypatch):
        self.gradients = []
        self.moves = []
        self.factors = []
        self.weights = []
        self.scaler = torch.amp.GradScaler("cpu", init_scale=factor)
        self.model = tiny.model()
        plan = quick_plan(epochs=3, batch_size=16)
        with monkeypatch.context() as patch:
            patch.setattr(loop, "make_accelerator", self.accelerator)
            patch.setattr(Adversarial, "change", self.change)
            loop.train(
                self.model, tiny.rows(48), plan, after_step=self.note, batch_pass=Adversarial(SIZE)
            )
        AcceleratorState._reset_state()

    def accelerator(self, chosen):
        AcceleratorState._reset_state()
        made = Accelerator(cpu=True)
        made.state._mixed_precision = "fp16"
        made.native_amp = True
        made.scaler = self.scaler
        return made

    def change(self, gradient, ids, own=Adversarial.change):
        self.gradients.append(gradient.clone())
        self.moves.append(own(Adversarial(SIZE), gradient, ids))
        return self.moves[-1]

    def note(self, state):
        self.factors.append(self.scaler.get_scale())
        self.weights.append(weights_of(self.model))


def weights_of(model):
    """All weights in one vector."""
    return torch.cat([weight.detach().flatten() for weight in model.parameters()])


def finite(tensors):
    """Whether each is."""
    return [bool(tensor.isfinite().all()) for tensor in tensors]


def test_factor_of_the_loss_cancels_in_fp16(monkeypatch):
    small = HalfTraining(2.0**8, monkeypatch)
    large = HalfTraining(2.0**14, monkeypatch)
    times = float(large.gradients[0].norm() / small.gradients[0].norm())
    assert times == pytest.approx(2.0**6, rel=0.01)
    torch.testing.assert_close(large.moves[0], small.moves[0], atol=1e-4, rtol=0.01)
    torch.testing.assert_close(large.weights[-1], small.weights[-1], atol=1e-3, rtol=0.01)


def test_update_whose_gradient_overflows_is_dropped_and_nothing_moves(monkeypatch):
    factor = 2.0**28
    training = HalfTraining(factor, monkeypatch)
    weights = weights_of(tiny.model())
    good = finite(training.gradients)
    for number, moved in enumerate(good):
        if not moved:
            assert training.factors[number] == factor / 2
            assert torch.equal(training.weights[number], weights)
        factor = training.factors[number]
        weights = training.weights[number]
    assert {True, False} == set(good)
    assert all(finite(training.moves))
    assert not torch.equal(weights, weights_of(tiny.model()))
    assert all(finite(training.weights))


@pytest.mark.parametrize("per_text", [False, True])
@pytest.mark.parametrize("bad", [math.inf, -math.inf, math.nan])
def test_gradient_that_is_no_number_moves_its_place_nowhere(per_text, bad):
    gradient = torch.ones(2, 3, 4)
    gradient[0, 0, 0] = bad
    ids = torch.tensor([[5, 6, 7], [7, 7, 8]])
    moves = Adversarial(SIZE, per_text).change(gradient, ids)
    gradient[0, 0, 0] = 0
    assert torch.equal(moves, Adversarial(SIZE, per_text).change(gradient, ids))


def test_model_is_as_before_after_the_block():
    model = tiny.model().eval()
    before = model(**BATCH).logits
    with pytest.raises(RuntimeError, match="interrupted"), word_vectors(model) as vectors:
        vectors.change = torch.tensor(SIZE)
        assert not torch.equal(model(**BATCH).logits, before)
        raise RuntimeError("interrupted")
    assert torch.equal(model(**BATCH).logits, before)


def test_frozen_table_can_be_seen_too():
    wanted = gradient_of_vectors(tiny.model())
    model = tiny.model()
    model.encoder.get_input_embeddings().weight.requires_grad_(False)
    assert torch.equal(gradient_of_vectors(model), wanted)


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
    assert finetune.Settings(adversarial=0).batch_pass is loop.plain
    assert finetune.Settings(adversarial=SIZE).batch_pass == Adversarial(SIZE)
