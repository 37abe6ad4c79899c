"""Boxes that need no detector: annotated objects (the upper bound) and the whole image (the lower bound)."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pyarrow.compute as pc
import torch

from cliprpn.data.index import DatasetIndex
from cliprpn.detectors.proposals import Proposals, make_proposals
from cliprpn.errors import CliprpnError


def gt_boxes(index: DatasetIndex, image_rows: Iterable[int]) -> list[Proposals]:
    """All annotated objects of each image, ordered by annotation id; empty where an image has none.

    Raises:
        CliprpnError: data_invalid, if image sizes are unknown.
    """
    sizes = all_image_sizes(index)
    objects = index.objects.sort_by("ann_id")
    image_ids = index.images["image_id"].combine_chunks()
    image_of_object = pc.index_in(objects["image_id"].combine_chunks(), value_set=image_ids)
    image_of_object = image_of_object.fill_null(-1).to_numpy()
    order = np.argsort(image_of_object, kind="stable")
    boxes = torch.tensor(pc.list_flatten(objects["box_xyxy"]).to_numpy()).reshape(-1, 4)
    names = [name or "" for name in objects["category"].to_pylist()]
    proposals = []
    for row in image_rows:
        start, end = np.searchsorted(image_of_object[order], [row, row + 1])
        objects_i = order[start:end]
        names_i = [names[i] for i in objects_i]
        proposals.append(make_proposals(boxes[objects_i], torch.ones(len(objects_i)), names_i, *sizes[row]))
    return proposals


def whole_image_boxes(index: DatasetIndex, image_rows: Iterable[int]) -> list[Proposals]:
    """One box per image that covers the whole image.

    Raises:
        CliprpnError: data_invalid, if image sizes are unknown.
    """
    sizes = all_image_sizes(index)
    return [
        make_proposals(torch.tensor([[0, 0, *sizes[row]]]), torch.ones(1), [""], *sizes[row])
        for row in image_rows
    ]


def all_image_sizes(index: DatasetIndex) -> list[tuple[int, int]]:
    """Width and height of every image, in pixels.

    Raises:
        CliprpnError: data_invalid, if the dataset was prepared without images.
    """
    widths, heights = (index.images[key].to_pylist() for key in ("width", "height"))
    if None in widths or None in heights:
        raise CliprpnError(
            "data_invalid",
            f"{index.root}: expected the size of every image, found images without one; prepare the dataset "
            "with images",
        )
    return list(zip(widths, heights, strict=True))
