"""The predictions of a configuration: one run per seed."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cliprpn.contract.generated import TrialGroup
from cliprpn.data.predictions import PredictionColumns, predictions_file
from cliprpn.data.read_predictions import column_names, read_numbers
from cliprpn.errors import CliprpnError
from cliprpn.figures.split_table import SplitTable
from cliprpn.metrics import HIT_IOU

# Versions may round boxes of the annotations differently.
SAME_BOX_PX = 0.5


class Runs:
    """Predictions of all seeds of a configuration, read column by column as needed.

    Attributes:
        group: the configuration.
        files: the predictions of each seed.
        has_seeds: whether another run, such as training again, gives another result.
    """

    def __init__(self, group: TrialGroup, split: str) -> None:
        self.group = group
        self.files = [predictions_file(Path(trial.predictions_dir), split) for trial in group.trials]
        self.has_seeds = group.kind == "cliprpn" or (group.repeats is not None and len(group.trials) > 1)
        self._columns: dict[str, NDArray] = {}

    @property
    def seeds(self) -> list[int]:
        """The seed of each run."""
        return [trial.seed for trial in self.group.trials]

    def has(self, name: str) -> bool:
        """Whether there is such a column: answers of outside models have one box, and often no score.

        Raises:
            CliprpnError: not_found, data_invalid, bad_input.
        """
        return self.group.kind != "results" or name in self._shared_columns

    @cached_property
    def _shared_columns(self) -> set[str]:
        """The columns that all files have."""
        return set.intersection(*(set(column_names(file)) for file in self.files))

    def scores(self) -> NDArray:
        """The scores of the boxes: [R, S]; all 0 if there are none."""
        return self.column("objectness") if self.has("objectness") else np.zeros_like(self.column("iou"))

    def read(self, *names: str) -> None:
        """Reads several columns at once.

        Raises:
            CliprpnError: not_found, data_invalid, bad_input.
        """
        missing = tuple(name for name in names if name not in self._columns)
        if not missing:
            return
        runs = [read_numbers(file, missing) for file in self.files]
        for name in missing:
            self._columns[name] = np.stack([run[name] for run in runs])

    def column(self, name: str) -> NDArray:
        """A column of all runs: [R, S], or [R, S, 4] for boxes.

        Raises:
            CliprpnError: not_found, data_invalid, bad_input.
        """
        self.read(name)
        return self._columns[name]

    def forget(self) -> None:
        """Frees the memory of the columns; they are read again if needed."""
        self._columns.clear()

    def hits(self) -> NDArray[np.bool_]:
        """[R, S], whether the IoU is at least 0.5."""
        return self.column("iou") >= HIT_IOU

    def check_sentences(self, table: SplitTable, like: str) -> None:
        """
        Args:
            like: the configuration that the table was read from.

        Raises:
            CliprpnError: data_invalid, if a run has other expressions than the table, or another ground truth.
        """
        for file in self.files:
            found = read_numbers(file, ("sent_id", "image_id", "gt_box_xyxy"))
            different = _different(found, table)
            if different is not None:
                raise CliprpnError(
                    "data_invalid",
                    f"{self.group.label}: expected predictions for the same expressions as {like}, found {different} "
                    f"in {file}; evaluate both on the same dataset",
                )


def _different(found: PredictionColumns, table: SplitTable) -> str | None:
    """What differs from the expressions of the table; None if nothing does."""
    if len(found["sent_id"]) != len(table.sent_id):
        return f"{len(found['sent_id']):,} in place of {len(table.sent_id):,}"
    same_box = np.isclose(found["gt_box_xyxy"], table.gt_box_xyxy, rtol=0, atol=SAME_BOX_PX).all(axis=1)
    for name, differs in (
        ("sent_id", found["sent_id"] != table.sent_id),
        ("image", found["image_id"] != table.image_id),
        ("ground truth", ~same_box),
    ):
        if differs.any():
            first = int(np.argmax(differs))
            return f"another {name} in {differs.sum():,} of {len(differs):,} rows, first in row {first + 1}"
    return None
