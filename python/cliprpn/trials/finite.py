"""Stops training when a loss is not finite, without waiting for the device in every step."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from cliprpn.errors import CliprpnError
from cliprpn.features.frozen import FrozenFeatures
from cliprpn.inference.build import custom_fusion_file
from cliprpn.inference.fusion_errors import non_finite_line
from cliprpn.models import ClipRPN
from cliprpn.models.sharing import per_sentence
from cliprpn.trials.step_data import StepData

# Steps whose losses are read together. Reading waits for the device, which costs nothing on a CPU.
STEPS_PER_READ = {"cuda": 16}


class LossLog:
    """The losses of steps: read `num_steps` at once, checked and added up.

    Until they are read, training goes on. With the first loss that is not finite, the weights must stay those that made
    it (see `TrainingStep`), so that the batch can be run again to find the line of a custom fusion.
    """

    def __init__(self, model: ClipRPN, features: FrozenFeatures, device: torch.device) -> None:
        self.num_steps = STEPS_PER_READ.get(device.type, 1)
        self._model, self._features, self._device = model, features, device
        self._unread: list[tuple[Tensor, StepData]] = []
        self._num_read = 0
        self._sums = torch.zeros(2)

    def add(self, losses: Tensor, data: StepData, epoch: int) -> None:
        """Logs the losses of the next step; reads all of them if it is time to.

        Args:
            losses: [3], the objectness loss, the box loss and their sum.
            data: of the step.

        Raises:
            CliprpnError: loss_not_finite, as `read`.
        """
        self._unread.append((losses, data))
        if len(self._unread) == self.num_steps:
            self.read(epoch)

    def read(self, epoch: int) -> None:
        """Checks all losses since the last call.

        Raises:
            CliprpnError: loss_not_finite; with the line of a custom fusion that made the first NaN, if one did.
        """
        if not self._unread:
            return
        values = torch.stack([losses for losses, _ in self._unread]).cpu()
        for (objectness, box, total), (_, data) in zip(values, self._unread, strict=True):
            self._num_read += 1
            if not total.isfinite():
                place = self._non_finite_place(data)
                raise CliprpnError(
                    "loss_not_finite",
                    f"{'' if place is None else f'{place}: makes NaN or inf: '}epoch {epoch}, step {self._num_read}: "
                    f"objectness loss {objectness.item():g}, box loss {box.item():g}; try a lower "
                    "training.learning_rate",
                )
            self._sums += torch.stack([objectness, box]) * data.size
        self._unread.clear()

    def take_means(self, epoch: int, num_sentences: int) -> tuple[float, float]:
        """The means of both losses over an epoch, whose losses have been read; checks the weights, too.

        Raises:
            CliprpnError: loss_not_finite.
        """
        # The losses were finite, but the last step may still have broken the weights.
        finite = torch.stack([parameter.isfinite().all() for parameter in self._model.parameters()])
        if not finite.all():
            raise CliprpnError(
                "loss_not_finite",
                f"epoch {epoch}, step {self._num_read}: the weights are not finite; try a lower "
                "training.learning_rate",
            )
        objectness, box = (self._sums / num_sentences).tolist()
        self._sums.zero_()
        return objectness, box

    def state(self) -> dict[str, Any]:
        """Of a log whose losses have been read, for a checkpoint."""
        return {"num_read": self._num_read, "sums": self._sums.clone()}

    def load_state(self, state: dict[str, Any]) -> None:
        """Sets what `state` returned."""
        self._num_read = int(state["num_read"])
        self._sums.copy_(state["sums"])

    def _non_finite_place(self, data: StepData) -> str | None:
        path = custom_fusion_file(self._model.fusion_module)
        if path is None:
            return None
        for part in data.micro_batches:
            feature_map, words, mask, pooled, *_ = self._features.read(part.rows, self._device)
            with torch.no_grad():
                mapped = feature_map if self._model.neck is None else self._model.neck(feature_map)
            inputs = (per_sentence(mapped, part.rows.map_of), words, mask, pooled)
            place = non_finite_line(self._model.fusion_module, path, inputs)
            if place is not None:
                return place
        return None
