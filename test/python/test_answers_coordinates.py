"""Boxes of every convention are the same boxes, and a convention that they do not fit is refused with a hint."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from made_answers import VAL, Asked, Box, convert, coordinates, make_dataset, predictions, row_of
from user_data import write_jsonl

from cliprpn.errors import CliprpnError
from cliprpn.inference.predict import prediction_columns

Size = tuple[float, float]
ORDERS = ("xyxy", "xywh", "cxcywh")
# By hand, for sides that are multiples of 28 and an area from 3,136 to 1,003,520 pixels.
SMART = {(640, 480): (644, 476), (480, 640): (476, 644), (1600, 1200): (1148, 840), (500, 375): (504, 364)}
FRAMES: dict[str, dict[str, Any]] = {
    "original": {"kind": "original"},
    "fixed": {"kind": "fixed", "width": 1280, "height": 900},
    "long_side": {"kind": "long_side", "length": 2000},
    "short_side": {"kind": "short_side", "length": 800, "max_length": 1000},
    "smart_resize": {"kind": "smart_resize", "factor": 28, "min_pixels": 3136, "max_pixels": 1_003_520},
    "columns": {"kind": "columns"},
}


def frame_of(kind: str, size: tuple[int, int]) -> Size:
    width, height = size
    scale = {
        "original": 1.0,
        "columns": 0.5,
        "long_side": 2000 / max(size),
        "short_side": min(800 / min(size), 1000 / max(size)),
    }
    if kind == "fixed":
        return 1280, 900
    return SMART[size] if kind == "smart_resize" else (width * scale[kind], height * scale[kind])


def written(each: Asked, name: str, kind: str = "original", box: Box | None = None) -> list[float]:
    """A box in a convention."""
    order, _, unit = name.partition("_")
    size = {"norm": (1.0, 1.0), "1000": (1000.0, 1000.0)}.get(unit) or frame_of(kind, each.size)
    x1, y1, x2, y2 = (number * size[i % 2] / each.size[i % 2] for i, number in enumerate(box or each.answer))
    if order == "xyxy":
        return [x1, y1, x2, y2]
    left, top = (x1, y1) if order == "xywh" else ((x1 + x2) / 2, (y1 + y2) / 2)
    return [left, top, x2 - x1, y2 - y1]


def write(path: Path, name: str, kind: str = "original") -> Path:
    rows = []
    for each in reversed(VAL):  # The order of the rows has no effect.
        width, height = frame_of(kind, each.size)
        size = {"width": width, "height": height} if kind == "columns" else {}
        rows.append(row_of(each, bbox=written(each, name, kind), **size))
    return write_jsonl(path, rows)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_dataset(tmp_path_factory.mktemp("answers") / "set")


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        *((order, kind) for order in ORDERS for kind in FRAMES),
        *((f"{order}_{unit}", "original") for order in ORDERS for unit in ("norm", "1000")),
    ],
)
def test_boxes_of_every_convention_have_the_ious_they_were_made_with(
    tmp_path: Path, dataset: Path, name: str, kind: str
) -> None:
    file = write(tmp_path / "a.jsonl", name, kind)
    (report,) = convert(file, dataset, said=coordinates(name, **FRAMES[kind]))
    assert (report.num_answered, report.num_by_sent_id, report.warnings) == (len(VAL), len(VAL), [])
    columns = predictions(file)
    assert columns["sent_id"] == [each.sent_id for each in VAL]
    np.testing.assert_allclose(columns["iou"], [each.iou for each in VAL], rtol=0, atol=1e-6)
    np.testing.assert_allclose(columns["pred_box_xyxy"], [each.answer for each in VAL], atol=1e-6)


def test_the_columns_are_those_of_a_trial(tmp_path: Path, dataset: Path) -> None:
    file = write(tmp_path / "a.jsonl", "xyxy")
    convert(file, dataset)
    columns = predictions(file)
    boxes = torch.tensor([each.answer for each in VAL], dtype=torch.float64)
    truth = torch.tensor([each.truth for each in VAL], dtype=torch.float64)
    expected = prediction_columns([box[None] for box in boxes], torch.ones(len(VAL)), truth)
    for name in ("iou", "intersection", "union", "pred_box_xyxy"):
        np.testing.assert_allclose(columns[name], expected[name], rtol=1e-12)
    assert columns["pointing"] == expected["pointing"].tolist()
    assert "objectness" not in columns and "iou_blank" not in columns


@pytest.mark.parametrize(
    ("actual", "said"),
    [
        ("xywh", "xyxy"),
        ("cxcywh", "xyxy"),
        ("xyxy", "xywh"),
        ("xyxy", "cxcywh"),
        ("xyxy_norm", "xyxy"),
        ("xyxy_1000", "xyxy"),
        ("xyxy", "xyxy_1000"),
        ("xywh", "xyxy_1000"),
        ("xyxy", "xyxy_norm"),
        ("xyxy_1000", "xyxy_norm"),
        ("xyxy_norm", "xyxy_1000"),
        ("xywh_1000", "xyxy_1000"),
        ("xyxy_norm", "xywh_norm"),
        ("xywh_norm", "xyxy_norm"),
    ],
)
def test_a_convention_that_does_not_fit_is_refused_and_the_likely_one_named(
    tmp_path: Path, dataset: Path, actual: str, said: str
) -> None:
    file = write(tmp_path / "a.jsonl", actual)
    with pytest.raises(CliprpnError) as caught:
        convert(file, dataset, said=said)
    assert caught.value.code == "bad_input"
    hint = caught.value.message.partition("Use --coordinates ")[2]
    assert actual in hint.partition("See ")[0], caught.value.message
    assert "--force-coordinates" in hint and "a.jsonl:" in hint
    assert not (tmp_path / "out").exists()


def test_boxes_of_resized_images_are_refused_as_pixels(tmp_path: Path, dataset: Path) -> None:
    file = write(tmp_path / "a.jsonl", "xyxy", "long_side")
    with pytest.raises(CliprpnError, match="resized") as caught:
        convert(file, dataset)
    assert "--coordinates xyxy@" in caught.value.message


def test_forced_coordinates_are_used_and_warned_about(tmp_path: Path, dataset: Path) -> None:
    file = write(tmp_path / "a.jsonl", "xywh")
    (report,) = convert(file, dataset, force=True)
    assert len(report.warnings) == 1 and "xywh" in report.warnings[0]
    assert max(predictions(file)["iou"]) < 0.5


def test_hits_never_choose_the_coordinates(tmp_path: Path, dataset: Path) -> None:
    """Boxes that fit as said stay so, however well another reading would hit."""
    rows = []
    for each in VAL:
        x1, y1, x2, y2 = (number / 4 for number in each.truth)
        rows.append(row_of(each, bbox=[x1, y1, x2, y2]))
    (report,) = convert(write_jsonl(tmp_path / "a.jsonl", rows), dataset)
    assert report.coordinates.box_format == "xyxy" and max(predictions(tmp_path / "a.jsonl")["iou"]) == 0


def test_a_file_that_does_not_say_its_coordinates_is_refused_with_those_that_fit(
    tmp_path: Path, dataset: Path
) -> None:
    file = write(tmp_path / "a.jsonl", "xywh")
    with pytest.raises(CliprpnError, match="--coordinates") as caught:
        convert(file, dataset, said=None)
    assert "; xywh, cxcywh would fit" in caught.value.message


def test_a_row_without_the_size_of_its_image_is_refused(tmp_path: Path, dataset: Path) -> None:
    file = write_jsonl(tmp_path / "a.jsonl", [row_of(each) for each in VAL])
    with pytest.raises(CliprpnError, match=r"a\.jsonl:1: expected width and height"):
        convert(file, dataset, said=coordinates("xyxy", kind="columns"))


def test_boxes_are_clipped_and_turned_ones_are_misses(tmp_path: Path, dataset: Path) -> None:
    rows = [row_of(each) for each in VAL]
    rows[0]["bbox"] = [-50, -50, 10_000, 10_000]
    rows[1]["bbox"] = [300, 300, 100, 100]
    convert(write_jsonl(tmp_path / "a.jsonl", rows), dataset)
    columns = predictions(tmp_path / "a.jsonl")
    assert columns["pred_box_xyxy"][0] == [0, 0, 640, 480]
    assert columns["iou"][1] == 0 and not columns["pointing"][1]
