"""Proposals for each sentence, from the detector named in the settings."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cliprpn.arithmetic import arithmetic_key
from cliprpn.contract.generated import (
    BaselineSettings,
    FasterRcnnDetector,
    FileDetector,
    GtBoxesDetector,
    RpnDetector,
    TrainedYoloDetector,
    WholeImageDetector,
    YoloDetector,
    YoloxDetector,
)
from cliprpn.data.image_keys import file_sha256
from cliprpn.data.images import image_files
from cliprpn.data.index import DatasetIndex
from cliprpn.detectors.coco_classes import are_coco_classes
from cliprpn.detectors.detection_store import detect_all
from cliprpn.detectors.faster_rcnn import open_faster_rcnn
from cliprpn.detectors.known_boxes import gt_boxes, whole_image_boxes
from cliprpn.detectors.proposals import Detector, Proposals
from cliprpn.detectors.results.folder import folder_sha256
from cliprpn.detectors.results_file import read_results
from cliprpn.detectors.rpn_proposals import rpn_proposals
from cliprpn.detectors.train_yolo import find_trained_yolo
from cliprpn.detectors.yolo import open_yolo
from cliprpn.detectors.yolox import open_yolox
from cliprpn.errors import CliprpnError
from cliprpn.inference.checkpoint import load_model
from cliprpn.run_context import RunContext
from cliprpn.storage.durable import write_durably

# Part of the key of cached detections: change it when the same weights would give other boxes.
DETECTIONS_VERSION = "1"
DetectorWithFile = YoloDetector | YoloxDetector | FasterRcnnDetector | FileDetector | RpnDetector


@dataclass(frozen=True)
class SentenceProposals:
    """Proposals for each sentence, and the classes of their boxes.

    Attributes:
        boxes: proposals of each sentence; the same object for all sentences of an image, unless the detector depends
            on the sentence.
        classes: all class names that a box may have; empty if boxes have no class.
        notes: remarks for the reader of the results, one sentence each.
    """

    boxes: list[Proposals]
    classes: list[str]
    notes: list[str]


def propose(
    settings: BaselineSettings, index: DatasetIndex, rows: np.ndarray, context: RunContext
) -> SentenceProposals:
    """Proposals of the detector in the settings for each sentence.

    Args:
        rows: [S], rows of the index's sentences.

    Raises:
        CliprpnError: interrupted, no_space, not_found, data_invalid, weights_*, package_missing.
    """
    detector = settings.detector
    if isinstance(detector, RpnDetector):
        boxes = rpn_proposals(verify_file(detector), index, rows, settings.max_boxes, context)
        return SentenceProposals(boxes, [], [])
    image_rows, positions = np.unique(index.image_rows[rows], return_inverse=True)
    boxes, classes, notes = _propose_per_image(settings, index, image_rows, context)
    return SentenceProposals([boxes[position] for position in positions], classes, notes)


def check_detector(settings: BaselineSettings, index: DatasetIndex, context: RunContext) -> int | None:
    """Opens the detector once, to report errors that would fail all of its trials before they start.

    Returns:
        number of classes; None if boxes have no class.

    Raises:
        CliprpnError: weights_*, data_invalid, not_found, package_missing.
    """
    detector = settings.detector
    if isinstance(detector, RpnDetector):
        load_model(verify_file(detector))
    elif isinstance(detector, FileDetector):
        verify_file(detector)
        for note in read_results(detector, index).notes:
            context.warn(note)
    elif not isinstance(detector, GtBoxesDetector | WholeImageDetector):
        return len(LazyDetector(settings, index, context).open().classes)
    return None


def _propose_per_image(
    settings: BaselineSettings, index: DatasetIndex, image_rows: np.ndarray, context: RunContext
) -> tuple[list[Proposals], list[str], list[str]]:
    """Proposals of each image, the classes that boxes may have, and notes."""
    detector, rows = settings.detector, image_rows.tolist()
    if isinstance(detector, WholeImageDetector):
        return whole_image_boxes(index, rows), [], []
    if isinstance(detector, GtBoxesDetector):
        names = set(index.objects["category"].to_pylist()) - {None, ""}
        return gt_boxes(index, rows), sorted(names), []
    if isinstance(detector, FileDetector):
        verify_file(detector)
        results = read_results(detector, index)
        boxes = [_apply_limits(results.proposals_of(row), settings) for row in rows]
        return boxes, results.classes, [*results.notes, *_notes_on_coco(results.classes, index)]
    lazy_detector = LazyDetector(settings, index, context)
    boxes = detect_all(image_files(index, rows), lazy_detector.store, lazy_detector.open, context)
    classes = [name for name in lazy_detector.classes() if name != ""]
    # A detector trained here has seen the train split only.
    is_pretrained = not isinstance(detector, TrainedYoloDetector)
    return boxes, classes, _notes_on_coco(classes, index) if is_pretrained else []


def _apply_limits(proposals: Proposals, settings: BaselineSettings) -> Proposals:
    """The best proposals of a file, limited by score_thresh and max_boxes."""
    num = min(int((proposals.scores >= settings.score_thresh).sum()), settings.max_boxes)
    return Proposals(proposals.boxes_xyxy[:num], proposals.scores[:num], proposals.categories[:num])


def _notes_on_coco(classes: list[str], index: DatasetIndex) -> list[str]:
    """A note if the detector may have been trained on the images it is evaluated on."""
    file_name = str(index.images["file_name"][0].as_py())
    if not (are_coco_classes(classes) and Path(file_name).name.startswith("COCO_train2014")):
        return []
    return [
        "This detector's classes are COCO's. A detector trained on COCO has seen these images, including those of val "
        "and test: RefCOCO, RefCOCO+ and RefCOCOg all use COCO's train2014 images. Its boxes are better here than on "
        "unseen images."
    ]


@dataclass(frozen=True)
class LazyDetector:
    """A detector that is opened only if some of its detections are not cached."""

    settings: BaselineSettings
    index: DatasetIndex
    context: RunContext

    @property
    def store(self) -> Path:
        """The cache file of the detections, named by a hash of everything that decides them.

        Raises:
            CliprpnError: weights_missing, if the detector is a YOLO that has not been trained yet.
        """
        settings, detector = self.settings, self.settings.detector
        identity = detector.model_dump(exclude={"file"})
        if isinstance(detector, YoloDetector) and detector.classes is None:
            del identity["classes"]  # Detections of earlier versions have a key without it.
        if isinstance(detector, TrainedYoloDetector):
            identity["sha256"] = find_trained_yolo(detector, self.index, self.context.cache_dir).sha256
        facts = {
            "version": DETECTIONS_VERSION,
            "detector": identity,
            "limits": [settings.score_thresh, settings.nms_thresh, settings.max_boxes],
            **arithmetic_key(self.context.device),
        }
        key = hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:24]
        return self.context.cache_dir / "detections" / f"{detector.kind}-{key}.sqlite"

    def open(self) -> Detector:
        """Opens the detector, reports its warning, and stores its class names in the cache.

        Raises:
            CliprpnError: weights_*, package_missing.
        """
        detector = self._open()
        if detector.warning is not None:
            self.context.warn(detector.warning)
        write_durably(self._classes_file(), f"{json.dumps(detector.classes)}\n".encode())
        return detector

    def classes(self) -> list[str]:
        """Class names, in the detector's order."""
        try:
            names: list[str] = json.loads(self._classes_file().read_bytes())
        except (FileNotFoundError, ValueError):  # A damaged file is rewritten.
            return self.open().classes
        return names

    def _classes_file(self) -> Path:
        return self.store.with_suffix(".classes.json")

    def _open(self) -> Detector:
        settings, detector = self.settings, self.settings.detector
        device, cache_dir = self.context.device, self.context.cache_dir
        classes: list[str] | None = detector.model_dump().get("classes")
        limits = (settings.score_thresh, settings.nms_thresh, settings.max_boxes)
        if isinstance(detector, YoloxDetector):
            return open_yolox(verify_file(detector), classes, *limits, device)
        if isinstance(detector, FasterRcnnDetector):
            file = None if detector.file == "coco" else verify_file(detector)
            return open_faster_rcnn(detector.variant, file, classes, *limits, device)
        if isinstance(detector, TrainedYoloDetector):
            file = find_trained_yolo(detector, self.index, cache_dir).file
            return open_yolo(file, detector.image_size_px, *limits, device, cache_dir, trusted=True)
        if isinstance(detector, YoloDetector):
            trusted = os.environ.get("CLIPRPN_TRUST_WEIGHTS") == "1"
            file = verify_file(detector)
            return open_yolo(file, detector.image_size_px, *limits, device, cache_dir, trusted, classes)
        raise CliprpnError("internal", f"expected a detector with weights, found {detector.kind}")


def verify_file(detector: DetectorWithFile) -> Path:
    """The detector's file, after checking that its content is the one the trial was planned with.

    Raises:
        CliprpnError: weights_missing, weights_mismatch.
    """
    path = Path(detector.file)
    is_folder = isinstance(detector, FileDetector) and path.is_dir()
    if not is_folder and not path.is_file():
        raise CliprpnError(
            "weights_missing", f"{path}: expected the file of the detector {detector.kind}, found none"
        )
    digest = folder_sha256(path) if is_folder else file_sha256(path)
    if digest != detector.sha256:
        raise CliprpnError(
            "weights_mismatch",
            f"{path}: the file has changed since the trial was planned: expected SHA-256 {detector.sha256[:12]}..., "
            f"found {digest[:12]}...; re-run the command to use the new file",
        )
    return path
