"""Deterministic mode: what CUDA refuses there, and that our trials need none of it."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from helpers import file_fusion, make_spec
from torch import Tensor
from torch.nn import functional

from cliprpn.contract.generated import CompletedOutcome, FailedOutcome
from cliprpn.trials.trial import run_trial

Call = Callable[[Tensor], Tensor]


def interpolate(shape: tuple[int, ...], mode: str) -> Call:
    return lambda x: functional.interpolate(x.expand(shape), scale_factor=2.0, mode=mode)


def upsample(shape: tuple[int, ...], operator: Callable[..., Tensor]) -> Call:
    """As `interpolate`, which uses other operators in deterministic mode for some modes."""
    return lambda x: operator(x.expand(shape), None, False, [2.0] * (len(shape) - 2))


def pad(dims: int) -> Call:
    return lambda x: functional.pad(x.expand(2, 2, *[4] * dims), [1] * 2 * dims, mode="reflect")


# All operators of the documentation of `use_deterministic_algorithms` that CUDA refuses, for a tensor [4] of floats; if
# they are refused in backward only, the result of the call can be differentiated.
FORWARD: dict[str, Call] = {
    "torch.nn.MaxUnpool1d": lambda x: functional.max_unpool1d(
        x[None], torch.arange(4, device=x.device)[None], 1
    ),
    "torch.nn.MaxUnpool2d": lambda x: functional.max_unpool2d(
        x.view(1, 1, 2, 2), torch.arange(4, device=x.device).view(1, 1, 2, 2), 1
    ),
    "torch.nn.MaxUnpool3d": lambda x: functional.max_unpool3d(
        x.view(1, 1, 1, 2, 2), torch.arange(4, device=x.device).view(1, 1, 1, 2, 2), 1
    ),
    "torch.nn.NLLLoss": lambda x: functional.nll_loss(
        x.view(1, 4, 1, 1), torch.zeros_like(x[:1]).long()[:, None, None]
    ),
    "torch.Tensor.put_ accumulate=False": lambda x: x.detach().put_(
        torch.zeros_like(x).long(), x.detach() + 1
    ),
    "torch.Tensor.put_ accumulate=True": lambda x: x.detach().put_(
        torch.zeros_like(x).long(), x.detach() + 1, accumulate=True
    ),
    "torch.histc": lambda x: torch.histc(x.detach(), 3),
    "torch.bincount": lambda x: torch.bincount(x.detach().long(), x.detach()),
    "torch.median": lambda x: torch.median(x, dim=0).values,
    "torch.Tensor.scatter_reduce": lambda x: x.scatter_reduce(0, torch.zeros_like(x).long(), x, "prod"),
}
BACKWARD: dict[str, Call] = {
    "torch.nn.AvgPool3d": lambda x: functional.avg_pool3d(x.expand(1, 4, 4, 4), 2),
    "torch.nn.AdaptiveAvgPool2d": lambda x: functional.adaptive_avg_pool2d(x.expand(1, 4, 4), 3),
    "torch.nn.AdaptiveAvgPool3d": lambda x: functional.adaptive_avg_pool3d(x.expand(1, 4, 4, 4), 3),
    "torch.nn.AdaptiveMaxPool2d": lambda x: functional.adaptive_max_pool2d(x.expand(1, 4, 4), 3),
    "torch.nn.FractionalMaxPool2d": lambda x: functional.fractional_max_pool2d(x.expand(1, 4, 4), 2, 2),
    "torch.nn.FractionalMaxPool3d": lambda x: functional.fractional_max_pool3d(x.expand(1, 4, 4, 4), 2, 2),
    "torch.nn.functional.interpolate linear": interpolate((1, 1, 4), "linear"),
    "torch.nn.functional.interpolate bilinear": upsample((1, 1, 4, 4), torch._C._nn.upsample_bilinear2d),
    "torch.nn.functional.interpolate bicubic": interpolate((1, 1, 4, 4), "bicubic"),
    "torch.nn.functional.interpolate trilinear": upsample((1, 1, 4, 4, 4), torch._C._nn.upsample_trilinear3d),
    "torch.nn.ReflectionPad1d": pad(1),
    "torch.nn.ReflectionPad2d": pad(2),
    "torch.nn.ReflectionPad3d": pad(3),
    "torch.nn.CTCLoss": lambda x: torch.ops.aten._ctc_loss(
        x.view(4, 1, 1).expand(4, 1, 3).log_softmax(2),
        torch.ones(1, 2, dtype=torch.long, device=x.device),
        (4,),
        (2,),
    )[0],
    "torch.nn.EmbeddingBag": lambda x: functional.embedding_bag(
        torch.zeros(1, 1, dtype=torch.long, device=x.device), x.view(2, 2), mode="max"
    ),
    "torch.nn.functional.grid_sample": lambda x: functional.grid_sample(
        x.view(1, 1, 2, 2), torch.zeros(1, 2, 2, 2, device=x.device), align_corners=False
    ),
}
# Of the documentation's list; it is no operator of CUDA.
OF_QUANTIZED_TENSORS = "torch.Tensor.resize_"
REFUSED = {**FORWARD, **BACKWARD}


def run(call: Call, device: torch.device) -> None:
    leaf = torch.arange(4.0, device=device).requires_grad_()
    result = call(leaf)
    if result.requires_grad:
        result.sum().backward()


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_documented_is_refused_in_deterministic_mode(device: torch.device, case: str) -> None:
    run(REFUSED[case], device)
    torch.use_deterministic_algorithms(True)
    if case in BACKWARD:
        with torch.no_grad():
            run(REFUSED[case], device)
    with pytest.raises(RuntimeError, match="does not have a deterministic implementation, but you set"):
        run(REFUSED[case], device)


def test_the_list_is_that_of_the_documentation() -> None:
    """A newer torch may have another one: then change the cases, and fakecuda/determinism.py."""
    text = torch.use_deterministic_algorithms.__doc__ or ""
    start = text.index("The following normally-nondeterministic operations will throw a")
    end = text.index("In addition, several operations fill")
    documented = set(re.findall(r"\* :(?:class|func):`([\w.]+)`", text[start:end]))
    assert documented == {case.split()[0] for case in REFUSED} | {OF_QUANTIZED_TENSORS}
    modes = set(re.findall(r"- ``(\w+)``", text[start:end]))
    assert modes == {case.split()[1] for case in REFUSED if "interpolate" in case}


PERMITTED: dict[str, Call] = {
    "sums of rows": lambda x: x.index_add(0, torch.zeros_like(x).long(), x),
    "scatter_add": lambda x: x.scatter_add(0, torch.zeros_like(x).long(), x),
    "cumsum": lambda x: x.cumsum(0),
    "indexing": lambda x: x[torch.zeros_like(x).long()],
    "index_select": lambda x: x.index_select(0, torch.zeros_like(x).long()),
    "embedding": lambda x: functional.embedding(torch.zeros_like(x).long(), x[:, None]),
    "median without indices": lambda x: x.median(),
    "bincount without weights": lambda x: x.detach().long().bincount(),
    "scatter_reduce with a sum": lambda x: x.scatter_reduce(0, torch.zeros_like(x).long(), x, "sum"),
    "nll_loss": lambda x: functional.nll_loss(x.view(2, 2), torch.zeros_like(x[:2]).long()),
    "max_pool2d": lambda x: functional.max_pool2d(x.expand(1, 4, 4), 2),
    "interpolate nearest": interpolate((1, 1, 4, 4), "nearest"),
    "matrix product": lambda x: x.view(2, 2) @ x.view(2, 2),
    "attention": lambda x: functional.scaled_dot_product_attention(*[x.view(1, 1, 1, 4)] * 3),
}


@pytest.mark.parametrize("case", PERMITTED)
def test_other_operators_are_permitted(device: torch.device, case: str) -> None:
    torch.use_deterministic_algorithms(True)
    run(PERMITTED[case], device)


def test_warn_only_warns(device: torch.device) -> None:
    torch.use_deterministic_algorithms(True, warn_only=True)
    with pytest.warns(UserWarning, match="_histc_cuda.* does not have a deterministic implementation"):
        torch.histc(torch.arange(4.0, device=device), 3)


FUSIONS: dict[str, dict[str, Any]] = {
    "words": {"kind": "switched", "text": "words", "interaction": "multiplicative", "coordinates": "on"},
    "pooled": {"kind": "switched", "text": "pooled", "interaction": "additive", "coordinates": "off"},
    "concatenation": {"kind": "concatenation"},
    "cross attention": {"kind": "cross_attention"},
}
NONDETERMINISTIC = """import torch

class Mine(torch.nn.Module):
    def __init__(self, map_channels, pooled_dim, word_dim):
        super().__init__()
        self.text = torch.nn.Linear(pooled_dim, map_channels)

    def forward(self, map, words, mask, pooled):
        coarse = torch.nn.functional.adaptive_avg_pool2d(map, 2)
        coarse = torch.nn.functional.interpolate(coarse, size=map.shape[2:])
        return map * self.text(pooled)[:, :, None, None] + coarse
"""


@pytest.mark.parametrize("fusion", FUSIONS)
def test_trials_of_all_fusions_need_nothing_that_is_refused(
    root: Path, tmp_path: Path, device: torch.device, fusion: str
) -> None:
    """Presets, views, negatives, rankings and evaluation: see test_results_equal_the_cpus.py; they are strict, too."""
    spec = make_spec(root, root / "cache", fusion=FUSIONS[fusion], training={"num_epochs": 1})
    assert spec.settings.training.deterministic
    outcome = run_trial(
        spec.model_copy(update={"device": str(device)}), tmp_path / "trial", lambda event: None, lambda: False
    )
    assert isinstance(outcome, CompletedOutcome), outcome
    assert torch.are_deterministic_algorithms_enabled()
    assert not torch.is_deterministic_algorithms_warn_only_enabled()


def test_a_fusion_with_a_nondeterministic_operator_fails_with_advice(
    root: Path, tmp_path: Path, device: torch.device
) -> None:
    fusion = file_fusion(tmp_path / "mine.py", NONDETERMINISTIC, "Mine")
    outcomes = []
    for deterministic in (True, False):
        training = {"num_epochs": 1, "deterministic": deterministic}
        spec = make_spec(root, root / "cache", fusion=fusion, training=training)
        spec = spec.model_copy(update={"device": str(device)})
        outcomes.append(run_trial(spec, tmp_path / str(deterministic), lambda event: None, lambda: False))
    refused, completed = outcomes
    assert isinstance(refused, FailedOutcome) and isinstance(completed, CompletedOutcome)
    assert "adaptive_avg_pool2d_backward_cuda" in refused.error.message
    assert "training.deterministic" in refused.error.message
