"""Operators that only CUDA has, computed by their CPU equivalents.

Attention: without a driver, torch finds no fused kernel for CUDA, and takes products and a softmax: more launches, and
sums in another order than in the CPU's fused kernel.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import pad

from fakecuda.tensor import CudaTensor

aten = torch.ops.aten
# Of torch.nn.attention.SDPBackend: neither flash nor efficient attention.
MATH = 0
# In elements; as in the preprocessing of masks by torch's attention.cpp.
BIAS_ALIGNMENT = 8


def choose_attention(of_torch: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """scaled_dot_product_attention with a fused kernel on the device where the CPU has one.

    On CUDA, that is memory-efficient attention, which alone takes masks and float32. With dropout, the CPU has none.
    """

    def attention(
        query: Tensor,
        key: Tensor,
        value: Tensor,
        attn_mask: Tensor | None = None,
        dropout_p: float = 0.0,
        is_causal: bool = False,
        scale: float | None = None,
        enable_gqa: bool = False,
    ) -> Tensor:
        parts = (query, key, value, attn_mask)
        options = {"scale": scale, "enable_gqa": enable_gqa}
        if query.is_cuda:
            numbers = [part.numbers if isinstance(part, CudaTensor) else part for part in parts]
            if aten._fused_sdp_choice(*numbers, dropout_p, is_causal, **options) != MATH:
                bias = attn_mask
                if attn_mask is not None and attn_mask.dtype == torch.bool:
                    bias = torch.where(attn_mask, 0.0, float("-inf")).to(query.dtype)
                if bias is not None:
                    bias = _aligned(bias)
                needs_gradient = any(part.requires_grad for part in (query, key, value))
                return aten._scaled_dot_product_efficient_attention(
                    query, key, value, bias, needs_gradient, 0.0, is_causal, scale=scale
                )[0]
        return of_torch(*parts, dropout_p, is_causal, **options)

    return attention


def _aligned(bias: Tensor) -> Tensor:
    """Padded as by torch, if rows do not start at addresses that the kernel reads from."""
    if all(stride % BIAS_ALIGNMENT == 0 for stride in bias.stride()[:-1]):
        return bias
    length = bias.shape[-1]
    return pad(bias, (0, -length % BIAS_ALIGNMENT))[..., :length]


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
    output = (
        output.transpose(1, 2).contiguous().transpose(1, 2)
    )  # CUDA's layout: heads of a token are adjacent.
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


def _cudnn_batch_norm_backward(
    images: Tensor,
    grad_out: Tensor,
    weight: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    save_mean: Tensor | None,
    save_var: Tensor | None,
    epsilon: float,
    reserve: Tensor,
) -> tuple[Tensor, ...]:
    statistics = (running_mean, running_var, save_mean, save_var)
    return aten.native_batch_norm_backward(
        grad_out, images, weight, *statistics, True, epsilon, [True, True, True]
    )


KERNELS = {
    "_scaled_dot_product_efficient_attention": _efficient_attention,
    "_scaled_dot_product_efficient_attention_backward": _efficient_attention_backward,
    "cudnn_batch_norm": _cudnn_batch_norm,
    "cudnn_batch_norm_backward": _cudnn_batch_norm_backward,
}
