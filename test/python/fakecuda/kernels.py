"""Operators that only CUDA has, computed by their CPU equivalents."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

aten = torch.ops.aten
# Values of torch.nn.attention.SDPBackend.
MATH, EFFICIENT_ATTENTION = 0, 2


def _attention_choice(*args: Any, **kwargs: Any) -> int:
    """Memory-efficient attention where the CPU uses a fused kernel: on CUDA, it alone takes masks and float32."""
    return MATH if aten._fused_sdp_choice(*args, **kwargs) == MATH else EFFICIENT_ATTENTION


def _efficient_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_bias: Tensor | None,
    compute_log_sumexp: bool,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    *,
    scale: float | None = None,
) -> tuple[Tensor, ...]:
    output, log_sumexp = aten._scaled_dot_product_flash_attention_for_cpu(
        query, key, value, dropout_p, is_causal, attn_mask=attn_bias, scale=scale
    )
    no_seed = torch.empty(0, dtype=torch.int64)
    return output, log_sumexp, no_seed, no_seed.clone()


def _efficient_attention_backward(
    grad_out: Tensor,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_bias: Tensor | None,
    out: Tensor,
    logsumexp: Tensor,
    philox_seed: Tensor,
    philox_offset: Tensor,
    dropout_p: float,
    grad_input_mask: list[bool],
    is_causal: bool = False,
    *,
    scale: float | None = None,
) -> tuple[Tensor | None, ...]:
    grads = aten._scaled_dot_product_flash_attention_for_cpu_backward(
        grad_out, query, key, value, out, logsumexp, dropout_p, is_causal, attn_mask=attn_bias, scale=scale
    )
    return (*grads, None)


def _cudnn_batch_norm(*args: Any, **kwargs: Any) -> tuple[Tensor, ...]:
    return (*aten.native_batch_norm(*args, **kwargs), torch.empty(0, dtype=torch.uint8))


KERNELS = {
    "_fused_sdp_choice": _attention_choice,
    "_scaled_dot_product_efficient_attention": _efficient_attention,
    "_scaled_dot_product_efficient_attention_backward": _efficient_attention_backward,
    "cudnn_batch_norm": _cudnn_batch_norm,
}
