"""Boxes that need no detector: the annotated ones, the ceiling of all proposals, and the whole image, the floor."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pyarrow.compute as pc
import torch

from cliprpn.data.index import DatasetIndex
from cliprpn.detectors.proposals import Proposals, proposals
from cliprpn.errors import CliprpnError


def gt_boxes(index: DatasetIndex, image_rows: Iterable[int]) -> list[Proposals]:
    """All annotated objects of each image, in the order of their ids; none where it has none.

    Raises:
        CliprpnError: data_invalid, where nobody tells how large the images are.
    """
    sizes = image_sizes(index)
    objects = index.objects.sort_by("ann_id")
    ids = index.images["image_id"].combine_chunks()
    own = pc.index_in(objects["image_id"].combine_chunks(), value_set=ids).fill_null(-1).to_numpy()
    order = np.argsort(own, kind="stable")
    boxes = torch.tensor(pc.list_flatten(objects["box_xyxy"]).to_numpy()).reshape(-1, 4)
    names = [name or "" for name in objects["category"].to_pylist()]
    found = []
    for row in image_rows:
        start, end = np.searchsorted(own[order], [row, row + 1])
        some = order[start:end]
        found.append(proposals(boxes[some], torch.ones(len(some)), [names[i] for i in some], *sizes[row]))
    return found


def whole_images(index: DatasetIndex, image_rows: Iterable[int]) -> list[Proposals]:
    """One box each: the image.

    Raises:
        CliprpnError: data_invalid, where nobody tells how large the images are.
    """
    sizes = image_sizes(index)
    return [
        proposals(torch.tensor([[0, 0, *sizes[row]]]), torch.ones(1), [""], *sizes[row]) for row in image_rows
    ]


def image_sizes(index: DatasetIndex) -> list[tuple[int, int]]:
    """Width and height of every image, in pixels.

    Raises:
        CliprpnError: data_invalid, where nobody tells.
    """
    widths, heights = (index.images[key].to_pylist() for key in ("width", "height"))
    if None in widths or None in heights:
        raise CliprpnError(
            "data_invalid",
            f"{index.root}: expected the size of every image; prepare the data set with images",
        )
    return list(zip(widths, heights, strict=True))
