"""YOLOX (Ge et al. 2021), exported to .onnx without its decoding."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import Tensor
from torch.nn.functional import interpolate
from torchvision.ops import batched_nms

from cliprpn.boxes import clip_boxes
from cliprpn.detectors.coco_classes import coco_classes
from cliprpn.detectors.onnx_file import OnnxFile, format_shape, open_onnx
from cliprpn.detectors.proposals import Proposals, make_proposals
from cliprpn.errors import CliprpnError

STRIDES_PX = (8, 16, 32)
GRAY = 114


class OnnxYolox:
    """A YOLOX as a detector.

    Processes one image at a time, so an image's boxes do not depend on the rest of its batch.

    Attributes:
        classes: class names, in the detector's order.
        warning: message for the user if the detector does not run on the requested device; else None.
    """

    def __init__(
        self, onnx: OnnxFile, classes: list[str], score_thresh: float, nms_thresh: float, max_boxes: int
    ) -> None:
        self.classes = classes
        self.warning = onnx.warning
        self._onnx = onnx
        self._score_thresh, self._nms_thresh, self._max_boxes = score_thresh, nms_thresh, max_boxes
        self._height, self._width = _input_size(onnx)
        self._cells = grid_cells(self._height, self._width)
        _check_output(onnx, self._cells, classes, self._height, self._width)

    def detect(self, images: list[Tensor]) -> list[Proposals]:
        """Detects objects in images.

        Args:
            images: each [3, H, W], uint8, RGB; sizes may differ.
        """
        with _one_thread():
            return [self._detect(image) for image in images]

    def _detect(self, image: Tensor) -> Proposals:
        padded, scale_xy = letterbox(image, self._height, self._width, GRAY)
        raw = self._onnx(padded.flip(0).float()[None])[0]  # [N, 5 + C], from BGR
        likely = raw[:, 4] >= self._score_thresh  # A score is at most its objectness.
        raw, cells = raw[likely], self._cells[likely]
        class_scores, labels = raw[:, 5:].max(dim=1)
        scores = (raw[:, 4] * class_scores).double()
        keep = scores >= self._score_thresh
        boxes = decode(raw[keep], cells[keep]) / scale_xy.repeat(2)
        height, width = image.shape[1:]
        return self._suppress(boxes, scores[keep], labels[keep], height, width)

    def _suppress(self, boxes: Tensor, scores: Tensor, labels: Tensor, height: int, width: int) -> Proposals:
        """Per-class NMS.

        Boxes are clipped first: `batched_nms` separates classes by an offset of the largest coordinate.
        """
        finite = boxes.isfinite().all(dim=1) & scores.isfinite()
        boxes = clip_boxes(boxes[finite], torch.tensor([[width, height]], dtype=torch.float64))
        scores, labels = scores[finite], labels[finite]
        keep = batched_nms(boxes, scores, labels, self._nms_thresh)[: self._max_boxes]
        names = [self.classes[label] for label in labels[keep].tolist()]
        return make_proposals(boxes[keep], scores[keep], names, width, height)


def open_yolox(
    file: Path,
    classes: list[str] | None,
    score_thresh: float,
    nms_thresh: float,
    max_boxes: int,
    device: torch.device,
) -> OnnxYolox:
    """Opens a YOLOX of any size; the input size is read from the file.

    Args:
        file: an .onnx. Input: 1x3xHxW, BGR, 0 to 255. Output: 1xNx(5+C), per cell of strides 8, 16 and 32: center
            offsets, log sizes, objectness and C class probabilities.
        classes: C names in the detector's order; None for COCO's 80.
        score_thresh: boxes with a lower score (objectness times class probability) are dropped.
        nms_thresh: of two boxes of one class with a higher IoU, only the better one is kept.
        max_boxes: maximum number of boxes per image.

    Raises:
        CliprpnError: package_missing, weights_missing, weights_mismatch.
    """
    names = coco_classes() if classes is None else classes
    return OnnxYolox(open_onnx(file, device), names, score_thresh, nms_thresh, max_boxes)


def letterbox(image: Tensor, height: int, width: int, fill: int) -> tuple[Tensor, Tensor]:
    """Resizes an image to fit, keeping its aspect ratio, into the top left corner; the rest is filled.

    Sides are rounded down and pixels interpolated without antialiasing, as `cv2.resize` does in YOLOX's `preproc`.

    Args:
        image: [C, H, W], uint8.
        height: of the result, pixels.
        width: of the result, pixels.
        fill: value of the pixels outside the image.

    Returns:
        padded: [C, height, width], uint8.
        scale_xy: [2], float64: pixels of the result per pixel of the image.
    """
    image_height, image_width = image.shape[1:]
    ratio = min(height / image_height, width / image_width)
    inner = [max(1, int(side * ratio)) for side in (image_height, image_width)]
    padded = image.new_full((image.shape[0], height, width), fill)
    resized = image if inner == [image_height, image_width] else _resize_bilinear(image, inner)
    padded[:, : inner[0], : inner[1]] = resized
    scale_xy = torch.tensor([inner[1] / image_width, inner[0] / image_height], dtype=torch.float64)
    return padded, scale_xy


def _resize_bilinear(image: Tensor, size: list[int]) -> Tensor:
    return interpolate(image[None], size=size, mode="bilinear", align_corners=False)[0]


def grid_cells(height: int, width: int) -> Tensor:
    """Column, row and stride of every cell, the finest grid first, in row-major order.

    Args:
        height: of the input, pixels; a multiple of 32.
        width: of the input, pixels; a multiple of 32.

    Returns:
        [N, 3], float64: column, row, stride in pixels.
    """
    grids = []
    for stride in STRIDES_PX:
        rows, columns = torch.arange(height // stride), torch.arange(width // stride)
        row, column = torch.meshgrid(rows, columns, indexing="ij")
        grids.append(torch.stack([column, row, torch.full_like(row, stride)], dim=-1).reshape(-1, 3))
    return torch.cat(grids).double()


def decode(raw: Tensor, cells: Tensor) -> Tensor:
    """Decodes boxes: center = (cell + offset) * stride, size = exp(log size) * stride.

    Args:
        raw: [N, >=4]: offset x, offset y, log width, log height.
        cells: [N, 3], from `grid_cells`.

    Returns:
        [N, 4], float64, xyxy, pixels of the input.
    """
    strides = cells[:, 2:]
    centers = (raw[:, :2].double() + cells[:, :2]) * strides
    half_sizes = raw[:, 2:4].double().exp() * strides / 2
    return torch.cat([centers - half_sizes, centers + half_sizes], dim=1)


@contextmanager
def _one_thread() -> Iterator[None]:
    """Limits torch to one thread; onnxruntime has its own.

    Measured on two busy cores: 15 ms of CPU time per image instead of 59. torch's share is 2 ms; the rest was threads
    waiting for other threads.
    """
    num_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(num_threads)


def _input_size(onnx: OnnxFile) -> tuple[int, int]:
    """Height and width of the graph's input, pixels.

    Raises:
        CliprpnError: weights_mismatch.
    """
    shape = onnx.input_shape
    sides = [side for side in shape[2:] if isinstance(side, int) and side > 0 and side % STRIDES_PX[-1] == 0]
    if len(shape) == 4 and shape[1] == 3 and len(sides) == 2:
        return sides[0], sides[1]
    raise _not_yolox(onnx, "an input of 1x3xHxW, H and W multiples of 32", format_shape(shape))


def _check_output(onnx: OnnxFile, cells: Tensor, classes: list[str], height: int, width: int) -> None:
    """Runs the graph on a gray image and checks that the output is YOLOX's.

    Raises:
        CliprpnError: weights_mismatch.
    """
    output = onnx(torch.full((1, 3, height, width), float(GRAY)))
    num_classes = output.shape[-1] - 5 if output.ndim == 3 else 0
    if list(output.shape[:2]) != [1, len(cells)] or num_classes < 1:
        found = format_shape(list(output.shape))
        raise _not_yolox(onnx, f"an output of 1x{len(cells)}x(5 + classes)", found)
    if num_classes != len(classes):
        raise CliprpnError(
            "weights_mismatch",
            f"{onnx.file}: expected {len(classes)} classes, one per class name, found {num_classes}; list the "
            "detector's classes in order in `classes` (default: COCO's 80)",
        )
    raw = output[0].double()
    if _is_decoded(raw, cells):
        raise _not_yolox(onnx, "boxes as offsets from cells", "boxes in pixels; export without decoding")
    # The tolerance of 0.01 allows for a quantized sigmoid.
    if not ((raw[:, 4:] > -0.01) & (raw[:, 4:] < 1.01)).all():
        raise _not_yolox(onnx, "probabilities in [0, 1]", "values outside [0, 1]; export with the sigmoid")


def _is_decoded(raw: Tensor, cells: Tensor) -> bool:
    """Whether the graph outputs boxes in pixels: then x and y lie near their cells. Offsets are at most a few cells."""
    cells_px = cells[:, :2] * cells[:, 2:]
    from_cell, from_corner = (raw[:, :2] - cells_px).abs().median(), raw[:, :2].abs().median()
    return bool(from_cell < from_corner / 2)


def _not_yolox(onnx: OnnxFile, expected: str, found: str) -> CliprpnError:
    hint = (
        "; open an export of ultralytics or yolov5 with the detector `yolo`"
        if "names" in onnx.metadata
        else ""
    )
    return CliprpnError(
        "weights_mismatch",
        f"{onnx.file}: not a YOLOX exported without decoding: expected {expected}, found {found}{hint}",
    )
