"""What the exporter of a YOLO wrote into an .onnx: its task, class names, input size."""

from __future__ import annotations

import ast
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cliprpn.data.checks import is_text
from cliprpn.detectors.onnx_repositories import USE_FILE
from cliprpn.errors import CliprpnError


@dataclass(frozen=True)
class YoloMetadata:
    """Facts about an exported YOLO.

    Attributes:
        classes: class names, in the detector's order; None if the file has none.
        task: what ultralytics exported it for; None if it is not an export of ultralytics.
        end_to_end: whether the graph includes the choice of the final boxes.
        is_rtdetr: whether it is an RT-DETR of ultralytics.
        stride: pixels.
        image_size: height and width in pixels; None if the file has none.
        has_stride: whether the file tells the stride, as exports of the yolov5 repository and of ultralytics do.
    """

    classes: list[str] | None
    task: str | None
    end_to_end: bool
    is_rtdetr: bool
    stride: int
    image_size: tuple[int, int] | None
    has_stride: bool


def parse_metadata(file: Path, entries: dict[str, str]) -> YoloMetadata:
    """Reads metadata as Python or JSON literals; nothing is executed.

    Raises:
        CliprpnError: weights_mismatch.
    """
    values = {
        key: _parse(file, key, entries[key])
        for key in ("imgsz", "names", "args", "end2end", "stride")
        if key in entries
    }
    export_args = values.get("args")
    nms = isinstance(export_args, dict) and bool(export_args.get("nms"))
    title = f"{entries.get('head', '')} {entries.get('description', '')}"
    return YoloMetadata(
        classes=number_classes(file, values["names"]) if "names" in values else None,
        task=entries.get("task"),
        # YOLOv10 was exported before ultralytics wrote `end2end`.
        end_to_end=bool(values.get("end2end")) or nms or ("end2end" not in values and "YOLOv10" in title),
        is_rtdetr=re.search("rt-?detr", title, re.IGNORECASE) is not None,
        stride=_stride(file, values.get("stride", 32)),
        image_size=_image_size(values.get("imgsz")),
        has_stride="stride" in values,
    )


def number_classes(file: Path, names: Any) -> list[str]:
    """Class names in the order of their numbers, which may be written as text.

    Args:
        names: a list, or a dict of names by number.

    Raises:
        CliprpnError: weights_mismatch.
    """
    by_number = dict(enumerate(names)) if isinstance(names, (list, tuple)) else names
    if isinstance(by_number, dict):
        numbered = {_number(key): name for key, name in by_number.items()}
        if 0 < len(numbered) == len(by_number) and set(numbered) == set(range(len(numbered))):
            texts = [str(numbered[number]) for number in range(len(numbered))]
            if all(is_text(text) for text in texts):
                return texts
    raise not_yolo(file, "names of classes 0, 1, 2, ... in its metadata", ascii(names)[:100])


def check_task(file: Path, task: str | None) -> None:
    """
    Raises:
        CliprpnError: weights_mismatch, if the network was made by ultralytics for something else than detection.
    """
    if task not in (None, "detect"):
        oriented = " (rotated boxes)" if task == "obb" else ""
        raise not_yolo(
            file,
            "a YOLO for detection",
            f"one for the task {str(task)[:100]}{oriented}; train one with task=detect, {USE_FILE}",
        )


def not_yolo(file: Path, expected: str, found: str) -> CliprpnError:
    return CliprpnError("weights_mismatch", f"{file}: expected {expected}, found {found}")


def _parse(file: Path, key: str, text: str) -> Any:
    """
    Raises:
        CliprpnError: weights_mismatch.
    """
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        try:
            return json.loads(text)
        except (ValueError, RecursionError) as error:
            expected = f"metadata with {key} as a Python or JSON literal"
            raise not_yolo(file, expected, f"{ascii(text)[:100]}: {str(error)[:100]}") from error


def _number(key: Any) -> Any:
    """The number of a class whose key is that number, or its text; else the key."""
    if isinstance(key, str) and key.isascii() and key.isdecimal() and len(key) < 10:
        return int(key)
    return key


def _stride(file: Path, stride: Any) -> int:
    """
    Raises:
        CliprpnError: weights_mismatch.
    """
    if isinstance(stride, (int, float)) and 1 <= stride <= 4096 and stride == int(stride):
        return int(stride)
    raise not_yolo(file, "metadata with stride, a positive integer", str(stride)[:100])


def _image_size(size: Any) -> tuple[int, int] | None:
    sides = [size, size] if isinstance(size, int) else size
    if isinstance(sides, (list, tuple)) and len(sides) == 2 and all(isinstance(side, int) for side in sides):
        return (sides[0], sides[1])
    return None
