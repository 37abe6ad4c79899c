"""Boxes in another format than was said are refused or told, and correct boxes of any kind are not."""

from __future__ import annotations

import random

import pytest
import torch

from cliprpn.data.annotations import Box
from cliprpn.data.box_readings import Finding, find_other_reading
from cliprpn.data.boxes import FORMAT_NAMES, from_xyxy

Size = tuple[float, float]
COCO = [(640, 480), (480, 640), (640, 427), (500, 375)]


def natural(num: int, sizes: list[tuple[int, int]] = COCO, seed: int = 0) -> tuple[list[Box], list[Size]]:
    """Boxes xyxy as in photos: of all extents, and a third of them cut off by the edges."""
    rng = random.Random(seed)
    boxes: list[Box] = []
    of_boxes: list[Size] = []
    for _ in range(num):
        width, height = rng.choice(sizes)
        side = rng.choice([0.1, 0.2, 0.4, 0.7])
        x, y = rng.uniform(-0.4 * side, 1 - 0.6 * side), rng.uniform(-0.4 * side, 1 - 0.6 * side)
        left, top, right, bottom = max(x, 0), max(y, 0), min(x + side, 1), min(y + side, 1)
        boxes.append((left * width, top * height, right * width, bottom * height))
        of_boxes.append((width, height))
    return boxes, of_boxes


def judge(
    boxes_xyxy: list[Box], sizes: list[Size], written: str, said: str, whole: bool = False
) -> Finding | None:
    """What is found in boxes that are written in one format and read in another; an image for each box."""
    values = torch.tensor(boxes_xyxy, dtype=torch.float64)
    if written == "yxyx":
        values = values[:, [1, 0, 3, 2]]
    elif written == "cxcywh":
        values = torch.cat([(values[:, :2] + values[:, 2:]) / 2, values[:, 2:] - values[:, :2]], dim=1)
    else:
        values = from_xyxy(values, written, torch.tensor(sizes, dtype=torch.float64))
    rows = (values.round() if whole else values).tolist()
    return find_other_reading([(a, b, c, d) for a, b, c, d in rows], said, sizes, range(len(rows)))


@pytest.mark.parametrize("box_format", FORMAT_NAMES)
@pytest.mark.parametrize("num", [1, 2, 12, 200])
def test_boxes_in_the_format_that_was_said_are_read(box_format: str, num: int) -> None:
    for seed in range(20):
        for sizes in (COCO, [(1920, 1080)], [(4032, 3024), (3024, 4032)], [(1000, 1000), (200, 300)]):
            finding = judge(
                *natural(num, sizes, seed), box_format, box_format, whole="norm" not in box_format
            )
            assert finding is None or not finding.is_certain, finding


@pytest.mark.parametrize("kind", ["tiny", "huge", "in a corner", "with a margin"])
@pytest.mark.parametrize("num", [3, 30, 300])
def test_boxes_of_unusual_objects_are_not_refused(kind: str, num: int) -> None:
    x, y, extent = {
        "tiny": ((0, 0.98), (0, 0.98), (0.002, 0.02)),
        "huge": ((0, 0.05), (0, 0.05), (0.85, 0.95)),
        "in a corner": ((0, 0.2), (0, 0.2), (0.02, 0.2)),
        "with a margin": ((0.1, 0.5), (0.1, 0.5), (0.05, 0.4)),
    }[kind]
    for seed in range(20):
        rng = random.Random(seed)
        sizes: list[Size] = [rng.choice([(640, 480), (1920, 1080), (333, 500)]) for _ in range(num)]
        boxes: list[Box] = []
        for width, height in sizes:
            left, top, w, h = rng.uniform(*x), rng.uniform(*y), rng.uniform(*extent), rng.uniform(*extent)
            boxes.append((left * width, top * height, (left + w) * width, (top + h) * height))
        for box_format in ("xywh", "xyxy", "xywh_norm", "xyxy_1000"):
            finding = judge(boxes, sizes, box_format, box_format)
            assert finding is None or not finding.is_certain, (box_format, finding)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("xyxy_norm", "xyxy"), ("xywh_norm", "xywh"), ("xyxy_norm", "xywh"), ("cxcywh_norm", "xywh"),
        ("xyxy_1000", "xyxy"), ("xywh_1000", "xywh"), ("xyxy_1000", "xywh"), ("xyxy", "xywh"), ("xywh", "xyxy"),
        ("cxcywh", "xywh"), ("yxyx", "xyxy"), ("xyxy", "xyxy_norm"), ("xywh_norm", "xyxy_norm"),
        ("xyxy_norm", "xywh_norm"), ("cxcywh_norm", "xywh_norm"), ("xywh_norm", "cxcywh_norm"),
        ("xyxy_norm", "xyxy_1000"), ("xyxy", "xyxy_1000"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("seed", range(5))
def test_boxes_in_another_format_are_refused_and_it_is_named(written: str, said: str, seed: int) -> None:
    finding = judge(*natural(40, seed=seed), written, said, whole=written.endswith("1000"))
    assert finding is not None and finding.is_certain and written in finding.message
    assert finding.rows and (
        written not in FORMAT_NAMES or "--box-format" in finding.message or " or " in finding.message
    )


@pytest.mark.parametrize(
    ("written", "said"), [("xyxy_1000", "xyxy"), ("xywh_1000", "xywh"), ("xyxy_1000", "xywh")]
)
def test_coordinates_up_to_1000_in_large_images_are_refused(written: str, said: str) -> None:
    large = [(1800, 1800), (1920, 1278), (1281, 1920)]
    for seed in range(10):
        finding = judge(*natural(30, large, seed), written, said, whole=True)
        assert finding is not None and finding.is_certain and written in finding.message


def test_five_boxes_of_which_one_ends_at_1000_are_enough() -> None:
    boxes: list[Box] = [(255, 355, 480, 710), (122, 392, 324, 822), (602, 141, 938, 838), (28, 493, 846, 1000),
                        (95, 302, 736, 519)]  # fmt: skip
    sizes: list[Size | None] = [(1800, 1800), (1800, 1800), (1920, 1278), (1281, 1920), (1281, 1920)]
    finding = find_other_reading(boxes, "xyxy", sizes, "aabcc")
    assert finding is not None and finding.is_certain and finding.rows == [3]
    moved: list[Box] = [(*box[:3], box[3] - 60) for box in boxes]
    finding = find_other_reading(moved, "xyxy", sizes, "aabcc")
    assert finding is not None and not finding.is_certain and "xyxy_1000" in finding.message


@pytest.mark.parametrize(
    "name", ["640 px", "640 square", "half", "percent", "1024 square", "2.00 times", "Qwen2-VL"]
)
def test_boxes_of_resized_images_are_refused(name: str) -> None:
    boxes, sizes = natural(100, [(1800, 1350), (1350, 1800), (1920, 1080), (1600, 1600)])
    resized: list[Box] = []
    for (x1, y1, x2, y2), (width, height) in zip(boxes, sizes, strict=True):
        shrink = (1_003_520 / (width * height)) ** 0.5
        x, y = {
            "640 px": (640 / max(width, height), 640 / max(width, height)),
            "640 square": (640 / width, 640 / height),
            "half": (0.5, 0.5),
            "percent": (100 / width, 100 / height),
            "1024 square": (1024 / width, 1024 / height),
            "2.00 times": (2, 2),
            "Qwen2-VL": (round(width * shrink / 28) * 28 / width, round(height * shrink / 28) * 28 / height),
        }[name]
        resized.append((x1 * x, y1 * y, x2 * x, y2 * y))
    finding = judge(resized, sizes, "xywh", "xywh")
    assert finding is not None and finding.is_certain, finding
    assert {"640 square": "square of 640", "half": "0.50 times", "1024 square": "PaliGemma"}.get(
        name, name
    ) in finding.message


def test_what_cannot_be_known_is_a_warning() -> None:
    huge: list[Box] = [(10, 20, 600, 400), (5, 5, 630, 470), (20, 10, 610, 450)]
    finding = judge(huge, [(640, 480)] * 3, "xywh", "xywh")
    assert finding is not None and not finding.is_certain and "xyxy" in finding.message
    mixed = [*natural(20)[0], (0.1, 0.2, 0.5, 0.9)]
    finding = judge(mixed, [*natural(20)[1], (640, 480)], "xyxy", "xyxy")
    assert finding is not None and not finding.is_certain and finding.rows == [20]
    assert "1 of 21 boxes" in finding.message
