"""Which layout the output of an exported YOLO has, and its conversion to the layout that ultralytics' NMS reads.

Published exports, with C classes and N cells (one per position of each stride):

    ultralytics       [B, 4 + C, N]    cxcywh, pixels; C class scores
    with NMS          [B, M, 6]        xyxy, pixels; score; class
    yolov5, yolov7    [B, 3 N, 5 + C]  cxcywh, pixels; objectness; C class probabilities
    yolov7 with NMS   [M, 7]           image; xyxy, pixels; class; score
    RT-DETR           [B, Q, 4 + C]    cxcywh, shares of the sides; C class scores
    RT-DETR, top k    [B, Q, 6]        cxcywh, shares of the sides; score; class
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor
from torchvision.ops import box_convert

from cliprpn.detectors.onnx_file import format_shape
from cliprpn.detectors.onnx_repositories import USE_FILE
from cliprpn.detectors.yolo_metadata import YoloMetadata, not_yolo
from cliprpn.errors import CliprpnError

STRIDES_PX = ((8, 16, 32), (8, 16, 32, 64), (4, 8, 16, 32), (16, 32))
NUM_ANCHORS = 3


@dataclass(frozen=True)
class YoloLayout:
    """How to read the output of a graph.

    Attributes:
        convert: maps an output to [B, 4 + C, N], or to [B, M, 6] if `end_to_end`; both in pixels of the input.
        end_to_end: whether the boxes are final.
        stretched: whether images are stretched to the input's size, and not letterboxed.
    """

    convert: Callable[[Tensor], Tensor]
    end_to_end: bool = False
    stretched: bool = False


def find_layout(
    file: Path, metadata: YoloMetadata, num_classes: int | None, output: Tensor, size: tuple[int, int]
) -> YoloLayout:
    """The layout of a graph's output.

    Args:
        num_classes: None if no class names are known.
        output: the output for one gray image.
        size: height and width of the input, pixels.

    Raises:
        CliprpnError: weights_mismatch, if the layout is not certain.
    """
    shape = tuple(output.shape)
    if num_classes is None:
        raise _without_names(file, shape, size)
    layout = _layout(metadata, num_classes, output, size)
    if layout is None:
        raise _unknown(file, metadata, num_classes, shape, size)
    return layout


def _layout(
    metadata: YoloMetadata, num_classes: int, output: Tensor, size: tuple[int, int]
) -> YoloLayout | None:
    shape = tuple(output.shape)
    if len(shape) == 2:
        return (
            YoloLayout(_from_yolov7_nms, end_to_end=True) if shape[1] == 7 and metadata.task is None else None
        )
    if len(shape) != 3 or shape[0] != 1 or (0 in shape[1:] and not metadata.end_to_end):
        return None
    rows, columns = shape[1:]
    if metadata.is_rtdetr or _has_rtdetr_boxes(metadata, num_classes, output, size):
        return _rtdetr(num_classes, output, size)
    if metadata.end_to_end:
        return YoloLayout(_unchanged, end_to_end=True) if columns == 6 else None
    if rows == 4 + num_classes and columns != 6:
        return YoloLayout(_in_pixels(output, size))
    if columns == 4 + num_classes and rows in cell_counts(size):
        return YoloLayout(_after(_transpose, _in_pixels(_transpose(output), size)))
    # YOLOv7 with one class outputs a class probability that means nothing, YOLOv5 one that counts.
    known_rule = num_classes > 1 or metadata.has_stride
    if columns == 5 + num_classes and rows in _anchor_counts(size) and known_rule:
        return YoloLayout(_after(_from_yolov5, _in_pixels(_from_yolov5(output), size)))
    return None


def cell_counts(size: tuple[int, int]) -> set[int]:
    """Numbers of cells that a YOLO may have, by its strides."""
    height, width = size
    return {sum((height // stride) * (width // stride) for stride in strides) for strides in STRIDES_PX}


def _anchor_counts(size: tuple[int, int]) -> set[int]:
    return {NUM_ANCHORS * num_cells for num_cells in cell_counts(size)}


def _unchanged(output: Tensor) -> Tensor:
    return output


def _transpose(output: Tensor) -> Tensor:
    return output.transpose(1, 2)


def _after(first: Callable[[Tensor], Tensor], then: Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
    return lambda output: then(first(output))


def _in_pixels(output: Tensor, size: tuple[int, int]) -> Callable[[Tensor], Tensor]:
    """Scales boxes that are shares of the input's sides, as exports by way of TensorFlow have.

    The centers of a YOLO's boxes are spread over the whole input, so the largest one tells.

    Args:
        output: [1, 4 + C, N], for one image.
    """
    centers = output[0, :2]
    largest, spread = float(centers.max()), float(centers.max() - centers.min())
    if not (largest <= 2 and spread > 0.1):
        return _unchanged
    scale = torch.ones(output.shape[1], 1)
    scale[:4, 0] = torch.tensor([size[1], size[0]] * 2)
    return lambda raw: raw * scale


def _from_yolov5(output: Tensor) -> Tensor:
    """[B, 3 N, 5 + C] with objectness to [B, 4 + C, 3 N]: a score is objectness times class probability."""
    scores = output[..., 4:5] * output[..., 5:]
    return torch.cat([output[..., :4], scores], dim=2).transpose(1, 2)


def _from_yolov7_nms(output: Tensor) -> Tensor:
    """[M, 7] of one image to [1, M, 6]; other images of the batch are padding."""
    rows = output[output[:, 0] == 0]
    return torch.cat([rows[:, 1:5], rows[:, 6:7], rows[:, 5:6]], dim=1)[None]


def _rtdetr(num_classes: int, output: Tensor, size: tuple[int, int]) -> YoloLayout | None:
    scale = torch.tensor([size[1], size[0]] * 2)

    def final(boxes: Tensor, scores: Tensor, labels: Tensor) -> Tensor:
        boxes = box_convert(boxes, "cxcywh", "xyxy") * scale
        detections = torch.cat([boxes, scores[..., None], labels[..., None]], dim=2)
        order = scores.argsort(dim=1, descending=True, stable=True)
        return detections.gather(1, order[..., None].expand_as(detections))

    def from_top_k(raw: Tensor) -> Tensor:
        return final(raw[..., :4], raw[..., 4], raw[..., 5])

    def from_scores(raw: Tensor) -> Tensor:
        scores, labels = raw[..., 4:].max(dim=2)
        return final(raw[..., :4], scores, labels.to(raw.dtype))

    columns = output.shape[2]
    if columns == 6 and (num_classes != 2 or _is_top_k(output)):
        return YoloLayout(from_top_k, end_to_end=True, stretched=True)
    if columns == 4 + num_classes:
        return YoloLayout(from_scores, end_to_end=True, stretched=True)
    return None


def _has_rtdetr_boxes(
    metadata: YoloMetadata, num_classes: int, output: Tensor, size: tuple[int, int]
) -> bool:
    """Whether an export of ultralytics without a description is an RT-DETR: it alone has a row per box in shares."""
    rows, columns = output.shape[1:]
    boxes = output[..., :4]
    return (
        metadata.task is not None
        and not metadata.end_to_end
        and columns == 4 + num_classes != 6
        and rows not in cell_counts(size)
        and bool((boxes >= 0).all() and (boxes <= 1).all() and (boxes > 0).any())
    )


def _is_top_k(output: Tensor) -> bool:
    """Whether [1, Q, 6] is score and class, not the scores of two classes: the score falls, the class is a number."""
    scores, labels = output[0, :, 4], output[0, :, 5]
    return bool((scores.diff() <= 0).all() and (labels == labels.round()).all())


def _without_names(file: Path, shape: tuple[int, ...], size: tuple[int, int]) -> CliprpnError:
    found = "an .onnx without class names"
    cells, anchors = cell_counts(size), _anchor_counts(size)
    if len(shape) == 3 and shape[1] in anchors and shape[2] > 5:
        what, num_classes = "the layout of the yolov5 and yolov7 repositories", shape[2] - 5
    elif len(shape) == 3 and shape[2] in cells and shape[1] > 4:
        what, num_classes = "the layout of ultralytics", shape[1] - 4
    elif len(shape) == 3 and shape[1] in cells and shape[2] > 5:
        what = "that of a YOLOX or YOLOv6 (open a YOLOX with the detector `yolox`)"
        return not_yolo(
            file, "a YOLO of ultralytics", f"{found} whose output, {format_shape(list(shape))}, has {what}"
        )
    elif len(shape) == 2 and shape[1] == 7:
        what, num_classes = "the layout of the yolov7 repository with NMS", None
    else:
        return not_yolo(
            file,
            "a YOLO of ultralytics or of the yolov5 or yolov7 repository",
            f"{found} with an output of {format_shape(list(shape))}; export it with ultralytics, {USE_FILE}",
        )
    count = "" if num_classes is None else f"{num_classes} "
    return not_yolo(
        file,
        "class names in its metadata",
        f"none; its output, {format_shape(list(shape))}, has {what}: list the {count}class names in the "
        "detector's order in `classes` (baseline --class-name A --class-name B)",
    )


def _unknown(
    file: Path, metadata: YoloMetadata, num_classes: int, shape: tuple[int, ...], size: tuple[int, int]
) -> CliprpnError:
    expected = f"an output of 1x{4 + num_classes}xN for {num_classes} class{'es' if num_classes > 1 else ''}"
    found = format_shape(list(shape))
    columns = shape[2] if len(shape) == 3 else 0
    if metadata.is_rtdetr:
        return not_yolo(file, f"an RT-DETR with an output of 1xNx{4 + num_classes} or 1xNx6", found)
    if metadata.end_to_end:
        return not_yolo(file, "an output of 1xNx6, as its metadata says that the boxes are final", found)
    if columns == 5 + num_classes and shape[1] in _anchor_counts(size):
        return not_yolo(
            file,
            "a YOLO whose repository is known",
            f"{found}, which yolov5 and yolov7 read differently for one class; export it with ultralytics, {USE_FILE}",
        )
    if columns == 5 + num_classes and shape[1] in cell_counts(size):
        return not_yolo(
            file,
            expected,
            f"{found}: a YOLOX or YOLOv6 (open a YOLOX with the detector `yolox`); {USE_FILE[3:]}",
        )
    if columns in (6, 4 + num_classes):
        return not_yolo(
            file,
            expected,
            f"{found}, the layout of an RT-DETR or of a YOLO with final boxes (YOLOv10, YOLO26), and nothing in its "
            f"metadata that says which; export it with ultralytics 8.4 or newer, {USE_FILE}",
        )
    num_found = shape[1] - 4 if len(shape) == 3 and shape[2] in cell_counts(size) else None
    hint = "" if num_found is None else f", which has {num_found} classes"
    return not_yolo(file, expected, f"{found}{hint}")
