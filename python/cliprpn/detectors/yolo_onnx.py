"""Opens a YOLO as .onnx: exports of ultralytics, and of the yolov5 and yolov7 repositories."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from cliprpn.detectors.onnx_file import MAX_SIDE_PX, OnnxFile, format_shape, open_onnx
from cliprpn.detectors.yolo_layouts import find_layout
from cliprpn.detectors.yolo_metadata import YoloMetadata, check_task, not_yolo, parse_metadata
from cliprpn.detectors.yolo_network import YoloNetwork, choose_classes
from cliprpn.errors import CliprpnError


def open_onnx_network(
    file: Path, image_size_px: int | None, classes: list[str] | None, device: torch.device
) -> YoloNetwork:
    """Opens an .onnx and finds the layout of its output by its metadata and by a run on a gray image.

    Args:
        classes: class names, in the detector's order; None for those in the metadata.

    Raises:
        CliprpnError: package_missing, weights_missing, weights_mismatch.
    """
    onnx = open_onnx(file, device)
    metadata = parse_metadata(file, onnx.metadata)
    check_task(file, metadata.task)
    names = choose_classes(file, classes, metadata.classes)
    channels = _num_channels(onnx)
    size, flexible = _input_size(onnx, metadata, image_size_px)
    output = onnx(torch.full((1, channels, *size), 114 / 255))
    layout = find_layout(file, metadata, None if names is None else len(names), output, size)
    if names is None:
        raise CliprpnError("internal", f"{file}: expected a layout only with class names")

    def forward(images: Tensor) -> Tensor:
        return layout.convert(onnx(images))

    return YoloNetwork(
        forward=forward,
        classes=names,
        size=size,
        stride=metadata.stride,
        flexible=flexible and not layout.stretched,
        stretched=layout.stretched,
        num_channels=channels,
        end_to_end=layout.end_to_end,
        batch_size=1 if output.ndim == 2 else onnx.batch_size,
        num_threads=1,
        warning=onnx.warning,
    )


def _num_channels(onnx: OnnxFile) -> int:
    """1 for gray images, 3 for RGB.

    Raises:
        CliprpnError: weights_mismatch.
    """
    shape = onnx.input_shape
    if len(shape) == 4 and shape[1] in (1, 3):
        return int(shape[1])
    channels_last = len(shape) == 4 and shape[3] in (1, 3)
    hint = ", with channels last: export it again from PyTorch" if channels_last else ""
    raise not_yolo(
        onnx.file, "an input of 1x3xHxW, or 1x1xHxW for gray images", f"{format_shape(shape)}{hint}"
    )


def _input_size(
    onnx: OnnxFile, metadata: YoloMetadata, image_size_px: int | None
) -> tuple[tuple[int, int], bool]:
    """Height and width of the input, and whether they are only the maximum.

    Raises:
        CliprpnError: weights_mismatch.
    """
    height, width = onnx.input_shape[2:]
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
    size = metadata.image_size
    if size is not None and all(0 < side <= MAX_SIDE_PX for side in size):
        return size, True
    raise not_yolo(
        onnx.file,
        f"a fixed input size, or metadata with imgsz, two sides of at most {MAX_SIDE_PX}",
        f"{str(onnx.metadata.get('imgsz', 'none'))[:100]}; set image_size_px",
    )
