"""YOLOs as .onnx from several exporters: each layout gives the same boxes, or an error that names the exporter."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest
import torch
from onnx_graphs import Shape
from torch import Tensor
from yolo_graphs import (
    NUM_CELLS,
    ULTRALYTICS,
    anchors_output,
    cells_output,
    final_output,
    write_channel_means,
    write_export,
)

from cliprpn.detectors.proposals import Proposals
from cliprpn.detectors.yolo import UltralyticsYolo, open_yolo
from cliprpn.detectors.yolox import open_yolox
from cliprpn.errors import CliprpnError

pytestmark = [
    pytest.mark.usefixtures("no_traces"),
    pytest.mark.skipif(find_spec("ultralytics") is None, reason="ultralytics is not installed"),
    pytest.mark.skipif(find_spec("onnxruntime") is None, reason="onnxruntime is not installed"),
]
CPU = torch.device("cpu")
# The box of the outputs of yolo_graphs, xyxy.
BOX = [20.0, 12.0, 44.0, 20.0]
YOLOV5 = {"stride": "32", "names": "{0: 'cat', 1: 'dog'}"}
ULTRALYTICS_ONLY = {key: value for key, value in ULTRALYTICS.items() if key != "description"}
RTDETR = ULTRALYTICS | {"description": "Ultralytics rtdetr-l model trained on pets.yaml"}


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("exports")


def open_export(path: Path, classes: list[str] | None = None) -> UltralyticsYolo:
    return open_yolo(path, None, 0.1, 0.5, 20, CPU, path.parent, trusted=False, classes=classes)


def gray(height: int, width: int) -> Tensor:
    return torch.full((3, height, width), 99, dtype=torch.uint8)


def detect(path: Path, classes: list[str] | None = None, height: int = 64, width: int = 64) -> Proposals:
    return open_export(path, classes).detect([gray(height, width)])[0]


def shares(output: Tensor) -> Tensor:
    """Boxes in pixels of 64 x 64 as shares, [1, 4 + C, N]."""
    output = output.clone()
    output[:, :4] /= 64
    return output


def rtdetr_output(scores: list[list[float]]) -> Tensor:
    """[1, 300, ...]: the box of yolo_graphs as shares, then further ones, each with these values."""
    output = torch.zeros(1, 300, 4 + len(scores[0]))
    output[0, : len(scores), :4] = torch.tensor([32.0, 16, 24, 8]) / 64
    output[0, : len(scores), 4:] = torch.tensor(scores)
    return output


def yolov7_nms_output() -> Tensor:
    return torch.tensor([[0, *BOX, 1, 0.6]])


@pytest.mark.parametrize(
    ("output", "metadata", "classes"),
    [
        (cells_output([0.2, 0.6]), ULTRALYTICS, None),
        (cells_output([0.2, 0.6]).half(), ULTRALYTICS, None),
        (cells_output([0.2, 0.6]).transpose(1, 2).contiguous(), ULTRALYTICS, None),
        (shares(cells_output([0.2, 0.6])), ULTRALYTICS, None),
        (shares(cells_output([0.2, 0.6])).transpose(1, 2).contiguous(), ULTRALYTICS, None),
        (cells_output([0.2, 0.6]), {}, ["cat", "dog"]),
        (final_output(0.6, 1), ULTRALYTICS | {"end2end": "True"}, None),
        (final_output(0.6, 1), ULTRALYTICS | {"end2end": "true"}, None),
        (final_output(0.6, 1).half(), ULTRALYTICS | {"args": "{'nms': True, 'batch': 1}"}, None),
        (final_output(0.6, 1), ULTRALYTICS | {"description": "Ultralytics YOLOv10n model"}, None),
        (anchors_output(0.75, [0.1, 0.8]), YOLOV5, None),
        (anchors_output(0.75, [0.1, 0.8]).half(), YOLOV5, None),
        (anchors_output(0.75, [0.1, 0.8]), {}, ["cat", "dog"]),
        (yolov7_nms_output(), {}, ["cat", "dog"]),
        (rtdetr_output([[0.2, 0.6]]), RTDETR, None),
        (rtdetr_output([[0.6, 1]]), RTDETR | {"head": "RTDETRDecoder"}, None),
    ],
)
def test_published_layouts_give_the_same_box(
    cache: Path, output: Tensor, metadata: dict[str, str], classes: list[str] | None
) -> None:
    proposals = detect(write_export(cache / "layout.onnx", output, metadata), classes)
    assert proposals.categories == ["dog"]
    torch.testing.assert_close(
        proposals.boxes_xyxy, torch.tensor([BOX], dtype=torch.float64), rtol=0, atol=0.02
    )
    torch.testing.assert_close(proposals.scores, torch.tensor([0.6], dtype=torch.float64), rtol=0, atol=1e-3)


@pytest.mark.parametrize(
    "names",
    [
        "{'0': 'cat', '1': 'dog'}",
        '{"1": "dog", "0": "cat"}',
        "['cat', 'dog']",
        '["cat", "dog"]',
        "('cat', 'dog')",
    ],
)
def test_class_names_are_read_in_any_notation(cache: Path, names: str) -> None:
    path = write_export(cache / "names.onnx", cells_output([0.2, 0.6]), ULTRALYTICS | {"names": names})
    assert open_export(path).classes == ["cat", "dog"]


def test_other_numbers_of_classes(cache: Path) -> None:
    one = {"names": "{0: 'item'}"}
    assert detect(write_export(cache / "1.onnx", cells_output([0.6]), ULTRALYTICS | one)).categories == [
        "item"
    ]
    v5 = detect(write_export(cache / "2.onnx", anchors_output(0.75, [0.8]), YOLOV5 | one))
    assert v5.scores.tolist() == pytest.approx([0.6])
    five = {"names": "['a', 'b', 'c', 'd', 'e']"}
    scores = [[0.0, 0.3, 0.0, 0.2, 0.0], [0.0, 0.0, 0.0, 0.0, 0.6]]
    rtdetr = detect(write_export(cache / "3.onnx", rtdetr_output(scores), RTDETR | five))
    assert (rtdetr.categories, rtdetr.scores.tolist()) == (["e", "b"], pytest.approx([0.6, 0.3]))
    top_k = detect(write_export(cache / "4.onnx", rtdetr_output([[0.6, 4], [0.3, 1]]), RTDETR | five))
    assert (top_k.categories, top_k.scores.tolist()) == (["e", "b"], pytest.approx([0.6, 0.3]))


def test_an_rtdetr_without_a_description_is_known_by_its_boxes(cache: Path) -> None:
    names = {"names": "['a', 'b', 'c']"}
    path = write_export(cache / "plain.onnx", rtdetr_output([[0.0, 0.6, 0.1]]), ULTRALYTICS_ONLY | names)
    proposals = detect(path, height=128, width=640)
    assert proposals.categories == ["b"]
    torch.testing.assert_close(
        proposals.boxes_xyxy, torch.tensor([[200, 24, 440, 40]], dtype=torch.float64), rtol=0, atol=1e-3
    )
    pixels = rtdetr_output([[0.0, 0.6, 0.1]])
    pixels[..., :4] *= 64
    with pytest.raises(CliprpnError, match="RT-DETR or of a YOLO with final boxes"):
        open_export(write_export(cache / "pixels.onnx", pixels, ULTRALYTICS_ONLY | names))


def test_a_yolo_opened_as_a_yolox_names_the_right_detector(cache: Path) -> None:
    path = write_export(cache / "yolo.onnx", cells_output([0.2, 0.6]), ULTRALYTICS)
    with pytest.raises(CliprpnError, match=r"found 1x6x84.*`yolo`"):
        open_yolox(path, ["cat", "dog"], 0.1, 0.5, 20, CPU)


def test_an_rtdetr_sees_stretched_images_and_a_yolo_letterboxed_ones(cache: Path) -> None:
    rtdetr = write_export(cache / "rtdetr.onnx", rtdetr_output([[0.2, 0.6]]), RTDETR)
    boxes = detect(rtdetr, height=128, width=640).boxes_xyxy
    torch.testing.assert_close(boxes, torch.tensor([[200, 24, 440, 40]], dtype=torch.float64))
    yolo = write_export(cache / "yolo.onnx", cells_output([0.2, 0.6]), ULTRALYTICS)
    # 128 x 64 becomes 64 x 32, with 16 px of padding left and right.
    boxes = detect(yolo, height=128, width=64).boxes_xyxy
    torch.testing.assert_close(boxes, torch.tensor([[8, 24, 56, 40]], dtype=torch.float64))


@pytest.mark.parametrize("batch_size", [1, 2, 8, "batch"])
def test_a_fixed_batch_gives_each_image_its_own_boxes(cache: Path, batch_size: int | str) -> None:
    detector = open_export(write_channel_means(cache / f"batch{batch_size}.onnx", batch_size))
    images = [torch.zeros(3, 64, 64, dtype=torch.uint8) for _ in range(11)]
    for i, image in enumerate(images):
        image[i % 3] = 100 + 10 * i
    for i, proposals in enumerate(detector.detect(images)):
        assert proposals.categories == [["red", "green", "blue"][i % 3]]
        assert proposals.scores.tolist() == pytest.approx([(100 + 10 * i) / 255], abs=1e-4)
        assert proposals.boxes_xyxy.tolist() == [[24, 28, 40, 36]]


def test_gray_images(cache: Path) -> None:
    path = write_export(cache / "gray.onnx", cells_output([0.2, 0.6]), ULTRALYTICS, [1, 1, 64, 64])
    assert detect(path).boxes_xyxy.tolist() == [BOX]
    assert len(detect(path, height=90, width=80)) == 1


def test_chosen_class_names_replace_those_of_the_file(cache: Path) -> None:
    path = write_export(cache / "renamed.onnx", cells_output([0.2, 0.6]), ULTRALYTICS)
    assert open_export(path, ["Katze", "Hund"]).classes == ["Katze", "Hund"]
    with pytest.raises(CliprpnError, match=r"expected 2 class names in `classes`.*found 3"):
        open_export(path, ["a", "b", "c"])


def test_an_early_yolov5_with_its_raw_maps(cache: Path) -> None:
    raw: dict[str, Shape] = {str(i): [1, 3, s, s, 7] for i, s in enumerate((8, 4, 2))}
    path = write_export(cache / "raw.onnx", anchors_output(0.75, [0.1, 0.8]), YOLOV5, more=raw, name="output")
    assert detect(path).boxes_xyxy.tolist() == [BOX]


@pytest.mark.parametrize(
    ("output", "metadata", "classes", "message"),
    [
        (
            cells_output([0.2, 0.6]),
            {},
            None,
            "none; .*layout of ultralytics: list the 2 class names.*`classes`",
        ),
        (
            anchors_output(0.75, [0.1, 0.8]),
            {},
            None,
            "yolov5 and yolov7 repositories: list the 2 class names",
        ),
        (yolov7_nms_output(), {}, None, "yolov7 repository with NMS: list the class names"),
        (torch.zeros(1, NUM_CELLS, 7), {}, None, "YOLOX or YOLOv6.*`yolox`"),
        (torch.zeros(1, NUM_CELLS, 7), YOLOV5, None, "YOLOX or YOLOv6.*`yolox`"),
        (torch.zeros(1, 6, 0), ULTRALYTICS, None, "1x6xN for 2 classes, found 1x6x0"),
        (torch.zeros(0), ULTRALYTICS, None, "1x6xN for 2 classes, found 0"),
        (torch.zeros(1, 9, 9), {}, None, "without class names.*1x9x9.*`file`"),
        (anchors_output(0.75, [0.8]), {}, ["item"], "yolov5 and yolov7 read differently for one class"),
        (final_output(0.6, 1), ULTRALYTICS, None, "RT-DETR or of a YOLO with final boxes.*metadata.*8.4"),
        (torch.zeros(1, 300, 6), YOLOV5, None, "RT-DETR or of a YOLO with final boxes"),
        (torch.zeros(1, 300, 9), RTDETR, None, "RT-DETR with an output of 1xNx6.*found 1x300x9"),
        (cells_output([0.2, 0.6]), ULTRALYTICS | {"end2end": "true"}, None, "1xNx6.*final, found 1x6x84"),
        (
            cells_output([0.1] * 5),
            ULTRALYTICS,
            None,
            "1x6xN for 2 classes, found 1x9x84, which has 5 classes",
        ),
        (
            torch.zeros(1, 7, NUM_CELLS),
            ULTRALYTICS | {"task": "obb"},
            None,
            r"task obb \(rotated boxes\).*`file`",
        ),
        (torch.zeros(1, 38, NUM_CELLS), ULTRALYTICS | {"task": "segment"}, None, "task segment.*`file`"),
        (
            cells_output([0.2, 0.6]),
            ULTRALYTICS | {"end2end": "yes"},
            None,
            "end2end as a Python or JSON literal",
        ),
        (
            cells_output([0.2, 0.6]),
            ULTRALYTICS | {"names": "{'a': 'cat', 'b': 'dog'}"},
            None,
            "classes 0, 1, 2",
        ),
        (
            cells_output([0.2, 0.6]),
            ULTRALYTICS | {"names": "{0: 'cat', '0': 'dog'}"},
            None,
            "classes 0, 1, 2",
        ),
    ],
)
def test_other_layouts_are_named(
    cache: Path, output: Tensor, metadata: dict[str, str], classes: list[str] | None, message: str
) -> None:
    with pytest.raises(CliprpnError, match=f"case.onnx: expected .*{message}") as error:
        open_export(write_export(cache / "case.onnx", output, metadata), classes)
    assert error.value.code == "weights_mismatch"


@pytest.mark.parametrize(
    ("inputs", "outputs", "message"),
    [
        ({"orig_target_sizes": [1, 2]}, ["labels", "boxes", "scores"], "RT-DETR, D-FINE or DEIM"),
        ({}, ["num_dets", "det_boxes", "det_scores", "det_classes"], "NMS for TensorRT"),
        ({"pixel_values": [1, 3, 64, 64]}, ["logits", "pred_boxes"], "Hugging Face"),
        ({"im_shape": [1, 2], "scale_factor": [1, 2]}, ["boxes"], "PaddleDetection"),
    ],
)
def test_exports_of_other_repositories_are_named(
    cache: Path, inputs: dict[str, Shape], outputs: list[str], message: str
) -> None:
    first, *rest = outputs
    more: dict[str, Shape] = {name: [1, 300] for name in rest}
    path = write_export(
        cache / "other.onnx", torch.zeros(1, 300, 4), {}, inputs=inputs, more=more, name=first
    )
    with pytest.raises(CliprpnError, match=f"{message}.*`file`") as error:
        open_export(path)
    assert error.value.code == "weights_mismatch"


def test_raw_maps_and_channels_last_are_named(cache: Path) -> None:
    maps: dict[str, Shape] = {"boxes": [1, 3, 4, 4, 7], "271": [1, 3, 2, 2, 7]}
    path = write_export(cache / "maps.onnx", torch.zeros(1, 3, 8, 8, 7), {}, more=maps, name="classes")
    with pytest.raises(CliprpnError, match=r"without its decoding.*--grid"):
        open_export(path)
    path = write_export(cache / "last.onnx", cells_output([0.2, 0.6]), ULTRALYTICS, [1, 64, 64, 3])
    with pytest.raises(CliprpnError, match="1x64x64x3, with channels last"):
        open_export(path)
