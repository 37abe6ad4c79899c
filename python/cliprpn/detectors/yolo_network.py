"""What is inside a YOLO's file: .onnx by onnxruntime, .pt by torch."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from cliprpn.data.checks import is_text
from cliprpn.detectors.onnx_file import OnnxFile, describe, open_onnx
from cliprpn.errors import CliprpnError

# Images that a .pt looks at in one pass.
BATCH = 16
# As of image_size_px: a stranger's file may ask for more memory than there is.
MAX_SIDE_PX = 4096


@dataclass(frozen=True)
class Network:
    """What looks at images that fit.

    Attributes:
        raw: [B, 3, h, w], float32, RGB, 0 to 1, to [B, 4 + C, N], boxes as centre and sides in pixels and the
            classes' scores; or, of an end-to-end network, to [B, N, 6]: xyxy, score, class.
        size: the image's height and width in pixels, or the most of them where `flexible`.
        flexible: whether an image is padded to the next multiple of `stride` only.
        end_to_end: whether the network suppresses by itself.
        batch: images that it looks at in one pass.
        num_threads: torch's, while it looks; None: as they are.
        warning: for a person, where it does not run on the device that was asked for; else None.
    """

    raw: Callable[[Tensor], Tensor]
    classes: list[str]
    size: tuple[int, int]
    stride: int
    flexible: bool
    end_to_end: bool
    batch: int
    num_threads: int | None
    warning: str | None


def onnx_network(file: Path, image_size_px: int | None, device: torch.device) -> Network:
    """
    Raises:
        CliprpnError: package_missing, weights_mismatch.
    """
    onnx, facts = open_onnx(file, device), _metadata(file)
    _check_task(file, facts.get("task"))
    classes = _names(file, facts.get("names"))
    exported_with = facts.get("args")
    nms = isinstance(exported_with, dict) and exported_with.get("nms")
    end_to_end = bool(facts.get("end2end") or nms)
    size, flexible = _onnx_size(onnx, facts.get("imgsz"), image_size_px)
    stride = facts.get("stride", 32)
    if not isinstance(stride, int) or stride < 1:
        raise _no_yolo(file, "metadata of ultralytics with stride, a number", str(stride)[:100])
    output = onnx(torch.full((1, 3, *size), 114 / 255))
    wanted = (1, None, 6) if end_to_end else (1, 4 + len(classes), None)
    if output.ndim != 3 or any(
        side not in (None, own) for side, own in zip(wanted, output.shape, strict=True)
    ):
        expected = "x".join("N" if side is None else str(side) for side in wanted)
        raise _no_yolo(file, f"an output of {expected}", describe(list(output.shape)))
    return Network(onnx, classes, size, stride, flexible, end_to_end, 1, 1, onnx.warning)


def _metadata(file: Path) -> dict[str, Any]:
    """What ultralytics writes into an .onnx, read as literals: nothing of it is run.

    Raises:
        CliprpnError: weights_mismatch.
    """
    from ultralytics.nn.backends.base import BaseBackend

    facts: dict[str, Any] = dict(BaseBackend.read_metadata(file))
    try:
        for key in ("imgsz", "names", "args", "end2end", "stride"):
            if key in facts:
                facts[key] = ast.literal_eval(facts[key])
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError) as error:
        raise _no_yolo(file, f"metadata of ultralytics, {key} as a literal", str(error)[:200]) from error
    return facts


def _onnx_size(onnx: OnnxFile, own: Any, asked: int | None) -> tuple[tuple[int, int], bool]:
    """Height and width of its input, and whether they are the most that an image may have."""
    shape = onnx.input_shape
    if len(shape) != 4 or shape[1] != 3 or (shape[0] != 1 and not isinstance(shape[0], str)):
        raise _no_yolo(onnx.file, "an input of 1x3xHxW", describe(shape))
    height, width = shape[2:]
    if isinstance(height, int) and isinstance(width, int):
        if asked is not None and (height, width) != (asked, asked):
            raise CliprpnError(
                "weights_mismatch",
                f"{onnx.file}: expected weights for images of {asked} px, as image_size_px says, found some for "
                f"{height}x{width} only; leave image_size_px out",
            )
        return (height, width), False
    if asked is not None:
        return (asked, asked), True
    fits = isinstance(own, list) and all(isinstance(side, int) and 0 < side <= MAX_SIDE_PX for side in own)
    if fits and len(own) == 2:
        return (own[0], own[1]), True
    expected = f"metadata of ultralytics with imgsz, two sides of at most {MAX_SIDE_PX}"
    raise _no_yolo(onnx.file, expected, str(own)[:100])


def torch_network(file: Path, image_size_px: int | None, device: torch.device, max_boxes: int) -> Network:
    """Runs whatever code the file holds.

    Raises:
        CliprpnError: weights_mismatch.
    """
    from ultralytics.nn.tasks import DetectionModel, RTDETRDetectionModel, load_checkpoint

    model: Any
    try:
        model = load_checkpoint(file)[0]
    except Exception as error:  # A stranger's pickle raises whatever it likes.
        raise _not_loaded(file, error) from error
    _check_task(file, getattr(model, "task", None))
    kinds: tuple[Any, Any] = DetectionModel, RTDETRDetectionModel
    if not isinstance(model, kinds[0]) or isinstance(model, kinds[1]):
        raise _no_yolo(file, "a YOLO that detects", type(model).__name__)
    classes = _names(file, model.names)
    own = model.args.get("imgsz", 640)
    side = image_size_px or int(own if isinstance(own, int) else max(own))
    stride = max(int(model.stride.max()), 32)
    model = model.fuse(verbose=False).to(device).eval().requires_grad_(False)
    if device.type == "cpu":
        model = model.to(memory_format=torch.channels_last)
    end_to_end = bool(getattr(model, "end2end", False))
    if end_to_end:
        model.set_head_attr(max_det=max(max_boxes, 300))

    def raw(inputs: Tensor) -> Tensor:
        found = model(inputs.to(device))
        return found[0] if isinstance(found, (tuple, list)) else found

    return Network(raw, classes, (side, side), stride, True, end_to_end, BATCH, None, None)


def _not_loaded(file: Path, error: Exception) -> CliprpnError:
    if "originally trained" in str(error):
        return CliprpnError(
            "weights_mismatch",
            f"{file}: expected a YOLO of the package ultralytics, found one of the older yolov5 repository, which it "
            "cannot load; its own yolov5su.pt stands in for yolov5s.pt, and detections that the original made can come "
            "as COCO results JSON",
        )
    words = str(error).strip().partition("\n")[0][:300]
    return _no_yolo(file, "a .pt that ultralytics can load", f"{type(error).__name__}: {words}")


def _check_task(file: Path, task: Any) -> None:
    if task != "detect":
        found = (
            f"one for the task {task}"
            if isinstance(task, str)
            else "none of its metadata (a YOLOX is opened as `yolox`)"
        )
        raise _no_yolo(file, "a YOLO that detects, made by ultralytics", found)


def _names(file: Path, names: Any) -> list[str]:
    """Classes in their order."""
    listed = dict(enumerate(names)) if isinstance(names, list) else names
    if isinstance(listed, dict) and len(listed) > 0 and set(listed) == set(range(len(listed))):
        texts = [str(listed[number]) for number in range(len(listed))]
        if all(is_text(text) for text in texts):
            return texts
    raise _no_yolo(file, "names of classes 0, 1, 2, ... in ultralytics' metadata", ascii(names)[:100])


def _no_yolo(file: Path, expected: str, found: str) -> CliprpnError:
    return CliprpnError("weights_mismatch", f"{file}: expected {expected}, found {found}")
