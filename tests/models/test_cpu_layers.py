"""Dropout and attention of ``layers`` against PyTorch's and transformers' own."""

import math

import pytest
import tiny
import torch
import transformers
from torch import nn
from torch.nn import functional

from satlib.models import cpu_layers, satisfaction_model


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("p", [0.1, 0.5, 0.3])
def test_a_mask_keeps_the_share_and_the_mean(p, dtype):
    torch.manual_seed(0)
    kept = cpu_layers.keep(torch.Size([401, 499]), p, dtype).float()
    n = kept.numel()
    share, deviation = float((kept == 0).float().mean()), math.sqrt(p * (1 - p) / n)
    assert abs(share - p) < 4 * deviation + 1 / cpu_layers.STEPS
    values = kept.unique()
    assert (
        len(values) == 2
        and values[0] == 0
        and float(values[1]) == pytest.approx(1 / (1 - p), rel=0.01)
    )
    rows, columns = (kept == 0).float().mean(1), (kept == 0).float().mean(0)  # no stripes
    assert rows.std() < 1.2 * math.sqrt(p * (1 - p) / 499) and columns.std() < 1.2 * math.sqrt(
        p * (1 - p) / 401
    )


def test_neighbours_that_share_a_draw_are_independent():
    torch.manual_seed(1)
    dropped = (cpu_layers.keep(torch.Size([100_000, 4]), 0.5, torch.float32) == 0).float()
    agreement = (dropped[:, :1] == dropped[:, 1:]).float().mean(0)
    assert (agreement - 0.5).abs().max() < 4 * 0.5 / math.sqrt(100_000)


def test_the_seed_decides_and_the_global_generator_moves_on():
    torch.manual_seed(3)
    one, two = (cpu_layers.keep(torch.Size([5, 7]), 0.5, torch.float32) for _ in range(2))
    torch.manual_seed(3)
    assert torch.equal(
        one, cpu_layers.keep(torch.Size([5, 7]), 0.5, torch.float32)
    ) and not torch.equal(one, two)


def test_dropout_scales_what_it_keeps_and_its_gradient_alike():
    torch.manual_seed(0)
    x = torch.randn(64, 33, requires_grad=True)
    y = cpu_layers.dropout(x, 0.25)
    y.sum().backward()
    zero = y == 0
    assert zero.any() and torch.equal(x.grad == 0, zero)
    torch.testing.assert_close(y[~zero], x.detach()[~zero] / 0.75)
    torch.testing.assert_close(x.grad[~zero], torch.full_like(x.grad[~zero], 1 / 0.75))


@pytest.mark.parametrize("p, training", [(0.0, True), (0.5, False)])
def test_no_dropout_is_no_work(p, training):
    x = torch.randn(3, 4)
    assert cpu_layers.dropout(x, p, training) is x


def test_everything_can_be_dropped():
    assert not cpu_layers.dropout(torch.ones(4, 4), 1.0).any()


@pytest.fixture
def all_kept(monkeypatch):
    """Dropout that keeps everything, so that the attention of training can be compared."""
    monkeypatch.setattr(cpu_layers, "keep", lambda shape, p, dtype: torch.ones(shape, dtype=dtype))


@pytest.mark.parametrize("masked", [False, True])
def test_attention_of_training_equals_pytorchs(all_kept, masked):
    torch.manual_seed(0)
    query, key, value = torch.randn(3, 2, 4, 7, 8).unbind(0)
    mask = torch.ones(2, 1, 7, 7, dtype=torch.bool)
    mask[1, :, :, 5:] = False
    mask = mask if masked else None
    found, _ = cpu_layers.attention(nn.Module(), query, key, value, mask, dropout=0.5)
    expected = functional.scaled_dot_product_attention(query, key, value, attn_mask=mask).transpose(
        1, 2
    )
    torch.testing.assert_close(found, expected)


def test_a_model_trains_to_the_same_gradients_with_transformers_own_attention(all_kept):
    gradients = []
    for attention in (cpu_layers.NAME, "eager"):
        model = tiny.model(dropout=0.0)
        for layer in model.encoder.encoder.layer:
            layer.attention.self.dropout.p = (
                0.5 if attention == cpu_layers.NAME else 0.0
            )  # kept whole, but on our path
        model.encoder.set_attn_implementation(attention)
        ids = torch.randint(5, tiny.WORDS, (4, 9), generator=torch.Generator().manual_seed(0))
        mask = torch.arange(9) < torch.tensor([[9], [4], [7], [9]])
        model.train()(ids, mask.long(), labels=torch.tensor([1.0, 2, 3, 4])).loss.backward()
        gradients.append({name: p.grad for name, p in model.named_parameters()})
    for name, gradient in gradients[0].items():
        torch.testing.assert_close(gradient, gradients[1][name], atol=1e-6, rtol=1e-4, msg=name)


def test_a_decoder_stays_causal_in_training(tmp_path):
    model, _ = satisfaction_model.build(str(tiny.gpt2_folder(tmp_path)), pooling="last")
    model.train()
    ids = torch.randint(5, 40, (1, 8))
    changed = ids.clone()
    changed[0, -1] = (ids[0, -1] + 1) % 40
    out = []
    for given in (ids, changed):
        torch.manual_seed(0)
        out.append(
            model.encoder(input_ids=given, attention_mask=torch.ones_like(given)).last_hidden_state
        )
    torch.testing.assert_close(out[0][:, :-1], out[1][:, :-1])
    assert not torch.equal(out[0][:, -1], out[1][:, -1])


def test_a_built_model_uses_them_and_a_loaded_one_too(tmp_path):
    model = tiny.model(dropout=0.1)
    model.save_pretrained(tmp_path)
    again = satisfaction_model.SatisfactionModel.from_pretrained(tmp_path)
    for each in (model, again):
        kinds = {type(m) for m in each.modules() if isinstance(m, nn.Dropout)}
        assert (
            kinds == {cpu_layers.Dropout}
            and each.encoder.config._attn_implementation == cpu_layers.NAME
        )
    assert (
        "satlib" not in (tmp_path / "config.json").read_text()
    )  # how attention is computed is no part of the model


def test_an_encoder_with_its_own_attention_keeps_it():
    encoder = transformers.BertModel(tiny.bert_config())
    encoder._supports_attention_backend = False
    cpu_layers.install(nn.Sequential(nn.Dropout(0.2)), encoder)
    assert encoder.config._attn_implementation != cpu_layers.NAME


def test_between_the_layers_the_numbers_are_halves_where_the_products_are():
    model, ids = tiny.model(dropout=0.0), torch.randint(5, tiny.WORDS, (4, 9))
    seen = []
    for layer in model.encoder.encoder.layer:
        layer.register_forward_hook(lambda module, inputs, output: seen.append(output.dtype))
    whole = model(ids, torch.ones_like(ids)).logits
    with torch.autocast("cpu", torch.bfloat16):
        half = model(ids, torch.ones_like(ids)).logits
    count = len(model.encoder.encoder.layer)
    assert seen == [torch.float32] * count + [torch.bfloat16] * count
    assert half.dtype == torch.float32 and not torch.equal(whole, half)
    torch.testing.assert_close(whole, half, atol=0.02, rtol=0.02)
    half.sum().backward()
    assert all(weight.grad.dtype == torch.float32 for weight in model.parameters())
