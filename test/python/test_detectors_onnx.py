"""YOLOX by onnxruntime: what it finds, and what is no such file."""

from __future__ import annotations

import json
import math
import pickle
import sys
from pathlib import Path

import made_onnx
import numpy as np
import pytest
import torch
from helpers import REPO, make_baseline, run_context, small_dataset
from made_yolox import (
    COLOURS,
    NUM_CELLS,
    OUTPUT,
    SIDE,
    asks_for_too_much,
    decoded,
    graph,
    row,
    says,
    silence,
    strongest_channel,
)
from PIL import Image
from torch import Tensor
from torchvision.ops import box_iou

from cliprpn.data.index import open_dataset
from cliprpn.detectors.coco_classes import are_of_coco, coco_categories, coco_classes
from cliprpn.detectors.letterbox import letterbox
from cliprpn.detectors.opening import Opening
from cliprpn.detectors.yolox import YoloxDetector, open_yolox
from cliprpn.errors import CliprpnError

pytest.importorskip("onnxruntime", reason="the extra onnxruntime is not installed")

SHARED = REPO.parent / "shared" / "data"
CPU = torch.device("cpu")


def test_cocos_classes() -> None:
    names = coco_classes()
    assert (len(names), len(set(names)), names[0], names[-1]) == (80, 80, "person", "toothbrush")
    categories = coco_categories()
    assert len(categories) == 91
    assert [categories[i] for i in (0, 1, 12, 13, 18, 90)] == [
        "",
        "person",
        "",
        "stop sign",
        "dog",
        "toothbrush",
    ]


@pytest.mark.parametrize(
    ("classes", "expected"),
    [
        (coco_classes(), True),
        ([name.upper() for name in reversed(coco_classes())], True),
        (coco_classes()[:-1], True),
        ([*coco_classes(), "cupboard"], False),
        (["block"], False),
        ([], False),
    ],
)
def test_a_class_list_is_known_as_cocos_in_any_order(classes: list[str], expected: bool) -> None:
    assert are_of_coco(classes) is expected


@pytest.mark.parametrize(
    ("height", "width", "inner"),
    [(90, 120, (48, 64)), (120, 90, (64, 48)), (64, 64, (64, 64)), (1, 500, (1, 64)), (1, 1, (64, 64))],
)
def test_a_image_lies_in_the_top_left_corner(height: int, width: int, inner: tuple[int, int]) -> None:
    boxed, scale_xy = letterbox(torch.full((3, height, width), 7, dtype=torch.uint8), SIDE, SIDE, 114)
    expected = torch.full((3, SIDE, SIDE), 114, dtype=torch.uint8)
    expected[:, : inner[0], : inner[1]] = 7
    assert torch.equal(boxed, expected)
    assert scale_xy.tolist() == [inner[1] / width, inner[0] / height]


def test_pixels_are_those_of_yoloxs_own_preprocessing() -> None:
    cv2 = pytest.importorskip("cv2", reason="opencv is not installed")
    picture = noise(333, 500)
    boxed, _ = letterbox(picture, 416, 416, 114)
    theirs = cv2.resize(picture.permute(1, 2, 0).numpy(), (416, int(333 * 416 / 500)))
    ours = boxed.permute(1, 2, 0).numpy()[: len(theirs)]
    # Both compute in integers, and round differently.
    assert np.abs(ours.astype(int) - theirs.astype(int)).max() <= 1


def test_boxes_come_back_in_pixels_of_the_image(tmp_path: Path) -> None:
    raw = silence()
    # Cell (3, 2) of the grid of 8 pixels, centre at (28, 20), 16 by 8 pixels; the image is halved.
    raw[2 * 8 + 3] = row(0.5, 0.5, math.log(2), 0, 0.9, red=0.5)
    # Cell (1, 1) of the grid of 32: centre at (48, 48), 32 by 32.
    raw[64 + 16 + 3] = row(0.5, 0.5, 0, 0, 0.8, green=1)
    detector = answering(tmp_path, raw)
    (found,) = detector.detect([noise(128, 100)])
    torch.testing.assert_close(
        # The second reaches over the right edge, at 100.
        found.boxes_xyxy,
        torch.tensor([[64, 64, 100, 128], [40, 32, 72, 48]], dtype=torch.float64),
    )
    torch.testing.assert_close(found.scores, torch.tensor([0.8, 0.45], dtype=torch.float64))
    assert found.categories == ["green", "red"]


def test_of_boxes_that_overlap_the_best_of_each_class_stays(tmp_path: Path) -> None:
    raw = silence()
    raw[0] = row(2, 2, 1, 1, 0.9, red=0.5)
    raw[1] = row(1.1, 2, 1, 1, 0.9, red=0.9)
    raw[2] = row(0.2, 2, 1, 1, 0.9, blue=0.4)
    (found,) = answering(tmp_path, raw).detect([noise(SIDE, SIDE)])
    assert found.categories == ["red", "blue"]
    assert found.scores.tolist() == pytest.approx([0.81, 0.36])
    (loose,) = answering(tmp_path, raw, nms_thresh=1).detect([noise(SIDE, SIDE)])
    assert loose.categories == ["red", "red", "blue"]


def test_the_best_that_score_enough_are_kept(tmp_path: Path) -> None:
    raw = silence()
    for cell in range(10):
        raw[cell] = row(0.5, 0.5, -1, -1, 1, red=cell / 10)
    (found,) = answering(tmp_path, raw, score_thresh=0.35).detect([noise(SIDE, SIDE)])
    assert found.scores.tolist() == pytest.approx([0.9, 0.8, 0.7, 0.6, 0.5, 0.4])
    (few,) = answering(tmp_path, raw, score_thresh=0.35, max_boxes=2).detect([noise(SIDE, SIDE)])
    assert few.scores.tolist() == pytest.approx([0.9, 0.8])


def test_boxes_without_an_end_spoil_no_others(tmp_path: Path) -> None:
    raw = silence()
    raw[0] = row(0.5, 0.5, 5000, 0, 1, red=1)
    raw[1] = row(math.nan, 0.5, 0, 0, 1, red=1)
    raw[2] = row(0.5, 0.5, 0, 0, 1, red=0.5)
    (found,) = answering(tmp_path, raw).detect([noise(SIDE, SIDE)])
    assert found.boxes_xyxy.tolist() == [[16, 0, 24, 8]]


@pytest.mark.parametrize("colour", [0, 1, 2])
def test_channels_go_in_as_blue_green_red(tmp_path: Path, colour: int) -> None:
    picture = torch.zeros(3, SIDE, SIDE, dtype=torch.uint8)
    picture[2 - colour] = 255
    (found,) = colour_detector(tmp_path).detect([picture])
    assert found.categories == [COLOURS[colour]]
    assert found.scores.tolist() == pytest.approx([1])


def test_images_of_any_size_and_none(tmp_path: Path) -> None:
    detector = colour_detector(tmp_path)
    assert detector.detect([]) == []
    grey = torch.full((3, 40, 30), 99, dtype=torch.uint8)
    pictures = [noise(1, 1), noise(1, 500), noise(500, 1), grey, noise(700, 900)]
    for picture, found in zip(pictures, detector.detect(pictures), strict=True):
        height, width = picture.shape[1:]
        assert len(found) == 1
        assert found.boxes_xyxy[0].tolist() == [0, 0, width, height]


def test_torchs_threads_stay_as_they_were(tmp_path: Path) -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        colour_detector(tmp_path).detect([noise(50, 50)])
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_onnxruntime_without_the_device_says_so_and_runs(tmp_path: Path) -> None:
    import onnxruntime

    if "CUDAExecutionProvider" in onnxruntime.get_available_providers():
        pytest.skip("this onnxruntime has CUDA")
    asked = opened(tmp_path, strongest_channel(), torch.device("cuda:0"))
    assert asked.warning is not None
    assert "CPU, not on cuda:0" in asked.warning
    assert len(asked.detect([noise(9, 9)])) == 1
    assert colour_detector(tmp_path).warning is None


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "onnxruntime can run"),
        (bytes(range(256)) * 20, "onnxruntime can run"),
        (graph()[:-900], "onnxruntime can run"),
        (graph(op="NoSuchOperator"), "NoSuchOperator"),
        (graph(op="Evil", domain="evil"), "not a registered"),
        (graph(dtype=torch.float16), r"one input, of tensor\(float\), found images: tensor\(float16\)"),
        (graph(outputs={"output": OUTPUT, "more": OUTPUT}), "one output.*more"),
        (asks_for_too_much(), "breaks over it"),
        (graph(images=[1, 3, SIDE]), "1x3xHxW.*found 1x3x64"),
        (graph(images=[1, 3, 64, 50]), "1x3xHxW.*found 1x3x64x50"),
        (graph(images=[4, 3, SIDE, SIDE]), "1x3xHxW.*found 4x3x64x64"),
        (graph(images=["b", 3, "h", "w"]), "1x3xHxW.*found bx3xhxw"),
        (graph(images=[1, 3, 96, 96]), r"1x189x\(5 \+ classes\), found 1x84x8"),
        (graph(op="Flatten", outputs={"output": [1, NUM_CELLS * 8]}), "found 1x672"),
        (
            says(torch.zeros(NUM_CELLS, 9), outputs={"output": [1, NUM_CELLS, 9]}),
            "expected 3 classes.*found 4",
        ),
        (says(decoded()), "export without decoding"),
        (says(torch.full((NUM_CELLS, 8), -7.0)), "with the sigmoid"),
        (says(torch.full((NUM_CELLS, 8), math.nan)), "from 0 to 1"),
    ],
)
def test_what_is_no_yolox_is_refused(tmp_path: Path, content: bytes, words: str) -> None:
    with pytest.raises(CliprpnError, match=words) as caught:
        opened(tmp_path, content)
    assert caught.value.code == "weights_mismatch"
    assert str(tmp_path / "made.onnx") in caught.value.message


@pytest.mark.parametrize("location", ["weights.bin", "../weights.bin", "link.bin", "{absolute}"])
def test_weights_in_other_files_are_refused(
    tmp_path: Path, location: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "models"
    folder.mkdir()
    for place in (tmp_path, folder):
        (place / "weights.bin").write_bytes(bytes(NUM_CELLS * 8 * 4))
    (folder / "link.bin").symlink_to(tmp_path / "weights.bin")
    monkeypatch.chdir(folder)
    where = location.format(absolute=tmp_path / "weights.bin")
    file = folder / "made.onnx"
    file.write_bytes(graph(constant=made_onnx.outside("made", [1, NUM_CELLS, 8], where)))
    with pytest.raises(CliprpnError, match=r"in the file itself, found.*External data path") as caught:
        open_yolox(file, COLOURS, 0.1, 0.5, 10, CPU)
    assert caught.value.code == "weights_mismatch"


def test_as_many_names_as_classes(tmp_path: Path) -> None:
    file = tmp_path / "made.onnx"
    file.write_bytes(says(silence()))
    with pytest.raises(CliprpnError, match=r"expected 80 classes.*found 3; `classes` names them"):
        open_yolox(file, None, 0.1, 0.5, 10, CPU)


def test_damaged_names_of_classes_are_asked_for_anew(tmp_path: Path) -> None:
    file = tmp_path / "model.onnx"
    file.write_bytes(says(silence()))
    cache = tmp_path / "cache"
    root = small_dataset(tmp_path / "data")
    spec = make_baseline(root, cache, {"kind": "yolox", "file": str(file), "classes": COLOURS})
    index = open_dataset(Path(spec.dataset.root), spec.dataset.id)
    opening = Opening(spec.baseline, index, run_context(cache))
    assert opening.classes() == COLOURS
    (names,) = cache.glob("detections/*.classes.json")
    for damaged in (b"", b'["blue", "gre', b"\xff\xff"):
        names.write_bytes(damaged)
        assert opening.classes() == COLOURS
        assert json.loads(names.read_bytes()) == COLOURS


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(CliprpnError, match="found no file") as caught:
        open_yolox(tmp_path / "none.onnx", None, 0.1, 0.5, 10, CPU)
    assert caught.value.code == "weights_missing"


def test_without_onnxruntime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(CliprpnError, match="package onnxruntime") as caught:
        open_yolox(tmp_path / "made.onnx", None, 0.1, 0.5, 10, CPU)
    assert caught.value.code == "package_missing"


@pytest.mark.skipif(not SHARED.is_dir(), reason="../shared/data is not there")
def test_real_photos() -> None:
    photos = SHARED / "refcocog-photos"
    refs = pickle.loads((photos / "annotations" / "refs(umd).p").read_bytes())
    instances = json.loads((photos / "annotations" / "instances.json").read_text())
    annotations = {each["id"]: each["bbox"] for each in instances["annotations"]}
    names = {each["id"]: each["file_name"] for each in instances["images"]}
    image_ids = sorted({ref["image_id"] for ref in refs})[:40]
    detector = open_yolox(SHARED / "detectors" / "yolox_nano.onnx", None, 0.001, 0.65, 100, CPU)
    pictures = [photo(photos / "images" / names[image_id]) for image_id in image_ids]
    found = dict(zip(image_ids, detector.detect(pictures), strict=True))
    hits = []
    for ref in refs:
        if ref["image_id"] in found:
            x, y, width, height = annotations[ref["ann_id"]]
            gt = torch.tensor([[x, y, x + width, y + height]], dtype=torch.float64)
            hits.append(bool(box_iou(gt, found[ref["image_id"]].boxes_xyxy).max() >= 0.5))
    # Over all 224 refs it is 0.955; were images centred in the square, it would be 0.48 of these.
    assert sum(hits) / len(hits) > 0.9
    again = detector.detect(pictures[1:3])
    for image_id, second in zip(image_ids[1:3], again, strict=True):
        assert torch.equal(second.boxes_xyxy, found[image_id].boxes_xyxy)
        assert torch.equal(second.scores, found[image_id].scores)


@pytest.mark.skipif(not SHARED.is_dir(), reason="../shared/data is not there")
def test_ultralytics_yolo_is_no_yolox() -> None:
    file = SHARED / "detectors" / "yolov8n_int8.onnx"
    with pytest.raises(CliprpnError, match=r"this is no YOLOX.*found 1x84x8400"):
        open_yolox(file, None, 0.1, 0.5, 10, CPU)


def photo(file: Path) -> Tensor:
    with Image.open(file) as image:
        return torch.from_numpy(np.array(image.convert("RGB"))).permute(2, 0, 1)


def noise(height: int, width: int) -> Tensor:
    pixels = np.random.default_rng(0).integers(0, 256, (3, height, width), dtype=np.uint8)
    return torch.from_numpy(pixels)


def answering(
    folder: Path, raw: Tensor, score_thresh: float = 0.1, nms_thresh: float = 0.5, max_boxes: int = 100
) -> YoloxDetector:
    """A detector that finds the same in every image."""
    file = folder / "made.onnx"
    file.write_bytes(says(raw))
    return open_yolox(file, COLOURS, score_thresh, nms_thresh, max_boxes, CPU)


def colour_detector(folder: Path) -> YoloxDetector:
    return opened(folder, strongest_channel())


def opened(folder: Path, content: bytes, device: torch.device = CPU) -> YoloxDetector:
    file = folder / "made.onnx"
    file.write_bytes(content)
    return open_yolox(file, COLOURS, 0.1, 0.5, 10, device)
