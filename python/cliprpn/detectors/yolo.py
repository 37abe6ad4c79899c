"""YOLO models of ultralytics: .onnx with onnxruntime, .pt with torch; ultralytics' letterbox and NMS."""

from __future__ import annotations

import ast
import math
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from cliprpn.data.checks import is_text
from cliprpn.detectors.onnx_file import OnnxFile, format_shape, open_onnx
from cliprpn.detectors.proposals import Proposals, make_proposals
from cliprpn.detectors.ultralytics_env import quiet_ultralytics
from cliprpn.errors import CliprpnError

# Batch size of a .pt.
TORCH_BATCH_SIZE = 16
# The same limit as image_size_px: an untrusted file may ask for more memory than there is.
MAX_SIDE_PX = 4096


class UltralyticsYolo:
    """Batches only images of the same letterboxed size, so an image's boxes do not depend on the rest of its batch.

    Attributes:
        classes: class names, in the detector's order.
        warning: message for the user if the detector does not run on the requested device; else None.
    """

    def __init__(self, network: YoloNetwork, score_thresh: float, nms_thresh: float, max_boxes: int) -> None:
        self.classes, self.warning = network.classes, network.warning
        self._network = network
        self._score_thresh, self._nms_thresh, self._max_boxes = score_thresh, nms_thresh, max_boxes

    def detect(self, images: list[Tensor]) -> list[Proposals]:
        """
        Args:
            images: each [3, H, W], uint8, RGB; sizes may differ.
        """
        num_threads = torch.get_num_threads()
        try:
            torch.set_num_threads(self._network.num_threads or num_threads)
            with torch.inference_mode():
                return self._detect(images)
        finally:
            torch.set_num_threads(num_threads)

    def _detect(self, images: list[Tensor]) -> list[Proposals]:
        from ultralytics.data.augment import LetterBox

        network = self._network
        letterbox = LetterBox(network.size, auto=network.flexible, stride=network.stride)
        groups: dict[tuple[int, ...], list[tuple[int, np.ndarray]]] = defaultdict(list)
        for i, image in enumerate(images):
            padded: Any = letterbox(image=np.ascontiguousarray(image.permute(1, 2, 0).numpy()))
            groups[padded.shape].append((i, padded))
        proposals: dict[int, Proposals] = {}
        for group in groups.values():
            for start in range(0, len(group), network.batch):
                positions, padded_images = zip(*group[start : start + network.batch], strict=True)
                batch = np.stack(padded_images).transpose(0, 3, 1, 2)  # [B, 3, h, w]
                inputs = torch.from_numpy(np.ascontiguousarray(batch)).float() / 255
                for i, detections in zip(positions, self._suppress(network.forward(inputs)), strict=True):
                    proposals[i] = self._scale_back(detections, inputs.shape[2:], images[i])
        return [proposals[i] for i in range(len(images))]

    def _suppress(self, raw: Tensor) -> list[Tensor]:
        """NMS. Returns [N, 6] per image: xyxy in pixels of the network's input, score, class."""
        from ultralytics.utils.nms import non_max_suppression

        return non_max_suppression(
            raw,
            self._score_thresh,
            self._nms_thresh,
            max_det=self._max_boxes,
            max_time_img=math.inf,  # Its time limit would drop the boxes of images on a busy machine.
            end2end=self._network.end_to_end,
        )

    def _scale_back(self, detections: Tensor, input_shape: Any, image: Tensor) -> Proposals:
        """Scales boxes from the network's input to the image."""
        from ultralytics.utils.ops import scale_boxes

        height, width = image.shape[1:]
        detections = detections.cpu()
        boxes: Any = scale_boxes(tuple(input_shape), detections[:, :4].clone(), (height, width))
        labels = detections[:, 5]
        if not (
            (labels >= 0) & (labels < len(self.classes))
        ).all():  # An end-to-end graph may output any label.
            raise CliprpnError(
                "weights_mismatch",
                f"expected classes 0 to {len(self.classes) - 1} from the YOLO, found others",
            )
        names = [self.classes[int(label)] for label in labels.tolist()]
        return make_proposals(boxes, detections[:, 4], names, width, height)


def open_yolo(
    file: Path,
    image_size_px: int | None,
    score_thresh: float,
    nms_thresh: float,
    max_boxes: int,
    device: torch.device,
    cache_dir: Path,
    trusted: bool,
) -> UltralyticsYolo:
    """
    Args:
        file: .onnx, exported by ultralytics; or .pt, which executes code when loaded.
        image_size_px: side of the square input; None for the size stored with the weights.
        score_thresh: boxes with a lower score are dropped.
        nms_thresh: of two boxes of one class with a higher IoU, only the better one is kept.
        max_boxes: maximum number of boxes per image.
        cache_dir: ultralytics' settings files go below it.
        trusted: whether a .pt may be loaded.

    Raises:
        CliprpnError: package_missing, weights_missing, weights_unsafe, weights_mismatch.
    """
    suffix = file.suffix.lower()
    if suffix not in (".onnx", ".pt"):
        raise CliprpnError(
            "weights_mismatch", f"{file}: expected a YOLO as .onnx or .pt, found {suffix or 'no suffix'}"
        )
    if not file.is_file():
        raise CliprpnError("weights_missing", f"{file}: expected the weights of a YOLO, found no file")
    if suffix == ".pt" and not trusted:
        raise CliprpnError(
            "weights_unsafe",
            f"{file}: a .pt can run code when loaded; if you trust its source, add --trust-weights, otherwise export "
            "it to .onnx (yolo export format=onnx)",
        )
    with quiet_ultralytics(cache_dir):
        network = (
            open_onnx_network(file, image_size_px, device)
            if suffix == ".onnx"
            else open_torch_network(file, image_size_px, device, max_boxes)
        )
        detector = UltralyticsYolo(network, score_thresh, nms_thresh, max_boxes)
        # Warm-up: does ultralytics' remaining imports inside this context, and fails early on unusable weights.
        detector.detect([torch.full((3, 64, 64), 114, dtype=torch.uint8)])
    return detector


@dataclass(frozen=True)
class YoloNetwork:
    """A YOLO's forward pass on letterboxed images.

    Attributes:
        forward: [B, 3, h, w], float32, RGB, 0 to 1, to [B, 4 + C, N], boxes cxcywh in pixels and class scores; for
            end-to-end networks to [B, N, 6]: xyxy, score, class.
        size: height and width of the input in pixels; the maximum if `flexible`.
        flexible: whether an image is only padded to the next multiple of `stride`.
        end_to_end: whether the network includes NMS.
        batch: batch size.
        num_threads: torch's threads during a forward pass; None: unchanged.
        warning: message for the user if it does not run on the requested device; else None.
    """

    forward: Callable[[Tensor], Tensor]
    classes: list[str]
    size: tuple[int, int]
    stride: int
    flexible: bool
    end_to_end: bool
    batch: int
    num_threads: int | None
    warning: str | None


def open_onnx_network(file: Path, image_size_px: int | None, device: torch.device) -> YoloNetwork:
    """
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
        wanted not in (None, side) for wanted, side in zip(expected_shape, output.shape, strict=True)
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
    """Height and width of the input, and whether they are only the maximum."""
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
    """Executes any code in the file: call it for trusted files only.

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
    if task != "detect":
        found = (
            f"one for the task {task}"
            if isinstance(task, str)
            else "no ultralytics metadata (open a YOLOX with the detector `yolox`)"
        )
        raise _not_yolo(file, "a YOLO for detection, made by ultralytics", found)


def _class_names(file: Path, names: Any) -> list[str]:
    """Class names in their order."""
    by_number = dict(enumerate(names)) if isinstance(names, list) else names
    if isinstance(by_number, dict) and len(by_number) > 0 and set(by_number) == set(range(len(by_number))):
        texts = [str(by_number[number]) for number in range(len(by_number))]
        if all(is_text(text) for text in texts):
            return texts
    raise _not_yolo(file, "names of classes 0, 1, 2, ... in ultralytics metadata", ascii(names)[:100])


def _not_yolo(file: Path, expected: str, found: str) -> CliprpnError:
    return CliprpnError("weights_mismatch", f"{file}: expected {expected}, found {found}")
