"""What is wrong with each first answer: one of seven exclusive classes.

The first rule that applies decides:

1. `hit`: IoU with the ground truth of at least 0.5.
2. `no_answer`: the box has no area, or the detector found nothing in the image.
3. The answer is assigned to the annotated object of the image with the highest IoU; among equals, to the object that
   the expression refers to, else to one of its category. `background` if that IoU is below 0.1; `unknown` instead if
   only objects with an expression are annotated, as another object may be there.
4. `loose_box`: it is the object that the expression refers to.
5. `wrong_category`: an object of another category. `wrong_instance`: another object of the same category. `unknown`:
   the category of one of them is not annotated.

The thresholds 0.1 and 0.5 are those of TIDE (Bolya et al. 2020), which classifies the errors of detectors alike.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from cliprpn.data.image_objects import ImageObjects
from cliprpn.data.index import DatasetIndex
from cliprpn.errors import CliprpnError
from cliprpn.figures.runs import Runs
from cliprpn.metrics import HIT_IOU

# The code of a class is its position.
ERROR_CLASSES = (
    "hit",
    "wrong_category",
    "wrong_instance",
    "loose_box",
    "background",
    "no_answer",
    "unknown",
)
HIT, WRONG_CATEGORY, WRONG_INSTANCE, LOOSE_BOX, BACKGROUND, NO_ANSWER, UNKNOWN = range(len(ERROR_CLASSES))
# Among objects with equal IoU, the one whose class comes last here decides.
CLASS_OF_RANK = np.array([UNKNOWN, WRONG_CATEGORY, WRONG_INSTANCE, LOOSE_BOX], dtype=np.int8)
ASSIGNED_IOU = 0.1


@dataclass(frozen=True)
class SplitObjects:
    """The annotated objects of each expression's image, one after the other; the first is the one referred to.

    Attributes:
        starts: [S], where the objects of each expression begin.
        counts: [S], their number.
        boxes: [4, P], float64, left, top, right and bottom, pixels of the original image.
        areas: [P], float64, square pixels.
        ranks: [P], int8, the class of a miss that is assigned to this object, as a position in `CLASS_OF_RANK`.
        far: the class of a miss that is assigned to no object.
    """

    starts: NDArray[np.int64]
    counts: NDArray[np.int64]
    boxes: NDArray[np.float64]
    areas: NDArray[np.float64]
    ranks: NDArray[np.int8]
    far: int


def split_objects(index: DatasetIndex, sent_ids: NDArray) -> SplitObjects:
    """The objects in the images of these expressions.

    Args:
        sent_ids: [S].

    Raises:
        CliprpnError: data_invalid, if the dataset lacks one of the expressions.
    """
    sentences = index.sentences
    found = pc.index_in(pa.array(sent_ids), value_set=sentences["sent_id"].combine_chunks())
    if found.null_count > 0:
        raise CliprpnError(
            "data_invalid",
            f"{index.root}: expected the expressions of the predictions, found {found.null_count} of {len(found)} "
            "missing; evaluate the trials on this dataset again",
        )
    rows = found.to_numpy().astype(np.int64)
    objects = ImageObjects(index)
    others = objects.others(rows)
    mask = others.mask  # [S, M]
    known_names = np.array([name != "" for name in objects.category_names])
    has_category = (sentences["category"].take(pa.array(rows)).to_numpy() != "")[:, None]
    ranks = np.where(others.same_category, 2, 1)
    ranks = np.where(has_category & known_names[others.categories], ranks, 0)
    # The object that is referred to comes first: [S, 1 + M].
    ones = np.ones((len(rows), 1), dtype=bool)
    mask = np.concatenate([ones, mask], axis=1)
    boxes = np.concatenate([index.gt_boxes[rows][:, None].astype(np.float64), others.boxes], axis=1)
    ranks = np.concatenate([ones * 3, ranks], axis=1).astype(np.int8)
    counts = mask.sum(axis=1)
    flat = np.ascontiguousarray(boxes[mask].T)
    return SplitObjects(
        starts=np.cumsum(counts) - counts,
        counts=counts,
        boxes=flat,
        areas=(flat[2] - flat[0]) * (flat[3] - flat[1]),
        ranks=ranks[mask],
        far=BACKGROUND if _annotates_others(index) else UNKNOWN,
    )


def classify(
    boxes: NDArray, iou: NDArray, num_boxes: NDArray | None, objects: SplitObjects
) -> NDArray[np.int8]:
    """The class of each answer: [R, S], positions in `ERROR_CLASSES`.

    Args:
        boxes: [R, S, 4], xyxy, pixels of the original image; R runs.
        iou: [R, S], with the ground truth.
        num_boxes: [R, S], boxes that the detector found; None without a detector.
    """
    no_answer = (boxes[..., 2] <= boxes[..., 0]) | (boxes[..., 3] <= boxes[..., 1])
    if num_boxes is not None:
        no_answer |= num_boxes == 0
    classes = np.stack([_assign(boxes_i, iou_i, objects) for boxes_i, iou_i in zip(boxes, iou, strict=True)])
    classes[no_answer] = NO_ANSWER
    classes[iou >= HIT_IOU] = HIT
    return classes


def classify_runs(runs: Runs, objects: SplitObjects) -> NDArray[np.int8]:
    """The class of each answer of a configuration: [R, S].

    Raises:
        CliprpnError: not_found, data_invalid, bad_input.
    """
    num_boxes = runs.column("num_boxes") if runs.group.kind == "baseline" else None
    return classify(runs.column("pred_box_xyxy"), runs.column("iou"), num_boxes, objects)


def example_rows(
    classes: NDArray[np.int8], scores: NDArray, sent_ids: NDArray, images: NDArray, code: int
) -> list[int]:
    """Rows that have a class in the first run, one per image: those of most runs first, then those with the highest
    score, as confident errors say the most about a model.

    Args:
        classes: [R, S].
        scores: [S], of the first run.
        sent_ids: [S], decide among equals.
        images: [S].
        code: the class.
    """
    rows = np.flatnonzero(classes[0] == code)
    share = (classes[:, rows] == code).mean(axis=0)
    rows = rows[np.lexsort((sent_ids[rows], -scores[rows], -share))]
    _, first = np.unique(images[rows], return_index=True)
    return rows[np.sort(first)].tolist()


def _annotates_others(index: DatasetIndex) -> bool:
    """Whether the dataset has an object that no expression refers to."""
    referred = pc.is_in(index.objects["ann_id"], value_set=index.sentences["ann_id"].combine_chunks())
    return not bool(pc.all(referred).as_py())


def _assign(boxes: NDArray, iou: NDArray, objects: SplitObjects) -> NDArray[np.int8]:
    """The class of each answer if it is a miss: [S].

    Args:
        boxes: [S, 4], xyxy.
        iou: [S], with the ground truth.
    """
    left, top, right, bottom = boxes.T.astype(np.float64)  # [S] each
    areas = (right - left) * (bottom - top)
    object_left, object_top, object_right, object_bottom = objects.boxes  # [P] each

    def to_objects(values: NDArray) -> NDArray:
        return np.repeat(values, objects.counts)  # [S] to [P]

    # In place, as arrays of this size cost more to allocate than to compute.
    width = to_objects(right)
    np.minimum(width, object_right, out=width)
    width -= np.maximum(to_objects(left), object_left)
    height = to_objects(bottom)
    np.minimum(height, object_bottom, out=height)
    height -= np.maximum(to_objects(top), object_top)
    overlap = width.clip(min=0, out=width)
    overlap *= height.clip(min=0, out=height)
    union = to_objects(areas)
    union += objects.areas
    union -= overlap
    overlap /= np.maximum(union, 1e-12, out=union)
    overlap[objects.starts] = iou  # As stored, so that equal boxes have equal numbers.
    best = np.maximum.reduceat(overlap, objects.starts)  # [S]
    ranks = np.where(overlap == to_objects(best), objects.ranks, np.int8(0))
    classes = CLASS_OF_RANK[np.maximum.reduceat(ranks, objects.starts)]
    return np.where(best >= ASSIGNED_IOU, classes, np.int8(objects.far))
