"""Boxes of images that a model saw padded to a square: the conversion, and the check of what was said."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from answer_data import Record, convert, coordinates, index_of, make_expressions, predictions
from made_answers import VAL, make_dataset, prepare_rows
from numpy.typing import NDArray
from user_data import write_jsonl

from cliprpn.answers.coordinates.coordinates import ORDERS, coordinates_text, full_sizes, to_original
from cliprpn.answers.fit.check_fit import check_fit
from cliprpn.contract.generated import Coordinates
from cliprpn.data.index import DatasetIndex
from cliprpn.errors import CliprpnError

Boxes = NDArray[np.float64]
SIZES = np.array(
    [(640, 480), (480, 640), (427, 640), (1281, 720), (500, 375), (333, 500), (512, 512)], dtype=float
)


def square(length: int | None = None, align: str = "center") -> Record:
    return {"kind": "padded", "length": length, "align": align}


def padded_by_hand(box: Boxes, width: float, height: float, length: float, center: bool) -> list[float]:
    """A box, xyxy, in pixels of the square: resized by one factor, then moved by whole pixels."""
    ratio = length / max(width, height)
    left = round((length - round(width * ratio)) / 2 - 0.1) if center else 0
    top = round((length - round(height * ratio)) / 2 - 0.1) if center else 0
    x1, y1, x2, y2 = (box * ratio).tolist()
    return [x1 + left, y1 + top, x2 + left, y2 + top]


def written(boxes: Boxes, said: Coordinates, sizes: Boxes, digits: int | None = None) -> Boxes:
    """Boxes, xyxy, in pixels of their images, as a model writes them whose images were padded."""
    frame: Any = said.frame
    lengths = sizes.max(axis=1) if frame.length is None else np.full(len(sizes), float(frame.length))
    values = np.array(
        [
            padded_by_hand(box, *size, length, frame.align == "center")
            for box, size, length in zip(boxes, sizes.tolist(), lengths.tolist(), strict=True)
        ]
    )
    order, _, unit = said.box_format.partition("_")
    values = values if unit == "" else values / lengths[:, None] * {"norm": 1, "1000": 1000}[unit]
    values = values if digits is None else np.round(values, digits)
    wh = values[:, 2:] - values[:, :2]
    if order == "xyxy":
        return values
    return np.concatenate([values[:, :2] + (wh / 2 if order == "cxcywh" else 0), wh], axis=1)


@pytest.mark.parametrize("align", ["center", "top_left"])
@pytest.mark.parametrize("length", [None, 640, 336, 1023])
@pytest.mark.parametrize("unit", ["", "_norm", "_1000"])
@pytest.mark.parametrize("order", ORDERS)
def test_boxes_of_padded_images_come_back_exactly(
    order: str, unit: str, length: int | None, align: str
) -> None:
    rng = np.random.default_rng(0)
    boxes = np.sort(rng.random((len(SIZES), 2, 2)), axis=1).reshape(-1, 4) * np.tile(SIZES, 2)
    said = coordinates(order + unit, square(length, align))
    back = to_original(written(boxes, said, SIZES), said, SIZES, SIZES)
    assert np.abs(back - boxes).max() < 1e-9
    whole = np.concatenate([np.zeros_like(SIZES), SIZES], axis=1)
    edges = written(whole, coordinates("xyxy" + unit, square(length, align)), SIZES)[:, 2:]
    assert np.abs(full_sizes(said, SIZES, SIZES) - edges).max() < 1e-9


def test_padding_is_that_of_published_code() -> None:
    """Of 640 x 427 in a square of 640, TransVG pads 106 rows above and 107 below; LLaVA the same without resizing."""
    box = np.array([[0.5, (106 + 427 / 2) / 640, 1.0, 427 / 640]])
    sizes = np.array([[640.0, 427.0]])
    for frame in (square(640), square()):
        back = to_original(box, coordinates("cxcywh_norm", frame), sizes, sizes)
        assert back == pytest.approx(np.array([[0, 0, 640, 427]]), abs=1e-9)


def test_coordinates_of_padded_images_are_named_as_they_are_typed() -> None:
    names = {
        "cxcywh_norm@padded:640": ("cxcywh_norm", square(640)),
        "xyxy@padded:1024:top_left": ("xyxy", square(1024, "top_left")),
        "xyxy_1000@padded": ("xyxy_1000", square()),
        "xyxy_norm@padded:top_left": ("xyxy_norm", square(None, "top_left")),
    }
    for text, (name, frame) in names.items():
        assert coordinates_text(coordinates(name, frame)) == text


def test_a_file_of_padded_boxes_has_the_ious_that_it_was_made_with(tmp_path: Path) -> None:
    dataset = make_dataset(tmp_path / "set")
    said = coordinates("cxcywh_norm", square(640))
    sizes = np.array([each.size for each in VAL], dtype=float)
    boxes = written(np.array([each.answer for each in VAL]), said, sizes)
    rows = [{"sent_id": each.sent_id, "bbox": box} for each, box in zip(VAL, boxes.tolist(), strict=True)]
    file = write_jsonl(tmp_path / "a.jsonl", rows)
    convert(file, dataset, said)
    assert predictions(file)["iou"] == pytest.approx([each.iou for each in VAL], abs=1e-6)


ROWS = make_expressions(240)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return prepare_rows(tmp_path_factory.mktemp("made") / "set", ROWS, "made")


@pytest.fixture(scope="module")
def index(root: Path) -> DatasetIndex:
    return index_of(root)


def drawn(index: DatasetIndex, kind: str, num: int, seed: int = 0) -> tuple[Boxes, Boxes]:
    """Boxes of a model that finds objects with some error, as natural ones that the image cuts off; their sizes."""
    rng = np.random.default_rng(seed)
    at = rng.choice(len(index.gt_boxes), num, replace=False)
    sizes = index.image_sizes(at).astype(float)
    limits = np.tile(sizes, 2)
    boxes = index.gt_boxes[at].astype(float)
    if kind == "random":
        boxes = np.sort(rng.random((num, 2, 2)), axis=1).reshape(-1, 4) * limits
    if kind == "central":
        boxes = (0.2 + 0.6 * np.sort(rng.random((num, 2, 2)), axis=1).reshape(-1, 4)) * limits
    if kind == "constant":
        boxes = np.tile([[0.25, 0.25, 0.75, 0.75]], (num, 1)) * limits
    if kind == "cut":
        # Each fourth box ends at an edge.
        for side in range(4):
            boxes[side::16, side] = limits[side::16, side] if side > 1 else 0
    sides = np.tile(boxes[:, 2:] - boxes[:, :2], 2)
    if kind == "unclipped":
        return boxes + rng.normal(0, 0.15, boxes.shape) * sides, sizes
    boxes = np.clip(boxes + rng.normal(0, 0.003, boxes.shape) * sides, 0, limits)
    is_empty = (boxes[:, 2:] - boxes[:, :2] < 2).any(axis=1)
    boxes[is_empty] = index.gt_boxes[at][is_empty]
    return boxes, sizes


SAID = {
    text: coordinates(name, frame)
    for text, name, frame in [
        ("xyxy_norm@padded", "xyxy_norm", square()),
        ("cxcywh_norm@padded", "cxcywh_norm", square()),
        ("xyxy_1000@padded", "xyxy_1000", square()),
        ("xyxy_norm@padded:top_left", "xyxy_norm", square(None, "top_left")),
        ("xyxy@padded:640", "xyxy", square(640)),
        ("xywh@padded:336", "xywh", square(336)),
        ("cxcywh@padded:1024:top_left", "cxcywh", square(1024, "top_left")),
    ]
}
DIGITS = {"": 1, "norm": 4, "1000": 0}


def numbers(text: str, index: DatasetIndex, kind: str, num: int, seed: int = 0) -> tuple[Boxes, Boxes]:
    boxes, sizes = drawn(index, kind, num, seed)
    return written(boxes, SAID[text], sizes, DIGITS[SAID[text].box_format.partition("_")[2]]), sizes


@pytest.mark.parametrize("kind", ["near", "cut", "random", "central", "constant", "unclipped"])
@pytest.mark.parametrize("text", SAID)
def test_right_padding_is_never_refused(index: DatasetIndex, text: str, kind: str) -> None:
    for num in (1, 5, 20, 50, 200):
        for seed in range(5):
            boxes, sizes = numbers(text, index, kind, num, seed)
            fit = check_fit(boxes, SAID[text], sizes, sizes, range(num))
            assert not fit.is_certain, (num, seed, fit.message)


@pytest.mark.parametrize("kind", ["cut", "random"])
@pytest.mark.parametrize("num", [60, 240])
@pytest.mark.parametrize("text", SAID)
def test_padding_that_was_not_said_is_refused_where_boxes_are_cut_off_and_else_warned_about(
    index: DatasetIndex, text: str, kind: str, num: int
) -> None:
    boxes, sizes = numbers(text, index, kind, num)
    plain = text.partition("@")[0]
    fit = check_fit(boxes, coordinates(plain), sizes, sizes, range(num))
    # Pixels that are padded to the right and below are those of images with this longer side.
    same = text.replace("padded:1024:top_left", "long:1024")
    # Of the largest squares, many boxes lie outside of their images as said.
    assert fit.is_certain == (kind == "cut" or "1024" in text)
    assert text in (fit.message or "") or same in (fit.message or ""), fit.message


def test_images_resized_to_a_square_are_not_taken_for_padded_ones(index: DatasetIndex) -> None:
    """And the other way around: both squares have the same side."""
    boxes, sizes = drawn(index, "cut", 200)
    resized = coordinates("xyxy", {"kind": "fixed", "width": 640, "height": 640})
    fit = check_fit(boxes / np.tile(sizes, 2) * 640, resized, sizes, sizes, range(200))
    assert fit.message is None
    fit = check_fit(written(boxes, SAID["xyxy@padded:640"], sizes), resized, sizes, sizes, range(200))
    assert fit.is_certain and "xyxy@padded:640" in (fit.message or "")
    fit = check_fit(boxes / np.tile(sizes, 2) * 640, SAID["xyxy@padded:640"], sizes, sizes, range(200))
    assert fit.is_certain


@pytest.mark.parametrize("kind", ["near", "cut", "random", "central"])
def test_images_that_were_not_padded_refuse_padding(index: DatasetIndex, kind: str) -> None:
    boxes, sizes = drawn(index, kind, 200)
    norm = np.round(boxes / np.tile(sizes, 2), 4)
    fit = check_fit(norm, coordinates("xyxy_norm"), sizes, sizes, range(200))
    assert not fit.is_certain, fit.message
    if kind != "central":
        fit = check_fit(norm, SAID["xyxy_norm@padded"], sizes, sizes, range(200))
        assert fit.is_certain and "--coordinates xyxy_norm" in (fit.message or "")


def with_truth(root: Path, said: Coordinates, gt: bool) -> list[Record]:
    index = index_of(root)
    sizes = index.image_sizes(np.arange(len(ROWS))).astype(float)
    truth = index.gt_boxes.astype(float)
    boxes = written(truth, said, sizes, 4).tolist()
    return [
        {"sent_id": row["sent_id"], "bbox": box} | ({"gt_bbox": box} if gt else {})
        for row, box in zip(ROWS, boxes, strict=True)
    ]


@pytest.mark.parametrize("text", ["cxcywh_norm@padded", "xyxy@padded:640"])
def test_ground_truth_of_padded_images_tells_the_coordinates(root: Path, tmp_path: Path, text: str) -> None:
    file = write_jsonl(tmp_path / "a.jsonl", with_truth(root, SAID[text], gt=True))
    with pytest.raises(CliprpnError, match=f"--coordinates {text}\\b") as refused:
        convert(file, root, coordinates(text.partition("@")[0]))
    assert refused.value.code == "bad_input"
    with pytest.raises(CliprpnError, match=f"ground truth of the file is that of the dataset as {text}"):
        convert(file, root)
    report = convert(file, root, SAID[text])[0]
    assert (report.num_other_ground_truth, report.warnings) == (0, [])
    assert predictions(file)["iou"].min() > 0.98


def test_padding_is_asked_for_where_no_coordinates_were_said(root: Path, tmp_path: Path) -> None:
    file = write_jsonl(tmp_path / "a.jsonl", with_truth(root, SAID["xyxy_norm@padded"], gt=False))
    with pytest.raises(CliprpnError, match="xyxy_norm@padded, xyxy_norm"):
        convert(file, root)
    with pytest.raises(CliprpnError, match=r"have no number above 1.*--coordinates xyxy_norm@padded"):
        convert(file, root, coordinates("xyxy", square()))


def test_objects_that_keep_away_from_the_edges_are_not_refused() -> None:
    at = np.arange(2000)
    start = np.stack([at * 37 % 300, at * 53 % 200], axis=1)
    boxes = np.concatenate([start, start + 20 + np.stack([at * 7 % 280, at * 11 % 230], axis=1)], axis=1)
    sizes = np.tile([[640.0, 480.0]], (len(at), 1))
    fit = check_fit(boxes.astype(float), coordinates("xyxy"), sizes, sizes, at.tolist())
    assert not fit.is_certain, fit.message
