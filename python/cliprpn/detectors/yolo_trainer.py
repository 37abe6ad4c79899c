"""ultralytics' training loop on images and boxes of a data set. Import it within `quiet_ultralytics` only."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from ultralytics.data.dataset import YOLODataset
from ultralytics.models.yolo.detect import DetectionTrainer
from ultralytics.nn.tasks import DetectionModel
from ultralytics.utils import ROOT, YAML

from cliprpn.data.images import load_image
from cliprpn.detectors.yolo_data import Labelled
from cliprpn.errors import CliprpnError

# Depth, width and most channels of a scale smaller than ultralytics' smallest, n: half as wide.
PICO = [0.33, 0.125, 1024]
# Images that are kept decoded, at the size they are trained at.
KEPT_BYTES = 1 << 29


class Pictures(YOLODataset):
    """Labels from memory, images by cliprpn's own reader.

    ultralytics' would look for label files and .npy beside the images, rewrite JPEGs that it finds broken,
    and always turn images upright, though boxes may lie in the stored frame.
    """

    def __init__(self, pictures: list[Labelled], **settings: Any) -> None:
        self._images = pictures
        self._kept: dict[int, np.ndarray] = {}
        self._kept_bytes = 0
        self._longer_px: int = settings["imgsz"]
        super().__init__(img_path="", **settings)

    def get_img_files(self, img_path: Any) -> list[str]:
        return [str(each.file.path) for each in self._images]

    def get_labels(self) -> list[dict[str, Any]]:
        return [_label(each) for each in self._images]

    def load_image(
        self, i: int, rect_mode: bool = True, resize_short: bool = False
    ) -> tuple[np.ndarray, tuple[int, int], tuple[int, int]]:
        """[H, W, 3], BGR, its longer side the training size; its height and width before and after."""
        image, own = self._kept.get(i), self._images[i]
        if image is None:
            image = _resized(load_image(own.file).permute(1, 2, 0).numpy()[:, :, ::-1], self._longer_px)
            if self._kept_bytes + image.nbytes <= KEPT_BYTES:
                self._kept[i] = image
                self._kept_bytes += image.nbytes
        return image, (own.height, own.width), image.shape[:2]


class Trainer(DetectionTrainer):
    """Trains for all epochs and keeps the last, averaged weights; nothing is chosen by val, so val stays unseen.

    Args:
        overrides: ultralytics' settings.
        architecture: yolov8n, or with the scale p.
        num_threads: torch's; ultralytics would take its own.
    """

    def __init__(
        self,
        overrides: dict[str, Any],
        pictures: list[Labelled],
        classes: list[str],
        architecture: str,
        num_threads: int,
    ) -> None:
        self._images, self._classes, self._architecture = pictures, classes, architecture
        super().__init__(overrides=overrides)
        torch.set_num_threads(num_threads)

    def get_dataset(self) -> dict[str, Any]:
        names = dict(enumerate(self._classes))
        return {"names": names, "nc": len(names), "channels": 3, "train": "", "val": "", "path": ""}

    def build_dataset(self, img_path: str, mode: str = "train", batch: int | None = None) -> Pictures:
        """The same images for `val`, which nobody looks at."""
        return Pictures(
            self._images,
            imgsz=self.args.imgsz,
            batch_size=batch,
            augment=mode == "train",
            hyp=self.args,
            data=self.data,
        )

    def get_model(self, cfg: Any = None, weights: Any = None, verbose: bool = True) -> DetectionModel:
        description = describe_architecture(self._architecture)
        model = DetectionModel(description, nc=self.data["nc"], ch=3, verbose=False)
        if weights is not None:
            model.load(weights)
        return model

    def validate(self) -> tuple[dict[str, float], None]:
        return {}, None

    def final_eval(self) -> None:
        """Leaves the last weights as they are."""


def describe_architecture(name: str) -> dict[str, Any]:
    """ultralytics' own description of an architecture, never one of the working folder's.

    Raises:
        CliprpnError: bad_input, where it has none.
    """
    parts = re.fullmatch(r"(yolov?\d+)([a-z]*)", name)
    family, scale = parts.groups() if parts else (name, "")
    for stem in dict.fromkeys((name, family)):
        file = next(ROOT.glob(f"cfg/models/*/{stem}.yaml"), None)
        if file is None:
            continue
        description: dict[str, Any] = YAML.load(file)
        description["yaml_file"] = f"{name}.yaml"
        if "scales" not in description and stem == name:
            return description
        scales = {"p": PICO} | description.get("scales", {})
        if scale in scales:
            return description | {"scales": scales, "scale": scale}
    raise CliprpnError(
        "bad_input", f"architecture {name}: expected one that ultralytics describes, like yolov8n or yolo11n"
    )


def minimal_checkpoint(model: Any, image_size_px: int) -> dict[str, Any]:
    """What ultralytics needs to load a model; half precision, no optimizer, no paths, no date."""
    model.criterion = None
    model.args = {"task": "detect", "imgsz": image_size_px}
    return {"model": model.half(), "train_args": model.args}


def on_batches(trainer: Trainer, done: Callable[[int, int], None]) -> None:
    """Calls back after each batch with how many are done in all, of how many.

    Training then raises what `done` raises, and CliprpnError loss_not_finite.
    """
    batch = 0

    def after(own: Any) -> None:
        nonlocal batch
        if not bool(own.loss.isfinite()):
            raise CliprpnError(
                "loss_not_finite",
                f"the YOLO's loss is {float(own.loss)} in epoch {own.epoch + 1}: use larger batches or another seed",
            )
        batch = max(batch, own.epoch * len(own.train_loader)) + 1
        done(batch, own.epochs * len(own.train_loader))

    trainer.add_callback("on_train_batch_end", after)


def on_saved(trainer: Trainer, saved: Callable[[Path], None]) -> None:
    """Calls back after each epoch with the file that training can go on from."""
    trainer.add_callback("on_model_save", lambda own: saved(own.last))


def _label(picture: Labelled) -> dict[str, Any]:
    size = np.array([picture.width, picture.height])
    low, high = np.split(picture.boxes_xyxy.reshape(-1, 4), 2, axis=1)
    return {
        "im_file": str(picture.file.path),
        "shape": (picture.height, picture.width),
        "cls": picture.labels.reshape(-1, 1).astype(np.float32),
        "bboxes": np.concatenate([(low + high) / 2 / size, (high - low) / size], axis=1).astype(np.float32),
        "segments": [],
        "keypoints": None,
        "normalized": True,
        "bbox_format": "xywh",
    }


def _resized(image: np.ndarray, longer_px: int) -> np.ndarray:
    scale = longer_px / max(image.shape[:2])
    height, width = (max(1, round(side * scale)) for side in image.shape[:2])
    if (height, width) == image.shape[:2]:
        return np.ascontiguousarray(image)
    return cv2.resize(image, (width, height), interpolation=cv2.INTER_LINEAR)
