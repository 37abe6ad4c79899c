"""YOLOX (Ge et al. 2021), exported to .onnx without its decoding."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import Tensor
from torchvision.ops import batched_nms

from cliprpn.boxes import clip_boxes
from cliprpn.detectors.coco_classes import coco_classes
from cliprpn.detectors.letterbox import letterbox
from cliprpn.detectors.onnx_file import OnnxFile, describe, open_onnx
from cliprpn.detectors.proposals import Proposals, proposals
from cliprpn.errors import CliprpnError

STRIDES_PX = (8, 16, 32)
GREY = 114


class YoloxDetector:
    """Looks at one image at a time, so that an image's boxes do not depend on its neighbours.

    Attributes:
        classes: names of its classes, in its order.
        warning: for a person, where it does not run on the device that was asked for; else None.
    """

    def __init__(
        self, onnx: OnnxFile, classes: list[str], score_thresh: float, nms_thresh: float, max_boxes: int
    ) -> None:
        self.classes = classes
        self.warning = onnx.warning
        self._onnx = onnx
        self._score_thresh, self._nms_thresh, self._max_boxes = score_thresh, nms_thresh, max_boxes
        self._height, self._width = _image_size(onnx)
        self._cells = grid_cells(self._height, self._width)
        _check_output(onnx, self._cells, classes, self._height, self._width)

    def detect(self, pictures: list[Tensor]) -> list[Proposals]:
        """
        Args:
            images: each [3, H, W], uint8, RGB; of any sizes.
        """
        with _one_thread():
            return [self._detect(picture) for picture in pictures]

    def _detect(self, picture: Tensor) -> Proposals:
        boxed, scale_xy = letterbox(picture, self._height, self._width, GREY)
        raw = self._onnx(boxed.flip(0).float()[None])[0]  # [N, 5 + C], of BGR
        likely = raw[:, 4] >= self._score_thresh  # A score is at most its objectness.
        raw, cells = raw[likely], self._cells[likely]
        best, labels = raw[:, 5:].max(dim=1)
        scores = (raw[:, 4] * best).double()
        kept = scores >= self._score_thresh
        boxes = decode(raw[kept], cells[kept]) / scale_xy.repeat(2)
        height, width = picture.shape[1:]
        return self._suppress(boxes, scores[kept], labels[kept], height, width)

    def _suppress(self, boxes: Tensor, scores: Tensor, labels: Tensor, height: int, width: int) -> Proposals:
        """Cut before they are held against each other: `batched_nms` sets classes apart by the largest coordinate."""
        whole = boxes.isfinite().all(dim=1) & scores.isfinite()
        boxes = clip_boxes(boxes[whole], torch.tensor([[width, height]], dtype=torch.float64))
        scores, labels = scores[whole], labels[whole]
        best = batched_nms(boxes, scores, labels, self._nms_thresh)[: self._max_boxes]
        names = [self.classes[label] for label in labels[best].tolist()]
        return proposals(boxes[best], scores[best], names, width, height)


def open_yolox(
    file: Path,
    classes: list[str] | None,
    score_thresh: float,
    nms_thresh: float,
    max_boxes: int,
    device: torch.device,
) -> YoloxDetector:
    """YOLOX of any size; the file tells the side of its input.

    Args:
        file: an .onnx: 1x3xHxW, BGR, 0 to 255 in; 1xNx(5+C) out: offsets, logarithms of sides, objectness and
            the C classes' probabilities of cells of 8, 16 and 32 pixels.
        classes: C names in the detector's order; None for COCO's 80.
        score_thresh: boxes below it are left out, by objectness times probability.
        nms_thresh: of two boxes of one class with a larger IoU, the better one stays.
        max_boxes: at most so many of an image.

    Raises:
        CliprpnError: package_missing, weights_missing, weights_mismatch.
    """
    names = coco_classes() if classes is None else classes
    return YoloxDetector(open_onnx(file, device), names, score_thresh, nms_thresh, max_boxes)


def grid_cells(height: int, width: int) -> Tensor:
    """Place and side of each cell, the finest grid first, row by row.

    Args:
        height: of the input, pixels; a multiple of 32.
        width: likewise.

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
    """Boxes of cells: the centre is an offset from the cell's corner, sides are exponential, both in strides.

    Args:
        raw: [N, >=4]: offset x, offset y, log width, log height.
        cells: [N, 3], of `grid_cells`.

    Returns:
        [N, 4], float64, xyxy, pixels of the input.
    """
    strides = cells[:, 2:]
    centres = (raw[:, :2].double() + cells[:, :2]) * strides
    halves = raw[:, 2:4].double().exp() * strides / 2
    return torch.cat([centres - halves, centres + halves], dim=1)


@contextmanager
def _one_thread() -> Iterator[None]:
    """For torch alone; onnxruntime has its own threads.

    Measured on two busy cores: 15 ms of CPU an image instead of 59, for torch's share is 2 ms, and the rest were
    its threads waiting for each other.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def _image_size(onnx: OnnxFile) -> tuple[int, int]:
    """Height and width of its input, pixels."""
    shape = onnx.input_shape
    sides = [side for side in shape[2:] if isinstance(side, int) and side > 0 and side % STRIDES_PX[-1] == 0]
    one = len(shape) == 4 and (shape[0] == 1 or isinstance(shape[0], str))
    if one and shape[1] == 3 and len(sides) == 2:
        return sides[0], sides[1]
    raise _no_yolox(onnx, "an input of 1x3xHxW, H and W multiples of 32", describe(shape))


def _check_output(onnx: OnnxFile, cells: Tensor, classes: list[str], height: int, width: int) -> None:
    """Holds what it makes of a grey image against what YOLOX would.

    Raises:
        CliprpnError: weights_mismatch.
    """
    output = onnx(torch.full((1, 3, height, width), float(GREY)))
    found = describe(list(output.shape))
    num_classes = output.shape[-1] - 5 if output.ndim == 3 else 0
    if list(output.shape[:2]) != [1, len(cells)] or num_classes < 1:
        raise _no_yolox(onnx, f"an output of 1x{len(cells)}x(5 + classes)", found)
    if num_classes != len(classes):
        raise CliprpnError(
            "weights_mismatch",
            f"{onnx.file}: expected {len(classes)} classes, as many as there are names, found {num_classes}; "
            "`classes` names them in the detector's order (left out: COCO's 80)",
        )
    raw = output[0].double()
    if _is_decoded(raw, cells):
        raise _no_yolox(onnx, "boxes as offsets from cells", "boxes in pixels; export without decoding")
    # A hundredth for a quantised sigmoid.
    if not ((raw[:, 4:] > -0.01) & (raw[:, 4:] < 1.01)).all():
        raise _no_yolox(onnx, "probabilities from 0 to 1", "numbers outside; export with the sigmoid")


def _is_decoded(raw: Tensor, cells: Tensor) -> bool:
    """Whether x and y are pixels near their cells rather than offsets, which are of a few cells at most."""
    cells_px = cells[:, :2] * cells[:, 2:]
    from_cell, from_corner = (raw[:, :2] - cells_px).abs().median(), raw[:, :2].abs().median()
    return bool(from_cell < from_corner / 2)


def _no_yolox(onnx: OnnxFile, expected: str, found: str) -> CliprpnError:
    return CliprpnError(
        "weights_mismatch",
        f"{onnx.file}: this is no YOLOX without its decoding: expected {expected}, found {found}",
    )
