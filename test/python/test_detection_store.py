"""Detections: each image detected once, whatever asks for it, and kept when a run ends early."""

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


class Finder:
    """Finds boxes where the first pixels say, from none to three; counts what it is asked."""

    classes = ["cat", "", "dög"]  # noqa: RUF012

    def __init__(self) -> None:
        self.loads = 0
        self.batches: list[int] = []

    def load(self) -> Finder:
        self.loads += 1
        return self

    def detect(self, pictures: list[Tensor]) -> list[Proposals]:
        self.batches.append(len(pictures))
        return [self.found(picture) for picture in pictures]

    def found(self, picture: Tensor) -> Proposals:
        count = int(picture[0, 0, 0]) % 4
        height, width = picture.shape[1:]
        corners = picture[:, :4, :count].reshape(-1)[: 2 * count].double().reshape(-1, 2) / 20
        boxes = torch.cat([corners, corners + torch.tensor([1 / 3, 7.1])], dim=1)
        scores = picture[1, 0, :count].double() / 256
        return make_proposals(boxes, scores, [self.classes[i % 3] for i in range(count)], width, height)


def ask(
    files: list[ImageFile],
    store: Path,
    finder: Finder,
    emit: Emit = lambda event: None,
    should_stop: Callable[[], bool] = lambda: False,
) -> list[Proposals]:
    return detect_all(files, store, finder.load, run_context(store.parent, emit, should_stop))


def same(found: list[Proposals], expected: list[Proposals]) -> bool:
    return [as_lists(each) for each in found] == [as_lists(each) for each in expected]


def as_lists(own: Proposals) -> tuple[object, ...]:
    assert own.boxes_xyxy.shape == (len(own), 4) and own.boxes_xyxy.dtype == own.scores.dtype == torch.float64
    return own.boxes_xyxy.tolist(), own.scores.tolist(), own.categories


@pytest.fixture
def files(tmp_path: Path) -> list[ImageFile]:
    return [write_image(tmp_path / "data" / f"{seed}.png", seed) for seed in range(40)]


def test_what_a_detector_finds_comes_back_to_the_bit(files: list[ImageFile], tmp_path: Path) -> None:
    finder = Finder()
    expected = [finder.found(load_image(file)) for file in files]
    assert {len(each) for each in expected} == {0, 1, 2, 3}
    assert same(ask(files, tmp_path / "a.sqlite", finder), expected)
    assert same(ask(files, tmp_path / "a.sqlite", Finder()), expected)


def test_a_second_split_or_data_set_detects_only_what_is_new(files: list[ImageFile], tmp_path: Path) -> None:
    store = tmp_path / "a.sqlite"
    first, second, third = Finder(), Finder(), Finder()
    ask(files[:10], store, first)
    assert (first.loads, sum(first.batches)) == (1, 10)
    ask(files[5:12], store, second)
    assert (second.loads, sum(second.batches)) == (1, 2)
    elsewhere = [write_image(tmp_path / "other" / f"again-{seed}.png", seed) for seed in range(12)]
    found = ask(elsewhere, store, third)
    assert (third.loads, third.batches) == (0, [])
    assert same(found, ask(files[:12], store, third))
    # Another detector has its own file.
    ask(files[:10], tmp_path / "b.sqlite", third)
    assert sum(third.batches) == 10


def test_a_image_that_comes_again_is_detected_once(files: list[ImageFile], tmp_path: Path) -> None:
    finder = Finder()
    found = ask([files[0], files[1], files[0]], tmp_path / "a.sqlite", finder)
    assert sum(finder.batches) == 2
    assert same(found[:1], found[2:])


def test_a_image_whose_content_changes_is_another(files: list[ImageFile], tmp_path: Path) -> None:
    finder = Finder()
    ask(files[:2], tmp_path / "a.sqlite", finder)
    write_image(files[0].path, seed=99, width=41)
    assert same(
        ask(files[:2], tmp_path / "a.sqlite", finder),
        [finder.found(load_image(file)) for file in files[:2]],
    )
    assert sum(finder.batches) == 3


def test_asked_to_stop_it_keeps_what_is_done(
    files: list[ImageFile], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(detection_store, "BATCH", 16)
    asked = iter([False, False, True])
    first, second = Finder(), Finder()
    with pytest.raises(CliprpnError) as caught:
        ask(files, tmp_path / "a.sqlite", first, should_stop=lambda: next(asked))
    assert caught.value.code == "interrupted"
    events: list[Any] = []
    ask(files, tmp_path / "a.sqlite", second, emit=events.append)
    done = 2 * detection_store.BATCH
    assert (sum(first.batches), sum(second.batches)) == (done, 40 - done)
    assert progress_of(events) == [("detections", done, 40), ("detections", 40, 40)]


def test_a_broken_image_is_named_and_loses_no_other_batch(files: list[ImageFile], tmp_path: Path) -> None:
    files[20].path.write_bytes(files[20].path.read_bytes()[:200])
    first, second = Finder(), Finder()
    with pytest.raises(CliprpnError, match=r"20\.png") as caught:
        ask(files, tmp_path / "a.sqlite", first)
    assert caught.value.code == "data_invalid"
    ask([*files[:20], *files[21:]], tmp_path / "a.sqlite", second)
    assert sum(first.batches) + sum(second.batches) == 39


def test_a_missing_image_is_named_before_anything_is_detected(files: list[ImageFile], tmp_path: Path) -> None:
    files[3].path.unlink()
    finder = Finder()
    with pytest.raises(CliprpnError, match=r"3\.png: expected an image, found no file"):
        ask(files, tmp_path / "a.sqlite", finder)
    assert finder.loads == 0


def test_large_images_come_in_smaller_batches(
    files: list[ImageFile], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(detection_store, "BATCH_BYTES", 3 * 40 * 30 * 3)
    finder = Finder()
    ask(files[:7], tmp_path / "a.sqlite", finder)
    assert finder.batches == [3, 3, 1]
