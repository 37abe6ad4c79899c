"""The forward pass of a YOLO of ultralytics: .onnx with onnxruntime, .pt with torch."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from cliprpn.data.checks import is_text
from cliprpn.detectors.onnx_file import OnnxFile, format_shape, open_onnx
from cliprpn.errors import CliprpnError

# Batch size of a .pt.
TORCH_BATCH_SIZE = 16
# Equals the limit of image_size_px in the schema: an untrusted file may request more memory than there is.
MAX_SIDE_PX = 4096


@dataclass(frozen=True)
class YoloNetwork:
    """A YOLO's forward pass on letterboxed images.

    Attributes:
        forward: maps images [B, 3, h, w], float32, RGB, 0 to 1, to [B, 4 + C, N]: boxes, cxcywh, pixels, and class
            scores; end-to-end networks to [B, N, 6]: xyxy, score, class.
        classes: class names, in the detector's order.
        size: height and width of the input in pixels; the maximum if `flexible`.
        stride: pixels; a flexible input has sides that are multiples of it.
        flexible: whether the input may be smaller: images are padded only to the next multiple of `stride`.
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
    end_to_end: bool
    batch_size: int
    num_threads: int | None
    warning: str | None


def open_onnx_network(file: Path, image_size_px: int | None, device: torch.device) -> YoloNetwork:
    """Opens an .onnx that ultralytics exported, and checks its metadata and its output.

    Raises:
        CliprpnError: package_missing, weights_mismatch.
    """
    onnx, metadata = open_onnx(file, device), _read_metadata(file)
    _check_task(file, metadata.get("task"))
    classes = _class_names(file, metadata.get("names"))
    export_args = metadata.get("args")
    nms = isinstance(export_args, dict) and export_args.get("nms")
    end_to_end = bool(metadata.get("end2end") or nms)
    size, flexible = _onnx_input_size(onnx, metadata.get("imgsz"), image_size_px)
    stride = metadata.get("stride", 32)
    if not isinstance(stride, int) or stride < 1:
        raise _not_yolo(file, "ultralytics metadata with stride, a positive integer", str(stride)[:100])
    output = onnx(torch.full((1, 3, *size), 114 / 255))
    expected_shape = (1, None, 6) if end_to_end else (1, 4 + len(classes), None)
    if output.ndim != 3 or any(
        expected_side not in (None, side)
        for expected_side, side in zip(expected_shape, output.shape, strict=True)
    ):
        expected = "x".join("N" if side is None else str(side) for side in expected_shape)
        raise _not_yolo(file, f"an output of {expected}", format_shape(list(output.shape)))
    return YoloNetwork(onnx, classes, size, stride, flexible, end_to_end, 1, 1, onnx.warning)


def _read_metadata(file: Path) -> dict[str, Any]:
    """Reads the metadata that ultralytics writes into an .onnx. Values are parsed as literals, never executed.

    Raises:
        CliprpnError: weights_mismatch.
    """
    from ultralytics.nn.backends.base import BaseBackend

    metadata: dict[str, Any] = dict(BaseBackend.read_metadata(file))
    try:
        for key in ("imgsz", "names", "args", "end2end", "stride"):
            if key in metadata:
                metadata[key] = ast.literal_eval(metadata[key])
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError) as error:
        raise _not_yolo(
            file, f"ultralytics metadata with {key} as a Python literal", str(error)[:200]
        ) from error
    return metadata


def _onnx_input_size(
    onnx: OnnxFile, metadata_size: Any, image_size_px: int | None
) -> tuple[tuple[int, int], bool]:
    """Height and width of the input, and whether they are only the maximum.

    Raises:
        CliprpnError: weights_mismatch.
    """
    shape = onnx.input_shape
    if len(shape) != 4 or shape[1] != 3 or (shape[0] != 1 and not isinstance(shape[0], str)):
        raise _not_yolo(onnx.file, "an input of 1x3xHxW", format_shape(shape))
    height, width = shape[2:]
    if isinstance(height, int) and isinstance(width, int):
        if image_size_px is not None and (height, width) != (image_size_px, image_size_px):
            raise CliprpnError(
                "weights_mismatch",
                f"{onnx.file}: expected weights for images of {image_size_px} px (image_size_px), found weights for "
                f"{height}x{width} only; remove image_size_px",
            )
        return (height, width), False
    if image_size_px is not None:
        return (image_size_px, image_size_px), True
    if (
        isinstance(metadata_size, list)
        and len(metadata_size) == 2
        and all(isinstance(side, int) and 0 < side <= MAX_SIDE_PX for side in metadata_size)
    ):
        return (metadata_size[0], metadata_size[1]), True
    expected = f"ultralytics metadata with imgsz, two sides of at most {MAX_SIDE_PX}"
    raise _not_yolo(onnx.file, expected, str(metadata_size)[:100])


def open_torch_network(
    file: Path, image_size_px: int | None, device: torch.device, max_boxes: int
) -> YoloNetwork:
    """Opens a .pt. Loading executes any code in the file: call this for trusted files only.

    Raises:
        CliprpnError: weights_mismatch.
    """
    from ultralytics.nn.tasks import DetectionModel, RTDETRDetectionModel, load_checkpoint

    model: Any
    try:
        model = load_checkpoint(file)[0]
    except Exception as error:  # Unpickling an unknown file can raise anything.
        raise _not_loadable(file, error) from error
    _check_task(file, getattr(model, "task", None))
    yolo_class: Any = DetectionModel
    rtdetr_class: Any = RTDETRDetectionModel
    if not isinstance(model, yolo_class) or isinstance(model, rtdetr_class):
        raise _not_yolo(file, "a YOLO for detection", type(model).__name__)
    classes = _class_names(file, model.names)
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

    return YoloNetwork(forward, classes, (side, side), stride, True, end_to_end, TORCH_BATCH_SIZE, None, None)


def _not_loadable(file: Path, error: Exception) -> CliprpnError:
    if "originally trained" in str(error):
        return CliprpnError(
            "weights_mismatch",
            f"{file}: expected a YOLO of the package ultralytics, found one of the older yolov5 repository, which "
            "ultralytics cannot load; use yolov5su.pt in place of yolov5s.pt, or save the original model's detections "
            "as COCO results JSON and use the detector `file`",
        )
    message = str(error).strip().partition("\n")[0][:300]
    return _not_yolo(file, "a .pt that ultralytics can load", f"{type(error).__name__}: {message}")


def _check_task(file: Path, task: Any) -> None:
    """
    Raises:
        CliprpnError: weights_mismatch, if the network is not for detection.
    """
    if task != "detect":
        found = (
            f"one for the task {task}"
            if isinstance(task, str)
            else "no ultralytics metadata (open a YOLOX with the detector `yolox`)"
        )
        raise _not_yolo(file, "a YOLO for detection, made by ultralytics", found)


def _class_names(file: Path, names: Any) -> list[str]:
    """Class names in the order of their numbers.

    Raises:
        CliprpnError: weights_mismatch.
    """
    by_number = dict(enumerate(names)) if isinstance(names, list) else names
    if isinstance(by_number, dict) and len(by_number) > 0 and set(by_number) == set(range(len(by_number))):
        texts = [str(by_number[number]) for number in range(len(by_number))]
        if all(is_text(text) for text in texts):
            return texts
    raise _not_yolo(file, "names of classes 0, 1, 2, ... in ultralytics metadata", ascii(names)[:100])


def _not_yolo(file: Path, expected: str, found: str) -> CliprpnError:
    return CliprpnError("weights_mismatch", f"{file}: expected {expected}, found {found}")
