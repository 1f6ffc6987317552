"""Dropout and attention for a processor: the same mathematics as PyTorch's, with fewer passes over
memory.

Taught with lesson 41 beside ``satisfaction_model``, measured in lesson 45. On a GPU both hand over
to PyTorch's own kernels.
"""

import torch
from torch import nn
from torch.nn import functional
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

NAME = "satlib"  # what transformers calls our attention
# Sixteen random bits decide an element, so a dropout probability is a multiple of 1 / STEPS.
STEPS = 2**16


def keep(shape: torch.Size, p: float, dtype: torch.dtype) -> torch.Tensor:
    """A dropout mask on the CPU: 0 with probability p, else 1 / (1 - p), drawn from torch's global
    generator.

    PyTorch draws a random number for every element; here four elements share one of 64 bits.
    """
    count = shape.numel()
    drop = round(p * STEPS)
    words = torch.empty((count + 3) // 4, dtype=torch.int64).random_(-(2**63), None)
    # Seen as 16 bits, each word is four draws between -STEPS / 2 and STEPS / 2.
    draws = words.view(torch.int16)[:count].view(shape)
    kept = torch.empty(shape, dtype=dtype)
    torch.ge(draws, drop - STEPS // 2, out=kept)
    return kept.mul_(STEPS / (STEPS - drop))


def dropout(x: torch.Tensor, p: float, training: bool = True) -> torch.Tensor:
    """Zero each element with probability p and scale the others by 1 / (1 - p); nothing outside
    training."""
    if not training or p == 0:
        return x
    if x.device.type != "cpu" or p == 1:
        return functional.dropout(x, p)
    return x * keep(x.shape, p, x.dtype)


class Dropout(nn.Dropout):
    """``nn.Dropout`` with ``dropout``."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return dropout(x, self.p, self.training)


def attention(
    module: nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    scaling: float | None = None,
    dropout: float = 0.0,
    **others,
):
    """Scaled dot-product attention of query, key and value [B, heads, L, size]: output [B, L,
    heads, size], and None.

    attention_mask: True where a position may be seen, or None. PyTorch's fused kernel for a
    processor has no dropout, and what it falls back to is slower than these few lines.
    """
    # A causal model may leave its mask to the kernel, and some have fewer heads in the keys.
    causal = attention_mask is None and getattr(module, "is_causal", False)
    same_heads = key.shape[1] == query.shape[1]
    on_cpu = query.device.type == "cpu"
    if not dropout or not on_cpu or causal or not same_heads:
        return sdpa_attention_forward(
            module, query, key, value, attention_mask, dropout=dropout, scaling=scaling, **others
        )
    scale = query.shape[-1] ** -0.5 if scaling is None else scaling
    scores = (query * scale) @ key.transpose(2, 3)
    if attention_mask is not None:
        scores = scores.masked_fill_(~attention_mask, torch.finfo(scores.dtype).min)
    weights = Dropout(dropout)(scores.softmax(-1))
    return (weights @ value).transpose(1, 2).contiguous(), None


def halve(module: nn.Module, inputs: tuple, output: torch.Tensor) -> torch.Tensor:
    """What leaves the embeddings, in the 16 bits that the products of this block run in; else as it
    was.

    Autocast alone leaves the sums between the layers in fp32 and casts them anew for every product,
    which takes memory.
    """
    if output.device.type == "cpu" and torch.is_autocast_enabled("cpu"):
        return output.to(torch.get_autocast_dtype("cpu"))
    return output


def install(model: nn.Module, encoder: nn.Module) -> None:
    """Let ``model`` use these layers: its nn.Dropout modules change their class, its encoder its
    attention and what leaves its embeddings. An encoder whose code has an attention of its own
    keeps it.
    """
    if isinstance(getattr(encoder, "embeddings", None), nn.Module):
        encoder.embeddings.register_forward_hook(halve)
    for module in model.modules():
        if type(module) is nn.Dropout:
            module.__class__ = Dropout
    if getattr(encoder, "_supports_attention_backend", False):
        encoder.set_attn_implementation(NAME)


def recompute(encoder: nn.Module, wanted: bool) -> None:
    """Where wanted, let a transformers encoder calculate its layers' inner values again instead of
    keeping them."""
    if not wanted:
        return
    # transformers 5.2x renames the method.
    if hasattr(encoder, "activation_checkpointing_enable"):
        encoder.activation_checkpointing_enable()
    else:
        encoder.gradient_checkpointing_enable()


AttentionInterface.register(NAME, attention)
AttentionMaskInterface.register(NAME, sdpa_mask)
