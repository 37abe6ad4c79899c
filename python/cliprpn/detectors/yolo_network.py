"""The forward pass of a YOLO, and that of a .pt of ultralytics."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from cliprpn.detectors.yolo_metadata import check_task, not_yolo, number_classes
from cliprpn.errors import CliprpnError

# Batch size of a .pt.
TORCH_BATCH_SIZE = 16


@dataclass(frozen=True)
class YoloNetwork:
    """A YOLO's forward pass on letterboxed images.

    Attributes:
        forward: maps images [B, num_channels, h, w], float32, RGB or gray, 0 to 1, to [B, 4 + C, N]: boxes, cxcywh,
            pixels, and class scores; end-to-end networks to [B, N, 6]: xyxy, score, class.
        classes: class names, in the detector's order.
        size: height and width of the input in pixels; the maximum if `flexible`.
        stride: pixels; a flexible input has sides that are multiples of it.
        flexible: whether the input may be smaller: images are padded only to the next multiple of `stride`.
        stretched: whether images are stretched to `size`, and not letterboxed.
        num_channels: 3, or 1 for gray images.
        end_to_end: whether the network includes NMS.
        batch_size: images per forward pass.
        num_threads: torch's number of threads during a forward pass; None leaves it unchanged.
        warning: message for the user if it does not run on the requested device; else None.
    """

    forward: Callable[[Tensor], Tensor]
    classes: list[str]
    size: tuple[int, int]
    stride: int
    flexible: bool
    stretched: bool
    num_channels: int
    end_to_end: bool
    batch_size: int
    num_threads: int | None
    warning: str | None


def open_torch_network(
    file: Path, image_size_px: int | None, classes: list[str] | None, device: torch.device, max_boxes: int
) -> YoloNetwork:
    """Opens a .pt. Loading executes any code in the file: call this for trusted files only.

    Args:
        classes: class names, in the detector's order; None for those in the file.

    Raises:
        CliprpnError: weights_mismatch.
    """
    from ultralytics.nn.tasks import DetectionModel, RTDETRDetectionModel, load_checkpoint

    model: Any
    try:
        model = load_checkpoint(file)[0]
    except Exception as error:  # Unpickling an unknown file can raise anything.
        raise _not_loadable(file, error) from error
    check_task(file, getattr(model, "task", None))
    yolo_class: Any = DetectionModel
    rtdetr_class: Any = RTDETRDetectionModel
    if not isinstance(model, yolo_class) or isinstance(model, rtdetr_class):
        hint = "; export it to .onnx (yolo export format=onnx)" if isinstance(model, rtdetr_class) else ""
        raise not_yolo(file, "a YOLO for detection", f"{type(model).__name__}{hint}")
    names = number_classes(file, model.names)
    trained_size = model.args.get("imgsz", 640)
    side = image_size_px or int(trained_size if isinstance(trained_size, int) else max(trained_size))
    stride = max(int(model.stride.max()), 32)
    model = model.fuse(verbose=False).to(device).eval().requires_grad_(False)
    if device.type == "cpu":
        model = model.to(memory_format=torch.channels_last)
    end_to_end = bool(getattr(model, "end2end", False))
    if end_to_end:
        model.set_head_attr(max_det=max(max_boxes, 300))

    def forward(inputs: Tensor) -> Tensor:
        outputs = model(inputs.to(device))
        return outputs[0] if isinstance(outputs, (tuple, list)) else outputs

    return YoloNetwork(
        forward=forward,
        classes=choose_classes(file, classes, names) or names,
        size=(side, side),
        stride=stride,
        flexible=True,
        stretched=False,
        num_channels=int(model.yaml.get("channels", 3)),
        end_to_end=end_to_end,
        batch_size=TORCH_BATCH_SIZE,
        num_threads=None,
        warning=None,
    )


def choose_classes(file: Path, chosen: list[str] | None, names: list[str] | None) -> list[str] | None:
    """The chosen class names, else those of the file.

    Raises:
        CliprpnError: weights_mismatch, if their numbers differ.
    """
    if chosen is not None and names is not None and len(chosen) != len(names):
        raise CliprpnError(
            "weights_mismatch",
            f"{file}: expected {len(names)} class names in `classes`, as the file has, found {len(chosen)}",
        )
    return names if chosen is None else chosen


def _not_loadable(file: Path, error: Exception) -> CliprpnError:
    if "originally trained" in str(error):
        return CliprpnError(
            "weights_mismatch",
            f"{file}: expected a YOLO of the package ultralytics, found one of the older yolov5 repository, which "
            "ultralytics cannot load; use yolov5su.pt in place of yolov5s.pt, or save the original model's detections "
            "as COCO results JSON and use the detector `file`",
        )
    message = str(error).strip().partition("\n")[0][:300]
    return not_yolo(file, "a .pt that ultralytics can load", f"{type(error).__name__}: {message}")
