"""Operators that CUDA refuses in deterministic mode, `torch.use_deterministic_algorithms(True)`.

They are those in this function's documentation; test_cuda_determinism.py compares it with that of the installed torch.
The names in messages are those in libtorch_cuda.so of torch 2.14. Matrix products are not among them: since torch gives
cuBLAS a workspace for each stream (pytorch/pytorch#161749), it does not ask for CUBLAS_WORKSPACE_CONFIG.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import torch

# `mode` of aten's embedding_bag.
MAX_OF_BAG = 2

# By name in aten, the name in CUDA's message. "backward" operators are refused in training only.
REFUSED = {
    "_adaptive_avg_pool2d_backward": "adaptive_avg_pool2d_backward_cuda",
    "_adaptive_avg_pool3d_backward": "adaptive_avg_pool3d_backward_cuda",
    "_ctc_loss_backward": "ctc_loss_backward_gpu",
    "_embedding_bag_backward": "embedding_bag_backward_cuda_max",
    "_upsample_bicubic2d_aa_backward": "upsample_gen2d_backward_out_cuda",
    "_upsample_bilinear2d_aa_backward": "upsample_gen2d_backward_out_cuda",
    "adaptive_max_pool2d_backward": "adaptive_max_pool2d_backward_cuda",
    "adaptive_max_pool3d_backward": "adaptive_max_pool3d_backward_cuda",
    "avg_pool3d_backward": "avg_pool3d_backward_cuda",
    "bincount": "_bincount_cuda",
    "fractional_max_pool2d_backward": "fractional_max_pool2d_backward_cuda",
    "fractional_max_pool3d_backward": "fractional_max_pool3d_backward_cuda",
    "grid_sampler_2d_backward": "grid_sampler_2d_backward_cuda",
    "grid_sampler_3d_backward": "grid_sampler_3d_backward_cuda",
    "histc": "_histc_cuda with floating point input",
    "max_unpool2d": "max_unpooling2d_forward_out",
    "max_unpool3d": "max_unpooling3d_forward_out",
    "median": "median CUDA with indices output",
    "nanmedian": "median CUDA with indices output",
    "nll_loss2d_forward": "nll_loss2d_forward_out_cuda_template",
    "put_": "put_",
    "reflection_pad1d_backward": "reflection_pad1d_backward_out_cuda",
    "reflection_pad2d_backward": "reflection_pad2d_backward_cuda",
    "reflection_pad3d_backward": "reflection_pad3d_backward_out_cuda",
    "scatter_reduce": "scatter_reduce_cuda_prod_",
    "scatter_reduce_": "scatter_reduce_cuda_prod_",
    "upsample_bicubic2d_backward": "upsample_bicubic2d_backward_out_cuda",
    "upsample_bilinear2d_backward": "upsample_bilinear2d_backward_out_cuda",
    "upsample_linear1d_backward": "upsample_linear1d_backward_out_cuda",
    "upsample_trilinear3d_backward": "upsample_trilinear3d_backward_out_cuda",
}
# For these, only with some arguments.
CONDITIONS: dict[str, Callable[[Callable[[str], Any]], bool]] = {
    "_embedding_bag_backward": lambda get: get("mode") == MAX_OF_BAG,
    "bincount": lambda get: get("weights") is not None,
    "histc": lambda get: get("self").is_floating_point(),
    "median": lambda get: get("dim") is not None,
    "nanmedian": lambda get: get("dim") is not None,
    "scatter_reduce": lambda get: get("reduce") == "prod",
    "scatter_reduce_": lambda get: get("reduce") == "prod",
}


def check_determinism(func: Any, name: str, args: Any, kwargs: Any) -> None:
    """Refuses an operator in deterministic mode, or warns with `warn_only`.

    Raises:
        RuntimeError: as CUDA does.
    """
    if name not in REFUSED or not torch.are_deterministic_algorithms_enabled():
        return
    if not CONDITIONS.get(name, lambda get: True)(lambda argument: _argument(func, argument, args, kwargs)):
        return
    message = f"{REFUSED[name]} does not have a deterministic implementation, but you set "
    if torch.is_deterministic_algorithms_warn_only_enabled():
        warnings.warn(f"{message}'torch.use_deterministic_algorithms(True, warn_only=True)'.", stacklevel=2)
    else:
        raise RuntimeError(f"{message}'torch.use_deterministic_algorithms(True)'.")


def _argument(func: Any, name: str, args: Any, kwargs: Any) -> Any:
    """An operator's argument, or its default; None if it has no such argument."""
    for position, argument in enumerate(func._schema.arguments):
        if argument.name == name:
            return args[position] if position < len(args) else kwargs.get(name, argument.default_value)
    return None
