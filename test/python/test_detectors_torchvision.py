"""torchvision's Faster R-CNN: equal detections, accepted weights, and errors."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import torch
from images import noise
from safetensors.torch import save_file
from torch import Tensor, nn
from torchvision.models import resnet50
from torchvision.models.detection import fasterrcnn_mobilenet_v3_large_320_fpn
from torchvision.models.detection._utils import overwrite_eps
from torchvision.models.detection.backbone_utils import _resnet_fpn_extractor
from torchvision.models.detection.faster_rcnn import FasterRCNN
from torchvision.ops.misc import FrozenBatchNorm2d

from cliprpn.detectors.coco_classes import coco_classes
from cliprpn.detectors.faster_rcnn import COCO_WEIGHTS, TorchvisionFasterRcnn, open_faster_rcnn
from cliprpn.errors import CliprpnError

SMALL = "mobilenet_v3_large_320_fpn"
CPU = torch.device("cpu")
State = dict[str, Tensor]


@pytest.fixture(scope="module")
def three_labels() -> State:
    """Untrained weights for two classes and background."""
    return small_state(3)


@pytest.fixture(scope="module")
def coco_labels() -> State:
    return small_state(91)


def test_detections_equal_torchvisions(tmp_path: Path, three_labels: State) -> None:
    detector = open_state(
        tmp_path, three_labels, ["cat", "dog"], score_thresh=0.2, nms_thresh=0.4, max_boxes=7
    )
    model = fasterrcnn_mobilenet_v3_large_320_fpn(
        weights=None,
        weights_backbone=None,
        num_classes=3,
        box_score_thresh=0.2,
        box_nms_thresh=0.4,
        box_detections_per_img=7,
    ).eval()
    model.load_state_dict(three_labels)
    image = noise(90, 120)
    with torch.inference_mode():
        (reference,) = model([image / 255])
    (proposals,) = detector.detect([image])
    assert len(proposals) == 7
    assert torch.equal(proposals.boxes_xyxy, reference["boxes"].double())
    assert torch.equal(proposals.scores, reference["scores"].double())
    assert proposals.categories == [["", "cat", "dog"][label] for label in reference["labels"]]
    assert detector.classes == ["cat", "dog"]


def test_safetensors_are_supported(tmp_path: Path, three_labels: State) -> None:
    file = tmp_path / "model.safetensors"
    save_file(three_labels, file)
    proposals = open_faster_rcnn(SMALL, file, ["cat", "dog"], 0, 0.5, 5, CPU).detect([noise(40, 40)])[0]
    (expected,) = open_state(tmp_path, three_labels, ["cat", "dog"], max_boxes=5).detect([noise(40, 40)])
    assert torch.equal(proposals.boxes_xyxy, expected.boxes_xyxy)


def test_detections_do_not_depend_on_other_images_in_the_batch(tmp_path: Path, three_labels: State) -> None:
    detector = open_state(tmp_path, three_labels, ["cat", "dog"])
    (alone,) = detector.detect([noise(90, 120)])
    second = detector.detect([noise(200, 60), noise(90, 120)])[1]
    assert torch.equal(alone.boxes_xyxy, second.boxes_xyxy)
    assert torch.equal(alone.scores, second.scores)


def test_images_of_any_size_and_an_empty_batch(tmp_path: Path, three_labels: State) -> None:
    detector = open_state(tmp_path, three_labels, ["cat", "dog"])
    assert detector.detect([]) == []
    gray = torch.full((3, 40, 30), 99, dtype=torch.uint8)
    # Without padding, torchvision fails on the last two: resized to its 640 px, they have no row or no column.
    images = [noise(1, 1), noise(1, 500), noise(500, 1), gray, noise(1, 700), noise(5000, 3)]
    for image, proposals in zip(images, detector.detect(images), strict=True):
        height, width = image.shape[1:]
        assert len(proposals) > 0
        assert (proposals.boxes_xyxy >= 0).all()
        assert (proposals.boxes_xyxy <= torch.tensor([width, height, width, height])).all()


def test_opening_and_detecting_restore_torchs_state(tmp_path: Path, three_labels: State) -> None:
    threads, generator = torch.get_num_threads(), torch.get_rng_state()
    open_state(tmp_path, three_labels, ["cat", "dog"]).detect([noise(40, 40)])
    assert torch.get_num_threads() == threads
    assert torch.equal(torch.get_rng_state(), generator)


def test_coco_labels_get_coco_class_names(tmp_path: Path, coco_labels: State) -> None:
    state = dict(coco_labels)
    bias = torch.zeros(91)
    bias[[12, 18]] = torch.tensor([9.0, 10.0])  # 12 has no name, 18 is `dog`.
    state["roi_heads.box_predictor.cls_score.bias"] = bias
    state["roi_heads.box_predictor.cls_score.weight"] = torch.zeros(91, 1024)
    for classes in (None, coco_classes()):
        detector = open_state(tmp_path, state, classes, score_thresh=0.1, max_boxes=1000)
        assert detector.classes == coco_classes()
        (proposals,) = detector.detect([noise(60, 60)])
        assert set(proposals.categories) == {"", "dog"}
        # softmax of 10, 9 and 89 zeros
        assert proposals.scores[0].item() == pytest.approx(0.7295, abs=1e-3)


@pytest.mark.parametrize(
    ("num_labels", "classes", "message"),
    [
        (3, None, r"expected COCO's 91 labels, found 2 classes.*`classes`"),
        (3, ["cat"], "expected 1 classes.*`classes`.*found 2 classes"),
        (91, ["cat", "dog"], "expected 2 classes.*found 90 classes"),
    ],
)
def test_number_of_names_must_match_number_of_classes(
    tmp_path: Path,
    three_labels: State,
    coco_labels: State,
    num_labels: int,
    classes: list[str] | None,
    message: str,
) -> None:
    with pytest.raises(CliprpnError, match=message) as caught:
        open_state(tmp_path, three_labels if num_labels == 3 else coco_labels, classes)
    assert caught.value.code == "weights_mismatch"


def test_weights_of_another_model_are_refused(tmp_path: Path, three_labels: State) -> None:
    with pytest.raises(CliprpnError, match="without roi_heads") as caught:
        open_state(tmp_path, {"conv.weight": torch.zeros(1)}, None)
    assert caught.value.code == "weights_mismatch"
    with pytest.raises(CliprpnError, match=r"resnet50_fpn, found .*Missing") as caught:
        open_state(tmp_path, three_labels, ["cat", "dog"], variant="resnet50_fpn")
    assert caught.value.code == "weights_mismatch"


@pytest.mark.parametrize("content", [b"", b"garbage" * 99])
def test_a_broken_file_is_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "model.pth"
    file.write_bytes(content)
    with pytest.raises(CliprpnError, match=r"model\.pth") as caught:
        open_faster_rcnn(SMALL, file, None, 0.5, 0.5, 10, CPU)
    assert caught.value.code in ("weights_mismatch", "weights_unsafe")


def test_a_file_that_would_execute_code_is_refused(tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return os.mkdir, (str(tmp_path / "ran"),)

    file = tmp_path / "model.pth"
    torch.save({"state_dict": Evil()}, file)
    with pytest.raises(CliprpnError) as caught:
        open_faster_rcnn(SMALL, file, None, 0.5, 0.5, 10, CPU)
    assert caught.value.code == "weights_unsafe"
    assert not (tmp_path / "ran").exists()


def test_a_missing_file_is_reported(tmp_path: Path) -> None:
    with pytest.raises(CliprpnError, match="found no file") as caught:
        open_faster_rcnn(SMALL, tmp_path / "none.pth", None, 0.5, 0.5, 10, CPU)
    assert caught.value.code == "weights_missing"


def test_coco_weights_are_read_from_torchvisions_cache(
    tmp_path: Path, coco_labels: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    cached = tmp_path / "hub" / "checkpoints" / COCO_WEIGHTS[SMALL].url.rpartition("/")[2]
    cached.parent.mkdir(parents=True)
    torch.save(coco_labels, cached)
    image = noise(50, 50)
    (proposals,) = open_faster_rcnn(SMALL, None, None, 0, 0.5, 10, CPU).detect([image])
    (expected,) = open_state(tmp_path, coco_labels, None, max_boxes=10).detect([image])
    assert torch.equal(proposals.boxes_xyxy, expected.boxes_xyxy)
    cached.write_bytes(cached.read_bytes()[:1000])
    with pytest.raises(CliprpnError, match=r"COCO weights.*from https.*mobilenet_v3_large_320_fpn") as caught:
        open_faster_rcnn(SMALL, None, None, 0, 0.5, 10, CPU)
    assert caught.value.code == "weights_missing"


def test_without_a_network_the_url_to_download_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")  # A closed port.
    monkeypatch.setenv("no_proxy", "")
    with pytest.raises(CliprpnError, match=r"from https://\S+\.pth .*detector's `file`") as caught:
        open_faster_rcnn("resnet50_fpn_v2", None, None, 0, 0.5, 10, CPU)
    assert caught.value.code == "weights_missing"


def test_frozen_norms_have_no_epsilon(tmp_path: Path) -> None:
    """As in torchvision's COCO weights and weights fine-tuned from them."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        backbone = _resnet_fpn_extractor(resnet50(weights=None, norm_layer=FrozenBatchNorm2d), 3)
        reference = FasterRCNN(backbone, 3, box_score_thresh=0, box_detections_per_img=5).eval()
    for module in reference.modules():
        if isinstance(module, FrozenBatchNorm2d):
            # Small enough for an epsilon of 1e-5 to matter; the weight keeps the scale.
            module.running_var.fill_(1e-4)
            module.weight.fill_(1e-2)
    overwrite_eps(reference, 0.0)
    detector = open_state(
        tmp_path, reference.state_dict(), ["cat", "dog"], variant="resnet50_fpn", max_boxes=5
    )
    image = noise(16, 160)
    with torch.inference_mode():
        (expected,) = reference([image / 255])
    (proposals,) = detector.detect([image])
    # BatchNorm2d rounds differently from FrozenBatchNorm2d; with an epsilon, boxes would move by pixels.
    torch.testing.assert_close(proposals.boxes_xyxy, expected["boxes"].double(), atol=0.01, rtol=0)
    torch.testing.assert_close(proposals.scores, expected["scores"].double(), atol=1e-4, rtol=0)


def test_trained_norms_keep_their_epsilon(tmp_path: Path) -> None:
    state = _trained_resnet().state_dict()
    detector = open_state(tmp_path, state, ["cat", "dog"], variant="resnet50_fpn")
    norms = [module for module in detector._model.modules() if isinstance(module, nn.BatchNorm2d)]
    assert {norm.eps for norm in norms} == {1e-5}


def _trained_resnet() -> FasterRCNN:
    return FasterRCNN(_resnet_fpn_extractor(resnet50(weights=None), 5), 3)


def small_state(num_labels: int) -> State:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = fasterrcnn_mobilenet_v3_large_320_fpn(
            weights=None, weights_backbone=None, num_classes=num_labels
        )
    return dict(model.state_dict())


def open_state(
    folder: Path,
    state: State,
    classes: list[str] | None,
    score_thresh: float = 0,
    nms_thresh: float = 0.5,
    max_boxes: int = 100,
    variant: str = SMALL,
) -> TorchvisionFasterRcnn:
    file = folder / "model.pth"
    torch.save(state, file)
    return open_faster_rcnn(variant, file, classes, score_thresh, nms_thresh, max_boxes, CPU)
