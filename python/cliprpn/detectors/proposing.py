"""Each sentence's boxes, from whatever the settings name."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cliprpn.contract.generated import (
    BaselineSettings,
    FileDetector,
    GtBoxesDetector,
    RpnDetector,
    TrainedYoloDetector,
    WholeImageDetector,
)
from cliprpn.data.images import image_files
from cliprpn.data.index import DatasetIndex
from cliprpn.detectors.coco_classes import are_coco_classes
from cliprpn.detectors.detection_store import detect_all
from cliprpn.detectors.known_boxes import gt_boxes, whole_image_boxes
from cliprpn.detectors.opening import Opening, checked_file
from cliprpn.detectors.proposals import Proposals
from cliprpn.detectors.results_file import read_results
from cliprpn.detectors.rpn_proposals import rpn_proposals
from cliprpn.inference.checkpoint import load_model
from cliprpn.run_context import RunContext


@dataclass(frozen=True)
class Proposed:
    """
    Attributes:
        boxes: of each sentence; sentences of one image share them, unless they depend on the sentence.
        classes: all names that a box may have; none where boxes have no class.
        notes: what a reader of the figures must know, a sentence each.
    """

    boxes: list[Proposals]
    classes: list[str]
    notes: list[str]


def propose(
    settings: BaselineSettings,
    index: DatasetIndex,
    rows: np.ndarray,
    context: RunContext,
) -> Proposed:
    """
    Args:
        rows: [S], of the index's sentences.

    Raises:
        CliprpnError: interrupted, no_space, not_found, data_invalid, weights_*, package_missing.
    """
    detector = settings.detector
    if isinstance(detector, RpnDetector):
        model = checked_file(detector)
        boxes = rpn_proposals(model, index, rows, settings.max_boxes, context)
        return Proposed(boxes, [], [])
    image_rows, sentence_of = np.unique(index.image_rows[rows], return_inverse=True)
    found, classes, notes = _of_images(settings, index, image_rows, context)
    return Proposed([found[picture] for picture in sentence_of], classes, notes)


def check_detector(settings: BaselineSettings, index: DatasetIndex, context: RunContext) -> int | None:
    """Finds what would fail every trial of a detector. Returns its number of classes, None where boxes have none.

    Raises:
        CliprpnError: weights_*, data_invalid, not_found, package_missing.
    """
    detector = settings.detector
    if isinstance(detector, RpnDetector):
        load_model(checked_file(detector))
    elif isinstance(detector, FileDetector):
        read_results(checked_file(detector), index)
    elif not isinstance(detector, GtBoxesDetector | WholeImageDetector):
        return len(Opening(settings, index, context).open().classes)
    return None


def _of_images(
    settings: BaselineSettings,
    index: DatasetIndex,
    image_rows: np.ndarray,
    context: RunContext,
) -> tuple[list[Proposals], list[str], list[str]]:
    """Boxes of each image, the classes they may have, and notes."""
    detector, rows = settings.detector, image_rows.tolist()
    if isinstance(detector, WholeImageDetector):
        return whole_image_boxes(index, rows), [], []
    if isinstance(detector, GtBoxesDetector):
        names = set(index.objects["category"].to_pylist()) - {None, ""}
        return gt_boxes(index, rows), sorted(names), []
    if isinstance(detector, FileDetector):
        results = read_results(checked_file(detector), index)
        found = [_best(results.of(row), settings) for row in rows]
        return found, results.classes, [*results.notes, *_seen_before(results.classes, index)]
    opening = Opening(settings, index, context)
    found = detect_all(image_files(index, rows), opening.store, opening.open, context)
    classes = [name for name in opening.classes() if name != ""]
    # One that was trained here has seen the train split alone.
    is_strange = not isinstance(detector, TrainedYoloDetector)
    return found, classes, _seen_before(classes, index) if is_strange else []


def _best(own: Proposals, settings: BaselineSettings) -> Proposals:
    """Those of a file that the settings let through."""
    num = min(int((own.scores >= settings.score_thresh).sum()), settings.max_boxes)
    return Proposals(own.boxes_xyxy[:num], own.scores[:num], own.categories[:num])


def _seen_before(classes: list[str], index: DatasetIndex) -> list[str]:
    """A word where a detector may know the images that it is asked about."""
    first = str(index.images["file_name"][0].as_py())
    if not (are_coco_classes(classes) and Path(first).name.startswith("COCO_train2014")):
        return []
    return [
        "This detector's classes are COCO's. A detector that was trained on COCO has seen these images, those of val "
        "and test too: RefCOCO's, RefCOCO+'s and RefCOCOg's all come from COCO's train2014. Its boxes are better here "
        "than on images that are new to it."
    ]
