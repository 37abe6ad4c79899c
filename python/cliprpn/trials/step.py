"""One training step: forward, losses, backward, update. On an accelerator the host does not wait for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from cliprpn.contract.generated import Training
from cliprpn.models import ClipRPN
from cliprpn.models.rpn import AnchorTargets, BatchTotals
from cliprpn.trials.precision import choose_precision, make_compute


@dataclass(frozen=True)
class StepInputs:
    """All that a step depends on besides the weights, on the device.

    Attributes:
        features: arguments of `ClipRPN.forward`.
        targets: of the same B sentences.
        negatives: boxes [B, M, 4] and mask [B, M]; None if they have no loss.
    """

    features: tuple[Tensor, ...]
    targets: AnchorTargets
    negatives: tuple[Tensor, Tensor] | None

    @property
    def shapes(self) -> tuple[torch.Size, ...]:
        """The shapes of all tensors."""
        return tuple(tensor.shape for tensor in self._tensors)

    def clone(self) -> StepInputs:
        """Copies of all tensors."""
        targets, negatives = self.targets, self.negatives
        return StepInputs(
            tuple(part.clone() for part in self.features),
            AnchorTargets(targets.positive.clone(), targets.negative.clone(), targets.deltas.clone()),
            None if negatives is None else (negatives[0].clone(), negatives[1].clone()),
        )

    def copy_from(self, other: StepInputs) -> None:
        """Copies values of the same shapes, in one launch for each type."""
        pairs = [*zip(self._tensors, other._tensors, strict=True)]
        for dtype in {tensor.dtype for tensor, _ in pairs}:
            same = [pair for pair in pairs if pair[0].dtype == dtype]
            torch._foreach_copy_([target for target, _ in same], [source for _, source in same])

    @property
    def _tensors(self) -> list[Tensor]:
        targets = self.targets
        return [*self.features, targets.positive, targets.negative, targets.deltas, *(self.negatives or ())]


class TrainingStep:
    """Updates a model by one batch.

    Args:
        optimizer: fused, if `skip_not_finite`.
        generator: for sampling anchors.
        skip_not_finite: from the first loss that is not finite, steps leave the weights as they are, as with torch's
            GradScaler: a flag on the device makes the fused optimizer skip them. So losses can be read later.

    Attributes:
        input_dtype: of the features in a step's inputs.

    Raises:
        CliprpnError: bad_input, if the device cannot train with the precision of the settings.
    """

    def __init__(
        self,
        model: ClipRPN,
        optimizer: torch.optim.Optimizer,
        settings: Training,
        generator: torch.Generator,
        skip_not_finite: bool,
    ) -> None:
        self.optimizer, self.generator, self.device = optimizer, generator, generator.device
        self.model, self._settings = model, settings
        self._compute = make_compute(model, choose_precision(settings, self.device))
        self.input_dtype = self._compute.input_dtype
        self._one = torch.ones((), device=self.device)
        self._found_inf = torch.zeros((), device=self.device) if skip_not_finite else None
        if skip_not_finite:
            optimizer.found_inf = self._found_inf  # type: ignore[attr-defined]  # as GradScaler sets it

    def __call__(self, inputs: StepInputs, rate: float | Tensor, log: Callable[[Tensor], None]) -> None:
        """Runs the step.

        Args:
            rate: the learning rate; a tensor on the device, if the step is captured.
            log: gets the objectness loss, the box loss and their sum, [3]; if it raises, the weights stay as they are.
        """
        self.set_rate(rate)
        total, losses = self.forward(inputs)
        log(losses)
        self.update(total)

    def set_rate(self, rate: float | Tensor) -> None:
        """Sets the learning rate."""
        for group in self.optimizer.param_groups:
            group["lr"] = rate

    def forward(self, inputs: StepInputs, totals: BatchTotals | None = None) -> tuple[Tensor, Tensor]:
        """The loss, and [3]: objectness loss, box loss and their sum, detached.

        Args:
            totals: of the batch that the inputs are a part of.
        """
        with self._compute.forward():
            outputs = self.model(*inputs.features)
        objectness, box = self.model.losses(outputs, inputs.targets, self.generator, inputs.negatives, totals)
        total = objectness + box
        losses = torch.stack([objectness, box, total]).detach()
        if self._found_inf is not None:
            # As GradScaler does it, in one launch: 1 if a loss is not finite, and else unchanged.
            torch._amp_foreach_non_finite_check_and_unscale_([losses], self._found_inf, self._one)
        return total, losses

    def update(self, loss: Tensor) -> None:
        """Backward, clipping, optimizer."""
        self.optimizer.zero_grad(set_to_none=True)
        self.backward(loss)
        self.apply()

    def backward(self, loss: Tensor) -> None:
        """Adds the gradients of a loss to those of the weights."""
        loss.backward()
        self._compute.collect_gradients()

    def apply(self) -> None:
        """Clipping and optimizer."""
        if self._settings.grad_clip_norm is not None:
            torch.nn.utils.clip_grad_norm_(self.model.parameters(), self._settings.grad_clip_norm)
        self.optimizer.step()
