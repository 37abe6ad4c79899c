"""YOLOX with onnxruntime: its detections, and files that are refused."""

from __future__ import annotations

import json
import math
import pickle
import sys
from pathlib import Path

import numpy as np
import onnx_graphs
import pytest
import torch
from helpers import REPO, make_baseline, run_context, small_dataset
from images import noise
from PIL import Image
from torch import Tensor
from torchvision.ops import box_iou
from yolox_graphs import (
    COLORS,
    NUM_CELLS,
    OUTPUT,
    SIDE,
    cell_output,
    constant_graph,
    decoded_output,
    graph,
    no_detections,
    out_of_memory,
    strongest_channel,
)

from cliprpn.data.index import open_dataset
from cliprpn.detectors.coco_classes import are_coco_classes, coco_categories, coco_classes
from cliprpn.detectors.propose import LazyDetector
from cliprpn.detectors.yolox import OnnxYolox, letterbox, open_yolox
from cliprpn.errors import CliprpnError

pytest.importorskip("onnxruntime", reason="the extra onnxruntime is not installed")

SHARED = REPO.parent / "shared" / "data"
CPU = torch.device("cpu")


def test_coco_class_names_and_category_ids() -> None:
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
def test_coco_classes_are_recognized_in_any_order(classes: list[str], expected: bool) -> None:
    assert are_coco_classes(classes) is expected


@pytest.mark.parametrize(
    ("height", "width", "inner"),
    [(90, 120, (48, 64)), (120, 90, (64, 48)), (64, 64, (64, 64)), (1, 500, (1, 64)), (1, 1, (64, 64))],
)
def test_letterbox_puts_the_image_in_the_top_left_corner(
    height: int, width: int, inner: tuple[int, int]
) -> None:
    padded, scale_xy = letterbox(torch.full((3, height, width), 7, dtype=torch.uint8), SIDE, SIDE, 114)
    expected = torch.full((3, SIDE, SIDE), 114, dtype=torch.uint8)
    expected[:, : inner[0], : inner[1]] = 7
    assert torch.equal(padded, expected)
    assert scale_xy.tolist() == [inner[1] / width, inner[0] / height]


def test_letterbox_matches_yolox_preprocessing() -> None:
    cv2 = pytest.importorskip("cv2", reason="opencv is not installed")
    image = noise(333, 500)
    padded, _ = letterbox(image, 416, 416, 114)
    expected = cv2.resize(image.permute(1, 2, 0).numpy(), (416, int(333 * 416 / 500)))
    actual = padded.permute(1, 2, 0).numpy()[: len(expected)]
    # Both use integer arithmetic but round differently.
    assert np.abs(actual.astype(int) - expected.astype(int)).max() <= 1


def test_boxes_are_in_pixels_of_the_image(tmp_path: Path) -> None:
    raw = no_detections()
    # Cell (3, 2) of stride 8: center (28, 20), 16 x 8 px; the image is downscaled by 2.
    raw[2 * 8 + 3] = cell_output(0.5, 0.5, math.log(2), 0, 0.9, red=0.5)
    # Cell (1, 1) of stride 32: center (48, 48), 32 x 32 px.
    raw[64 + 16 + 3] = cell_output(0.5, 0.5, 0, 0, 0.8, green=1)
    detector = constant_detector(tmp_path, raw)
    (proposals,) = detector.detect([noise(128, 100)])
    torch.testing.assert_close(
        # The first is clipped at the right edge, 100.
        proposals.boxes_xyxy,
        torch.tensor([[64, 64, 100, 128], [40, 32, 72, 48]], dtype=torch.float64),
    )
    torch.testing.assert_close(proposals.scores, torch.tensor([0.8, 0.45], dtype=torch.float64))
    assert proposals.categories == ["green", "red"]


def test_nms_keeps_the_best_overlapping_box_of_each_class(tmp_path: Path) -> None:
    raw = no_detections()
    raw[0] = cell_output(2, 2, 1, 1, 0.9, red=0.5)
    raw[1] = cell_output(1.1, 2, 1, 1, 0.9, red=0.9)
    raw[2] = cell_output(0.2, 2, 1, 1, 0.9, blue=0.4)
    (proposals,) = constant_detector(tmp_path, raw).detect([noise(SIDE, SIDE)])
    assert proposals.categories == ["red", "blue"]
    assert proposals.scores.tolist() == pytest.approx([0.81, 0.36])
    (loose,) = constant_detector(tmp_path, raw, nms_thresh=1).detect([noise(SIDE, SIDE)])
    assert loose.categories == ["red", "red", "blue"]


def test_score_threshold_and_max_boxes_limit_detections(tmp_path: Path) -> None:
    raw = no_detections()
    for cell in range(10):
        raw[cell] = cell_output(0.5, 0.5, -1, -1, 1, red=cell / 10)
    (proposals,) = constant_detector(tmp_path, raw, score_thresh=0.35).detect([noise(SIDE, SIDE)])
    assert proposals.scores.tolist() == pytest.approx([0.9, 0.8, 0.7, 0.6, 0.5, 0.4])
    (few,) = constant_detector(tmp_path, raw, score_thresh=0.35, max_boxes=2).detect([noise(SIDE, SIDE)])
    assert few.scores.tolist() == pytest.approx([0.9, 0.8])


def test_non_finite_boxes_are_dropped_without_affecting_others(tmp_path: Path) -> None:
    raw = no_detections()
    raw[0] = cell_output(0.5, 0.5, 5000, 0, 1, red=1)
    raw[1] = cell_output(math.nan, 0.5, 0, 0, 1, red=1)
    raw[2] = cell_output(0.5, 0.5, 0, 0, 1, red=0.5)
    (proposals,) = constant_detector(tmp_path, raw).detect([noise(SIDE, SIDE)])
    assert proposals.boxes_xyxy.tolist() == [[16, 0, 24, 8]]


@pytest.mark.parametrize("color", [0, 1, 2])
def test_input_channels_are_bgr(tmp_path: Path, color: int) -> None:
    image = torch.zeros(3, SIDE, SIDE, dtype=torch.uint8)
    image[2 - color] = 255
    (proposals,) = color_detector(tmp_path).detect([image])
    assert proposals.categories == [COLORS[color]]
    assert proposals.scores.tolist() == pytest.approx([1])


def test_images_of_any_size_and_an_empty_batch(tmp_path: Path) -> None:
    detector = color_detector(tmp_path)
    assert detector.detect([]) == []
    gray = torch.full((3, 40, 30), 99, dtype=torch.uint8)
    images = [noise(1, 1), noise(1, 500), noise(500, 1), gray, noise(700, 900)]
    for image, proposals in zip(images, detector.detect(images), strict=True):
        height, width = image.shape[1:]
        assert len(proposals) == 1
        assert proposals.boxes_xyxy[0].tolist() == [0, 0, width, height]


def test_number_of_torch_threads_is_restored(tmp_path: Path) -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        color_detector(tmp_path).detect([noise(50, 50)])
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_a_missing_device_provider_warns_and_falls_back_to_the_cpu(tmp_path: Path) -> None:
    import onnxruntime

    if "CUDAExecutionProvider" in onnxruntime.get_available_providers():
        pytest.skip("this onnxruntime has CUDA")
    detector = open_content(tmp_path, strongest_channel(), torch.device("cuda:0"))
    assert detector.warning is not None
    assert "CPU, not on cuda:0" in detector.warning
    assert len(detector.detect([noise(9, 9)])) == 1
    assert color_detector(tmp_path).warning is None


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "onnxruntime can run"),
        (bytes(range(256)) * 20, "onnxruntime can run"),
        (graph()[:-900], "onnxruntime can run"),
        (graph(op="NoSuchOperator"), "NoSuchOperator"),
        (graph(op="Evil", domain="evil"), "not a registered"),
        (graph(dtype=torch.int64), r"one input, of tensor\(float\).*found images: tensor\(int64\)"),
        (graph(outputs={"output": OUTPUT, "more": OUTPUT}), "one output.*more"),
        (out_of_memory(), "fails on it"),
        (graph(images=[1, 3, SIDE]), "1x3xHxW.*found 1x3x64"),
        (graph(images=[1, 3, 64, 50]), "1x3xHxW.*found 1x3x64x50"),
        (graph(images=[4, 3, SIDE, SIDE]), "one output per image, found 1x84x8 for 4 images"),
        (graph(images=[1000, 3, SIDE, SIDE]), "at most 64 images.*found 1000x3x64x64"),
        (graph(images=[1, 3, 64, 64_000]), "at most 4096 px, found 1x3x64x64000"),
        (graph(images=["b", 3, "h", "w"]), "1x3xHxW.*found bx3xhxw"),
        (graph(images=[1, 3, 96, 96]), r"1x189x\(5 \+ classes\), found 1x84x8"),
        (graph(op="Flatten", outputs={"output": [1, NUM_CELLS * 8]}), "found 1x672"),
        (
            constant_graph(torch.zeros(NUM_CELLS, 9), outputs={"output": [1, NUM_CELLS, 9]}),
            "expected 3 classes.*found 4",
        ),
        (constant_graph(decoded_output()), "export without decoding"),
        (constant_graph(torch.full((NUM_CELLS, 8), -7.0)), "with the sigmoid"),
        (constant_graph(torch.full((NUM_CELLS, 8), math.nan)), r"in \[0, 1\]"),
    ],
)
def test_other_files_than_a_yolox_are_refused(tmp_path: Path, content: bytes, message: str) -> None:
    with pytest.raises(CliprpnError, match=message) as caught:
        open_content(tmp_path, content)
    assert caught.value.code == "weights_mismatch"
    assert str(tmp_path / "model.onnx") in caught.value.message


@pytest.mark.parametrize("location", ["weights.bin", "../weights.bin", "link.bin", "{absolute}"])
def test_external_weights_are_refused(tmp_path: Path, location: str, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "models"
    folder.mkdir()
    for place in (tmp_path, folder):
        (place / "weights.bin").write_bytes(bytes(NUM_CELLS * 8 * 4))
    (folder / "link.bin").symlink_to(tmp_path / "weights.bin")
    monkeypatch.chdir(folder)
    where = location.format(absolute=tmp_path / "weights.bin")
    file = folder / "model.onnx"
    file.write_bytes(graph(constant=onnx_graphs.external_constant("constant", [1, NUM_CELLS, 8], where)))
    with pytest.raises(CliprpnError, match="External data path") as caught:
        open_yolox(file, COLORS, 0.1, 0.5, 10, CPU)
    assert caught.value.code == "weights_mismatch"


def test_number_of_names_must_match_number_of_classes(tmp_path: Path) -> None:
    file = tmp_path / "model.onnx"
    file.write_bytes(constant_graph(no_detections()))
    with pytest.raises(CliprpnError, match=r"expected 80 classes.*found 3.*`classes`"):
        open_yolox(file, None, 0.1, 0.5, 10, CPU)


def test_a_damaged_file_of_class_names_is_rewritten(tmp_path: Path) -> None:
    file = tmp_path / "model.onnx"
    file.write_bytes(constant_graph(no_detections()))
    cache = tmp_path / "cache"
    root = small_dataset(tmp_path / "data")
    spec = make_baseline(root, cache, {"kind": "yolox", "file": str(file), "classes": COLORS})
    index = open_dataset(Path(spec.dataset.root), spec.dataset.id)
    detector = LazyDetector(spec.baseline, index, run_context(cache))
    assert detector.classes() == COLORS
    (names,) = cache.glob("detections/*.classes.json")
    for damaged in (b"", b'["blue", "gre', b"\xff\xff"):
        names.write_bytes(damaged)
        assert detector.classes() == COLORS
        assert json.loads(names.read_bytes()) == COLORS


def test_a_missing_file_is_reported(tmp_path: Path) -> None:
    with pytest.raises(CliprpnError, match="found no file") as caught:
        open_yolox(tmp_path / "none.onnx", None, 0.1, 0.5, 10, CPU)
    assert caught.value.code == "weights_missing"


def test_missing_onnxruntime_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(CliprpnError, match="package onnxruntime") as caught:
        open_yolox(tmp_path / "model.onnx", None, 0.1, 0.5, 10, CPU)
    assert caught.value.code == "package_missing"


@pytest.mark.skipif(not SHARED.is_dir(), reason="../shared/data is missing")
def test_recall_on_real_photos() -> None:
    photos = SHARED / "refcocog-photos"
    refs = pickle.loads((photos / "annotations" / "refs(umd).p").read_bytes())
    instances = json.loads((photos / "annotations" / "instances.json").read_text())
    annotations = {annotation["id"]: annotation["bbox"] for annotation in instances["annotations"]}
    names = {image["id"]: image["file_name"] for image in instances["images"]}
    image_ids = sorted({ref["image_id"] for ref in refs})[:40]
    detector = open_yolox(SHARED / "detectors" / "yolox_nano.onnx", None, 0.001, 0.65, 100, CPU)
    images = [photo(photos / "images" / names[image_id]) for image_id in image_ids]
    proposals = dict(zip(image_ids, detector.detect(images), strict=True))
    hits = []
    for ref in refs:
        if ref["image_id"] in proposals:
            x, y, width, height = annotations[ref["ann_id"]]
            gt = torch.tensor([[x, y, x + width, y + height]], dtype=torch.float64)
            hits.append(bool(box_iou(gt, proposals[ref["image_id"]].boxes_xyxy).max() >= 0.5))
    # 0.955 over all 224 refs; letterboxing to the center instead would give 0.48 on these.
    assert sum(hits) / len(hits) > 0.9
    repeated = detector.detect(images[1:3])
    for image_id, second in zip(image_ids[1:3], repeated, strict=True):
        assert torch.equal(second.boxes_xyxy, proposals[image_id].boxes_xyxy)
        assert torch.equal(second.scores, proposals[image_id].scores)


@pytest.mark.skipif(not SHARED.is_dir(), reason="../shared/data is missing")
def test_an_ultralytics_yolo_is_refused() -> None:
    file = SHARED / "detectors" / "yolov8n_int8.onnx"
    with pytest.raises(CliprpnError, match=r"YOLOX.*found 1x84x8400"):
        open_yolox(file, None, 0.1, 0.5, 10, CPU)


def photo(file: Path) -> Tensor:
    with Image.open(file) as image:
        return torch.from_numpy(np.array(image.convert("RGB"))).permute(2, 0, 1)


def constant_detector(
    folder: Path, raw: Tensor, score_thresh: float = 0.1, nms_thresh: float = 0.5, max_boxes: int = 100
) -> OnnxYolox:
    """A detector with the same output for every image."""
    file = folder / "model.onnx"
    file.write_bytes(constant_graph(raw))
    return open_yolox(file, COLORS, score_thresh, nms_thresh, max_boxes, CPU)


def color_detector(folder: Path) -> OnnxYolox:
    return open_content(folder, strongest_channel())


def open_content(folder: Path, content: bytes, device: torch.device = CPU) -> OnnxYolox:
    file = folder / "model.onnx"
    file.write_bytes(content)
    return open_yolox(file, COLORS, 0.1, 0.5, 10, device)
