"""Opens the detector that settings describe, once its file is found to be the one that they mean."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path

from cliprpn.contract.generated import (
    BaselineSettings,
    FasterRcnnDetector,
    FileDetector,
    RpnDetector,
    TrainedYoloDetector,
    YoloDetector,
    YoloxDetector,
)
from cliprpn.data.images import file_sha256
from cliprpn.data.index import DatasetIndex
from cliprpn.detectors.faster_rcnn import open_faster_rcnn
from cliprpn.detectors.proposals import Detector
from cliprpn.detectors.train_yolo import trained_weights
from cliprpn.detectors.yolo import open_yolo
from cliprpn.detectors.yolox import open_yolox
from cliprpn.errors import CliprpnError
from cliprpn.run_context import RunContext
from cliprpn.storage.durable import write_durably

# Part of the detections' key: change it whenever the same weights would find other boxes.
VERSION = "1"
WithFile = YoloDetector | YoloxDetector | FasterRcnnDetector | FileDetector | RpnDetector


@dataclass(frozen=True)
class Opening:
    """A detector that need not be opened while all that it finds is known."""

    settings: BaselineSettings
    index: DatasetIndex
    context: RunContext

    @property
    def store(self) -> Path:
        """The file of what it finds, named by all that decides that.

        Raises:
            CliprpnError: weights_missing, where it is trained here and is not yet.
        """
        settings, detector = self.settings, self.settings.detector
        own = detector.model_dump(exclude={"file"})
        if isinstance(detector, TrainedYoloDetector):
            own["sha256"] = trained_weights(detector, self.index, self.context.cache_dir).sha256
        facts = {
            "version": VERSION,
            "detector": own,
            "limits": [settings.score_thresh, settings.nms_thresh, settings.max_boxes],
        }
        key = hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:24]
        return self.context.cache_dir / "detections" / f"{detector.kind}-{key}.sqlite"

    def open(self) -> Detector:
        """
        Raises:
            CliprpnError: weights_*, package_missing.
        """
        opened = self._opened()
        if opened.warning is not None:
            self.context.warn(opened.warning)
        write_durably(self._classes_file(), f"{json.dumps(opened.classes)}\n".encode())
        return opened

    def classes(self) -> list[str]:
        """Names of its classes, in its order."""
        try:
            names: list[str] = json.loads(self._classes_file().read_bytes())
        except (FileNotFoundError, ValueError):  # A damaged one is written anew.
            return self.open().classes
        return names

    def _classes_file(self) -> Path:
        return self.store.with_suffix(".classes.json")

    def _opened(self) -> Detector:
        settings, detector, device = self.settings, self.settings.detector, self.context.device
        classes: list[str] | None = detector.model_dump().get("classes")
        limits = (settings.score_thresh, settings.nms_thresh, settings.max_boxes)
        if isinstance(detector, YoloxDetector):
            return open_yolox(checked_file(detector), classes, *limits, device)
        if isinstance(detector, FasterRcnnDetector):
            file = None if detector.file == "coco" else checked_file(detector)
            return open_faster_rcnn(detector.variant, file, classes, *limits, device)
        if isinstance(detector, TrainedYoloDetector):
            file = trained_weights(detector, self.index, self.context.cache_dir).file
            return open_yolo(
                file, detector.image_size_px, *limits, device, self.context.cache_dir, trusted=True
            )
        if isinstance(detector, YoloDetector):
            trusted = os.environ.get("CLIPRPN_TRUST_WEIGHTS") == "1"
            file = checked_file(detector)
            return open_yolo(file, detector.image_size_px, *limits, device, self.context.cache_dir, trusted)
        raise CliprpnError("internal", f"{detector.kind}: it is no detector that is opened")


def checked_file(detector: WithFile) -> Path:
    """The detector's file, if its content is what was planned with.

    Raises:
        CliprpnError: weights_missing, weights_mismatch.
    """
    path = Path(detector.file)
    if not path.is_file():
        raise CliprpnError("weights_missing", f"{path}: expected the file of {detector.kind}, found none")
    digest = file_sha256(path)
    if digest != detector.sha256:
        raise CliprpnError(
            "weights_mismatch",
            f"{path}: the file has changed since the trial was planned: expected SHA-256 {detector.sha256[:12]}..., "
            f"found {digest[:12]}...; start again",
        )
    return path
