"""Whether a CUDA device computes what the CPU computes: features, losses, gradients and boxes of one batch."""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from cliprpn.arithmetic import use_deterministic
from cliprpn.contract.generated import ClipRpnSpec, PreflightFigure, PreflightFinding
from cliprpn.data.index import DatasetIndex, open_dataset
from cliprpn.inference.build import build_model
from cliprpn.models import ClipRPN
from cliprpn.models.rpn import decode_boxes, rpn_losses, sample_anchors
from cliprpn.preflight.finding import failed, figure, not_checked, passed
from cliprpn.preflight.sample import extract_part, one_per_image, part_of, sample_images
from cliprpn.run_context import RunContext
from cliprpn.seeding import seed_everything
from cliprpn.storage.specs import Spec
from cliprpn.trials.precision import Bf16Compute, Compute, Precision, choose_precision
from cliprpn.trials.step_data import frame_targets

NUM_EXPRESSIONS = 16
CPU = torch.device("cpu")
# In float32, sums in another order differ by about 1e-6 of the result, and Winograd's convolutions by up to 1e-5. TF32,
# whose numbers have 11 bits, differs by 2e-4 or more: it must not pass.
FEATURES, GRADIENTS = 1e-4, 1e-4
LOSS = 2e-5
# Offsets are relative to the anchors, which are up to 512 px wide: 1e-5 of that.
BOXES_PX = 0.01
# bfloat16 has 8 bits, and its errors depend on the order of sums: the device may err half as much again as the CPU, and
# 1e-3 is no error.
BFLOAT16_FACTOR, BFLOAT16_FLOOR = 1.5, 1e-3

Inputs = tuple[Tensor, Tensor, Tensor, Tensor]


def check_parity(spec: Spec, scratch: Path, context: RunContext) -> PreflightFinding:
    """Computes one batch on both, with the same weights; the model gets the features of the CPU on both.

    In float32, and in bfloat16 if the trial trains in it; without dropout and augmentation.

    Args:
        scratch: an existing folder for temporary files.

    Raises:
        CliprpnError: data_invalid, fusion_invalid, interrupted, no_space, weights_*.
    """
    if not isinstance(spec, ClipRpnSpec):
        return not_checked("no trial of this experiment trains a model")
    if context.device.type != "cuda":
        return not_checked(f"no CUDA device: the checks ran on {context.device}")
    index = open_dataset(Path(spec.dataset.root), spec.dataset.id)
    part = part_of(
        index, sample_images(index, "train", NUM_EXPRESSIONS, spec.settings.limits.train), ("train",)
    )
    seed_everything(spec.seed, spec.num_threads)
    use_deterministic(spec.settings.training.deterministic, context.device)
    on_cpu, gt_boxes, model = _prepare(part, spec, scratch, replace(context, device=CPU))
    on_device, _, _ = _prepare(part, spec, scratch, context)
    targets = model.targets(gt_boxes)
    sampled = sample_anchors(targets.positive, targets.negative, model.rules)

    def compute(device: torch.device, precision: Precision = "fp32") -> Computed:
        return _compute(copy.deepcopy(model).to(device), on_cpu, gt_boxes, sampled, precision)

    expected, found = compute(CPU), compute(context.device)
    feature_error = max(_norm_error(a, b.cpu()) for a, b in zip(on_cpu, on_device, strict=True))
    figures = [
        figure("features, norm of the difference relative to the norm", feature_error, high=FEATURES),
        *_compare(expected, found),
    ]
    if choose_precision(spec.settings.training, context.device) == "bf16":
        on_both = [compute(device, "bf16") for device in (CPU, context.device)]
        figures += _compare_bfloat16(expected, *on_both)
    fix = "update the driver, and report this with the versions below: results of this device are not to be trusted"
    if not all(math.isfinite(each.value) for each in figures):
        names = ", ".join(each.name for each in figures if not math.isfinite(each.value))
        return failed(f"expected finite numbers on both, found inf or NaN: {names}", fix)
    wrong = [each for each in figures if each.high is not None and each.value > each.high]
    if not wrong:
        return passed(
            f"{spec.label}: features, losses, gradients and boxes of {len(gt_boxes)} expressions on {context.device} "
            "are those of the CPU within the tolerances below",
            figures,
        )
    return failed(
        "; ".join(
            f"{each.name}: expected at most {each.high:g} {each.unit}".rstrip() + f", found {each.value:.2g}"
            for each in wrong
        ),
        fix,
        figures,
    )


def _prepare(
    part: DatasetIndex, spec: ClipRpnSpec, scratch: Path, context: RunContext
) -> tuple[Inputs, Tensor, ClipRPN]:
    """A batch of features on the context's device; its ground truth, [B, 4], and a new model, both on the CPU."""
    rows = one_per_image(part, part.split("train"))
    features = extract_part(part, spec, scratch, context)
    sizes = (features.map_channels, features.pooled_dim, features.word_dim)
    seed_everything(spec.seed, spec.num_threads)
    model = build_model(spec.settings, *sizes).eval()
    return features.batch(rows, context.device), frame_targets(model, part, features, rows), model


@dataclass(frozen=True)
class Computed:
    """Results of a batch, on the CPU.

    Attributes:
        losses: [2], objectness and box.
        gradients: [P], of all parameters.
        boxes: [B, N, 4], decoded from all anchors, xyxy, pixels of the frame. (The best one of a new model is a tie.)
    """

    losses: Tensor
    gradients: Tensor
    boxes: Tensor


def _compute(
    model: ClipRPN, inputs: Inputs, gt_boxes: Tensor, sampled: Tensor, precision: Precision
) -> Computed:
    """On the model's device.

    Args:
        sampled: [B, N], bool: the anchors of a sampled loss; a generator of CUDA would draw others.
        precision: of the model; losses and boxes are computed in float32, as in training.
    """
    device = model.anchors.device
    compute = Bf16Compute(model) if precision == "bf16" else Compute()
    with compute.forward():
        outputs = model(*_inputs_on(device, inputs, compute.input_dtype))
    logits, deltas = (output.float() for output in outputs)
    targets = model.targets(gt_boxes.to(device))
    losses = torch.stack(rpn_losses(logits, deltas, targets, model.rules, sampled=sampled.to(device)))
    losses.sum().backward()
    compute.collect_gradients()
    gradients = [each.grad.flatten() for each in model.parameters() if each.grad is not None]
    boxes = decode_boxes(deltas.detach(), model.anchors)
    return Computed(losses.detach().cpu(), torch.cat(gradients).cpu(), boxes.cpu())


def _inputs_on(device: torch.device, inputs: Inputs, dtype: torch.dtype) -> Inputs:
    feature_map, words, mask, pooled = (each.to(device) for each in inputs)
    return feature_map.to(dtype), words.to(dtype), mask, pooled.to(dtype)


def _compare(expected: Computed, found: Computed) -> list[PreflightFigure]:
    """In float32."""
    return [
        figure("losses, relative difference", _relative(expected.losses, found.losses), high=LOSS),
        figure(
            "gradients, norm of the difference relative to the norm",
            _norm_error(expected.gradients, found.gradients),
            high=GRADIENTS,
        ),
        figure(
            "boxes, largest difference",
            float((expected.boxes - found.boxes).abs().max()),
            "px",
            high=BOXES_PX,
        ),
    ]


def _compare_bfloat16(expected: Computed, on_cpu: Computed, found: Computed) -> list[PreflightFigure]:
    """Errors of both in bfloat16, against float32 on the CPU."""
    parts = {
        "losses": lambda each: each.losses,
        "gradients": lambda each: each.gradients,
        "boxes": lambda each: each.boxes,
    }
    return [
        figure(
            f"{name} in bfloat16, norm of the error relative to the norm (CPU: {allowed:.2g})",
            _norm_error(part(expected), part(found)),
            high=max(BFLOAT16_FACTOR * allowed, BFLOAT16_FLOOR),
        )
        for name, part in parts.items()
        for allowed in [_norm_error(part(expected), part(on_cpu))]
    ]


def _norm_error(expected: Tensor, found: Tensor) -> float:
    """Norm of the difference, relative to the norm: a difference everywhere counts, one in a last bit does not."""
    expected, found = expected.double(), found.double()
    return float((expected - found).norm() / expected.norm().clamp(min=1e-12))


def _relative(expected: Tensor, found: Tensor) -> float:
    """Largest difference, relative to the largest absolute value."""
    expected, found = expected.double(), found.double()
    return float((expected - found).abs().max() / expected.abs().max().clamp(min=1e-12))
