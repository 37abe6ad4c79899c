"""ultralytics' training loop on a dataset's images and boxes. Import only within `quiet_ultralytics`."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import cv2
import numpy as np
import torch
from ultralytics.data.dataset import YOLODataset
from ultralytics.models.yolo.detect import DetectionTrainer
from ultralytics.nn.tasks import DetectionModel
from ultralytics.utils import ROOT, YAML

from cliprpn.data.images import load_image
from cliprpn.detectors.yolo_data import LabeledImage
from cliprpn.errors import CliprpnError
from cliprpn.seeding import random_state, set_random_state

# Depth, width and max_channels of the scale p, which is half as wide as ultralytics' smallest, n.
PICO = [0.33, 0.125, 1024]
# Memory for decoded images, at training size.
CACHE_BYTES = 1 << 29
# After as many, ultralytics' training loop raises the error.
MAX_OOM_RETRIES = 3


class LabeledImages(YOLODataset):
    """A dataset with labels from memory and images from cliprpn's reader.

    ultralytics' reader would look for label and .npy files next to the images, rewrite JPEGs it considers broken, and
    always apply the EXIF orientation, although boxes may be in the stored orientation.
    """

    def __init__(self, images: list[LabeledImage], **settings: Any) -> None:
        self._images = images
        self._cache: dict[int, np.ndarray] = {}
        self._cache_bytes = 0
        self._longer_side_px: int = settings["imgsz"]
        super().__init__(img_path="", **settings)

    def get_img_files(self, img_path: Any) -> list[str]:
        return [str(image.file.path) for image in self._images]

    def get_labels(self) -> list[dict[str, Any]]:
        return [_label(image) for image in self._images]

    def load_image(
        self, i: int, rect_mode: bool = True, resize_short: bool = False
    ) -> tuple[np.ndarray, tuple[int, int], tuple[int, int]]:
        """Returns the image [H, W, 3], BGR, its longer side at training size, and its size (h, w) before and after."""
        pixels, image = self._cache.get(i), self._images[i]
        if pixels is None:
            bgr = load_image(image.file).permute(1, 2, 0).numpy()[:, :, ::-1]
            pixels = _resize_longer_side(bgr, self._longer_side_px)
            if self._cache_bytes + pixels.nbytes <= CACHE_BYTES:
                self._cache[i] = pixels
                self._cache_bytes += pixels.nbytes
        return pixels, (image.height, image.width), pixels.shape[:2]


class Trainer(DetectionTrainer):
    """Trains for all epochs and keeps the last EMA weights. No model selection, so val stays unseen.

    Args:
        overrides: ultralytics' settings.
        images: training images.
        classes: class names.
        architecture: for example yolov8n, or yolov8p.
        num_threads: torch's number of threads; ultralytics would set its own.
        state: of an earlier training, to continue after its epoch; from `state_after_epoch`.
    """

    def __init__(
        self,
        overrides: dict[str, Any],
        images: list[LabeledImage],
        classes: list[str],
        architecture: str,
        num_threads: int,
        state: dict[str, Any] | None = None,
    ) -> None:
        self._images, self._classes, self._architecture = images, classes, architecture
        self._state = state
        super().__init__(overrides=overrides)
        torch.set_num_threads(num_threads)
        self.add_callback("on_train_batch_start", _keep_batch_size)

    def get_dataset(self) -> dict[str, Any]:
        names = dict(enumerate(self._classes))
        return {"names": names, "nc": len(names), "channels": 3, "train": "", "val": "", "path": ""}

    def build_dataset(self, img_path: str, mode: str = "train", batch: int | None = None) -> LabeledImages:
        """The training images, also for `val`, as validation is off."""
        return LabeledImages(
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

    def state_after_epoch(self) -> dict[str, Any]:
        """All that the next epoch depends on; ultralytics' checkpoints are in half precision, without random states."""
        trainer: Any = self
        return {
            "epoch": trainer.epoch,
            "model": trainer.model.state_dict(),
            "ema": trainer.ema.ema.state_dict(),
            "updates": trainer.ema.updates,
            "optimizer": trainer.optimizer.state_dict(),
            "random": random_state(self.device),
        }

    def resume_training(self, ckpt: Any) -> None:
        """Continues at the state, if there is one; ultralytics calls it when all objects are made."""
        state, trainer = self._state, cast(Any, self)
        if state is None:
            return
        trainer.start_epoch = state["epoch"] + 1
        model, loader = trainer.model, trainer.train_loader
        model.load_state_dict(state["model"])
        trainer.ema.ema.load_state_dict(state["ema"])
        trainer.ema.updates = state["updates"]
        trainer.optimizer.load_state_dict(state["optimizer"])
        if getattr(model.model[-1], "one2one_cv2", None) is not None:
            # As ultralytics does it: the weights of two losses change with the epoch.
            model.criterion = model.init_criterion()
            model.criterion.updates = state["epoch"]
            model.criterion.update()
        # The order of images: what earlier epochs have drawn from the loader's generator is drawn again.
        loader.iterator = loader._get_iterator()
        for _ in range(trainer.start_epoch * len(loader)):
            loader.iterator._next_index()
        self.add_callback("on_train_start", lambda _: set_random_state(state["random"], self.device))

    def validate(self) -> tuple[dict[str, float], None]:
        return {}, None

    def final_eval(self) -> None:
        """Does nothing: the last weights stay unchanged."""


def describe_architecture(name: str) -> dict[str, Any]:
    """The model description shipped with ultralytics; files in the working directory are ignored.

    Raises:
        CliprpnError: bad_input, if ultralytics has none of that name.
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
        "bad_input",
        f"architecture: expected an ultralytics architecture, such as yolov8n or yolo11n, found {name}",
    )


def minimal_checkpoint(model: Any, image_size_px: int) -> dict[str, Any]:
    """The minimum that ultralytics needs to load a model: half precision, no optimizer, no paths, no date."""
    model.criterion = None
    model.args = {"task": "detect", "imgsz": image_size_px}
    return {"model": model.half(), "train_args": model.args}


def on_batches(trainer: Trainer, report: Callable[[int, int], None]) -> None:
    """Makes the trainer call `report` after each batch with the number of finished batches, and their total.

    Training then also raises the errors of `report`, and CliprpnError: loss_not_finite.
    """
    batch = 0

    def after_batch(state: Any) -> None:
        nonlocal batch
        if not bool(state.loss.isfinite()):
            raise CliprpnError(
                "loss_not_finite",
                f"expected a finite YOLO loss, found {float(state.loss)} in epoch {state.epoch + 1}; use a larger "
                "batch_size or another seed",
            )
        batch = max(batch, state.epoch * len(state.train_loader)) + 1
        report(batch, state.epochs * len(state.train_loader))

    trainer.add_callback("on_train_batch_end", after_batch)


def on_saved(trainer: Trainer, save: Callable[[Path], None]) -> None:
    """Makes the trainer call `save` after each epoch with the checkpoint that training can resume from."""
    trainer.add_callback("on_model_save", lambda state: save(state.last))


def _keep_batch_size(trainer: Any) -> None:
    """Out of memory, ultralytics would halve the batches of the first epoch, and so train other weights."""
    trainer._oom_retries = MAX_OOM_RETRIES


def _label(image: LabeledImage) -> dict[str, Any]:
    """An image's labels as ultralytics stores them; boxes are cxcywh in normalized coordinates."""
    size = np.array([image.width, image.height])
    low, high = np.split(image.boxes_xyxy.reshape(-1, 4), 2, axis=1)
    return {
        "im_file": str(image.file.path),
        "shape": (image.height, image.width),
        "cls": image.labels.reshape(-1, 1).astype(np.float32),
        "bboxes": np.concatenate([(low + high) / 2 / size, (high - low) / size], axis=1).astype(np.float32),
        "segments": [],
        "keypoints": None,
        "normalized": True,
        "bbox_format": "xywh",
    }


def _resize_longer_side(pixels: np.ndarray, longer_side_px: int) -> np.ndarray:
    """Resizes an image [H, W, 3], keeping its aspect ratio."""
    scale = longer_side_px / max(pixels.shape[:2])
    height, width = (max(1, round(side * scale)) for side in pixels.shape[:2])
    if (height, width) == pixels.shape[:2]:
        return np.ascontiguousarray(pixels)
    return cv2.resize(pixels, (width, height), interpolation=cv2.INTER_LINEAR)
