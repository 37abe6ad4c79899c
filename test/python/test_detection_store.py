"""The cache of detections: each image is detected once, and results are kept when a run ends early."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from helpers import progress_of, run_context
from images import write_image
from torch import Tensor

from cliprpn.data.images import ImageFile, load_image
from cliprpn.detectors import detection_store
from cliprpn.detectors.detection_store import detect_all
from cliprpn.detectors.proposals import Proposals, make_proposals
from cliprpn.errors import CliprpnError
from cliprpn.run_context import Emit


class FakeDetector:
    """Returns zero to three boxes that depend on the first pixels; counts its calls."""

    classes = ["cat", "", "dög"]  # noqa: RUF012

    def __init__(self) -> None:
        self.loads = 0
        self.batches: list[int] = []

    def load(self) -> FakeDetector:
        self.loads += 1
        return self

    def detect(self, images: list[Tensor]) -> list[Proposals]:
        self.batches.append(len(images))
        return [self.expected(image) for image in images]

    def expected(self, image: Tensor) -> Proposals:
        count = int(image[0, 0, 0]) % 4
        height, width = image.shape[1:]
        corners = image[:, :4, :count].reshape(-1)[: 2 * count].double().reshape(-1, 2) / 20
        boxes = torch.cat([corners, corners + torch.tensor([1 / 3, 7.1])], dim=1)
        scores = image[1, 0, :count].double() / 256
        return make_proposals(boxes, scores, [self.classes[i % 3] for i in range(count)], width, height)


def detect(
    files: list[ImageFile],
    store: Path,
    detector: FakeDetector,
    emit: Emit = lambda event: None,
    should_stop: Callable[[], bool] = lambda: False,
) -> list[Proposals]:
    return detect_all(files, store, detector.load, run_context(store.parent, emit, should_stop))


def are_equal(actual: list[Proposals], expected: list[Proposals]) -> bool:
    return [as_lists(proposals) for proposals in actual] == [as_lists(proposals) for proposals in expected]


def as_lists(proposals: Proposals) -> tuple[object, ...]:
    boxes, scores = proposals.boxes_xyxy, proposals.scores
    assert boxes.shape == (len(proposals), 4) and boxes.dtype == scores.dtype == torch.float64
    return boxes.tolist(), scores.tolist(), proposals.categories


@pytest.fixture
def files(tmp_path: Path) -> list[ImageFile]:
    return [write_image(tmp_path / "data" / f"{seed}.png", seed) for seed in range(40)]


def test_cached_detections_are_bit_exact(files: list[ImageFile], tmp_path: Path) -> None:
    detector = FakeDetector()
    expected = [detector.expected(load_image(file)) for file in files]
    assert {len(proposals) for proposals in expected} == {0, 1, 2, 3}
    assert are_equal(detect(files, tmp_path / "a.sqlite", detector), expected)
    assert are_equal(detect(files, tmp_path / "a.sqlite", FakeDetector()), expected)


def test_another_split_or_dataset_detects_only_new_images(files: list[ImageFile], tmp_path: Path) -> None:
    store = tmp_path / "a.sqlite"
    first, second, third = FakeDetector(), FakeDetector(), FakeDetector()
    detect(files[:10], store, first)
    assert (first.loads, sum(first.batches)) == (1, 10)
    detect(files[5:12], store, second)
    assert (second.loads, sum(second.batches)) == (1, 2)
    elsewhere = [write_image(tmp_path / "other" / f"again-{seed}.png", seed) for seed in range(12)]
    proposals = detect(elsewhere, store, third)
    assert (third.loads, third.batches) == (0, [])
    assert are_equal(proposals, detect(files[:12], store, third))
    # Another detector has its own file.
    detect(files[:10], tmp_path / "b.sqlite", third)
    assert sum(third.batches) == 10


def test_a_repeated_image_is_detected_once(files: list[ImageFile], tmp_path: Path) -> None:
    detector = FakeDetector()
    proposals = detect([files[0], files[1], files[0]], tmp_path / "a.sqlite", detector)
    assert sum(detector.batches) == 2
    assert are_equal(proposals[:1], proposals[2:])


def test_an_image_whose_content_changes_is_detected_again(files: list[ImageFile], tmp_path: Path) -> None:
    detector = FakeDetector()
    detect(files[:2], tmp_path / "a.sqlite", detector)
    write_image(files[0].path, seed=99, width=41)
    assert are_equal(
        detect(files[:2], tmp_path / "a.sqlite", detector),
        [detector.expected(load_image(file)) for file in files[:2]],
    )
    assert sum(detector.batches) == 3


def test_detections_are_kept_when_stopped(
    files: list[ImageFile], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(detection_store, "MAX_BATCH_IMAGES", 16)
    stops = iter([False, False, True])
    first, second = FakeDetector(), FakeDetector()
    with pytest.raises(CliprpnError) as caught:
        detect(files, tmp_path / "a.sqlite", first, should_stop=lambda: next(stops))
    assert caught.value.code == "interrupted"
    events: list[Any] = []
    detect(files, tmp_path / "a.sqlite", second, emit=events.append)
    done = 2 * detection_store.MAX_BATCH_IMAGES
    assert (sum(first.batches), sum(second.batches)) == (done, 40 - done)
    assert progress_of(events) == [("detections", done, 40), ("detections", 40, 40)]


def test_a_broken_image_is_reported_and_other_batches_are_kept(
    files: list[ImageFile], tmp_path: Path
) -> None:
    files[20].path.write_bytes(files[20].path.read_bytes()[:200])
    first, second = FakeDetector(), FakeDetector()
    with pytest.raises(CliprpnError, match=r"20\.png") as caught:
        detect(files, tmp_path / "a.sqlite", first)
    assert caught.value.code == "data_invalid"
    detect([*files[:20], *files[21:]], tmp_path / "a.sqlite", second)
    assert sum(first.batches) + sum(second.batches) == 39


def test_a_missing_image_is_reported_before_detection_starts(files: list[ImageFile], tmp_path: Path) -> None:
    files[3].path.unlink()
    detector = FakeDetector()
    with pytest.raises(CliprpnError, match=r"3\.png: .*no file"):
        detect(files, tmp_path / "a.sqlite", detector)
    assert detector.loads == 0


def test_large_images_come_in_smaller_batches(
    files: list[ImageFile], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(detection_store, "MAX_BATCH_BYTES", 3 * 40 * 30 * 3)
    detector = FakeDetector()
    detect(files[:7], tmp_path / "a.sqlite", detector)
    assert detector.batches == [3, 3, 1]
