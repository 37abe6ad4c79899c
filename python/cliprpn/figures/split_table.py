"""What all configurations share: the referring expressions of a split."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cliprpn.data.read_predictions import read_predictions
from cliprpn.metrics import pair_rows
from cliprpn.statistics import ImageGroups


@dataclass(frozen=True)
class SplitTable:
    """The expressions that every configuration was evaluated on, a row each.

    Attributes:
        split: its name.
        sent_id: [S].
        image_id: [S].
        pairs: [P, 2], rows of the two expressions of each minimal pair.
        width: [S], pixels of the original image.
        height: [S].
        gt_box_xyxy: [S, 4], pixels of the original image.
        num_same_category: [S], objects of the target's category in the image; 0 if unknown.
        sentence: [S], str.
        category: [S], str; empty if unknown.
        stratum: [S], str, or None without a subset.
        image_file: [S], str, relative to the folder of the images.
        upright: [S], True if boxes are in the frame of the image after its EXIF rotation.
        groups: the image of each row.
    """

    split: str
    sent_id: NDArray
    image_id: NDArray
    pairs: NDArray
    width: NDArray
    height: NDArray
    gt_box_xyxy: NDArray
    num_same_category: NDArray
    sentence: NDArray
    category: NDArray
    stratum: NDArray
    image_file: NDArray
    upright: NDArray
    groups: ImageGroups

    @cached_property
    def sha256(self) -> str:
        """Hash of all expressions and what is known of them."""
        digest = hashlib.sha256()
        for name, values in vars(self).items():
            if isinstance(values, np.ndarray):
                content = values.tolist() if values.dtype == object else [values.tobytes().hex()]
                digest.update(json.dumps([name, content]).encode())
        return digest.hexdigest()


def read_split_table(file: Path, split: str) -> SplitTable:
    """Reads the shared columns from the predictions of any configuration.

    Raises:
        CliprpnError: not_found, data_invalid, bad_input.
    """
    columns = read_predictions(file, ("iou",))
    return SplitTable(
        split=split,
        sent_id=columns["sent_id"],
        image_id=columns["image_id"],
        pairs=pair_rows(columns["pair_id"]),
        width=columns["width"],
        height=columns["height"],
        gt_box_xyxy=columns["gt_box_xyxy"],
        num_same_category=columns["num_same_category"],
        sentence=columns["sentence"],
        category=columns["category"],
        stratum=columns["stratum"],
        image_file=columns["image_file"],
        upright=columns["upright"],
        groups=ImageGroups(columns["image_id"]),
    )
