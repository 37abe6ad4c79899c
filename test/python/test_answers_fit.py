"""Coordinates of predicted boxes: frames as other programs resize, and what does not fit is refused."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from answer_data import (
    ORIGINAL,
    Record,
    convert,
    coordinates,
    index_of,
    make_expressions,
    predictions,
)
from helpers import REPO
from made_answers import prepare_rows
from numpy.typing import NDArray
from prepared import source_of
from user_data import write_jsonl

from cliprpn.answers.coordinates.coordinates import (
    ORDERS,
    SUFFIXES,
    coordinates_text,
    full_sizes,
    to_original,
)
from cliprpn.answers.coordinates.frame_sizes import frame_sizes, smart_resize
from cliprpn.answers.fit.check_fit import check_fit
from cliprpn.answers.fit.fit import Fit
from cliprpn.contract.generated import Coordinates
from cliprpn.data.index import DatasetIndex, open_tables
from cliprpn.data.sources import read_source
from cliprpn.data.tables import write_tables
from cliprpn.errors import CliprpnError

PHOTOS = REPO.parent / "shared" / "data" / "refcocog-photos"
NAMES = [order + suffix for suffix in SUFFIXES for order in ORDERS]
ROWS = make_expressions(200)
Boxes = NDArray[np.float64]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return prepare_rows(tmp_path_factory.mktemp("made") / "set", ROWS, "made")


@pytest.fixture(scope="module", params=["made", "photos"])
def index(
    request: pytest.FixtureRequest, root: Path, tmp_path_factory: pytest.TempPathFactory
) -> DatasetIndex:
    if request.param == "made":
        return index_of(root)
    if not PHOTOS.is_dir():
        pytest.skip("../shared/data is missing")
    folder = tmp_path_factory.mktemp("photos")
    write_tables(read_source(source_of(PHOTOS)).annotations, None, folder)
    return open_tables(folder, "photos", None, "xywh")


@pytest.mark.parametrize(
    ("size", "limits", "expected"),
    [
        ((640, 480), (3136, 12845056), (644, 476)),
        ((4000, 3000), (3136, 1003520), (1148, 840)),
        ((20, 10), (3136, 12845056), (84, 56)),
        ((1000, 3), (3136, 12845056), (1008, 28)),
    ],
)
def test_smart_resize_is_that_of_qwen(
    size: tuple[int, int], limits: tuple[int, int], expected: tuple[int, int]
) -> None:
    assert smart_resize(*size, 28, *limits) == expected


@pytest.mark.parametrize(
    ("frame", "size", "expected"),
    [
        ({"kind": "short_side", "length": 800, "max_length": 1333}, (640, 480), (1066, 800)),
        ({"kind": "short_side", "length": 800, "max_length": 1333}, (480, 640), (800, 1066)),
        ({"kind": "short_side", "length": 800, "max_length": 1333}, (1280, 427), (1333, 445)),
        ({"kind": "short_side", "length": 800, "max_length": None}, (1280, 427), (2398, 800)),
        ({"kind": "short_side", "length": 800, "max_length": 1333}, (500, 500), (800, 800)),
        ({"kind": "long_side", "length": 640}, (500, 375), (640, 480)),
        ({"kind": "long_side", "length": 640}, (427, 640), (427, 640)),
        ({"kind": "long_side", "length": 1000}, (427, 640), (667, 1000)),
        ({"kind": "fixed", "width": 448, "height": 336}, (427, 640), (448, 336)),
    ],
)
def test_frames_have_the_whole_pixels_of_other_programs(
    frame: Record, size: tuple[int, int], expected: tuple[int, int]
) -> None:
    sizes = np.array([size], dtype=np.float64)
    assert frame_sizes(coordinates("xyxy", frame), sizes, sizes).tolist() == [list(expected)]


def written(boxes: Boxes, said: Coordinates, sizes: Boxes) -> Boxes:
    order, _, unit = said.box_format.partition("_")
    boxes = boxes * np.tile(full_sizes(said, sizes, sizes) / sizes, 2)
    boxes = np.round(boxes, {"norm": 4, "1000": 0}.get(unit, 1))
    wh = boxes[:, 2:] - boxes[:, :2]
    if order == "xyxy":
        return boxes
    return np.concatenate([boxes[:, :2] + (wh / 2 if order == "cxcywh" else 0), wh], axis=1)


def drawn(index: DatasetIndex, num: int, seed: int, kind: str) -> tuple[Boxes, Boxes, list[int]]:
    """Boxes of a model, xyxy, pixels; the sizes of their images, and the images."""
    rng = np.random.default_rng(seed)
    at = rng.choice(len(index.gt_boxes), min(num, len(index.gt_boxes)), replace=False)
    sizes, truth = index.image_sizes(at).astype(np.float64), index.gt_boxes[at].astype(np.float64)
    limits, sides = np.tile(sizes, 2), np.tile(truth[:, 2:] - truth[:, :2], 2)
    if kind == "unclipped":
        return (
            truth + rng.normal(0, 0.15, truth.shape) * sides,
            sizes,
            index.image_rows[at].tolist(),
        )
    boxes = {
        "near": truth + rng.normal(0, 0.05, truth.shape) * sides,
        "random": np.sort(rng.random((len(at), 2, 2)), axis=1).reshape(-1, 4) * limits,
        "whole": np.concatenate([np.zeros_like(sizes), sizes], axis=1)
        + rng.normal(0, 0.005, limits.shape) * limits,
        "tiny": np.tile(rng.random(sizes.shape) * sizes, 2) + np.array([-5, -5, 5, 5]),
        "constant": np.tile([[0.25, 0.25, 0.75, 0.75]], (len(at), 1)) * limits,
    }[kind]
    boxes = np.clip(boxes, 0, limits)
    is_empty = (boxes[:, 2:] - boxes[:, :2] < 1).any(axis=1)
    boxes[is_empty] = truth[is_empty]
    return boxes, sizes, index.image_rows[at].tolist()


def fit_of(truly: str, said: str, index: DatasetIndex, num: int, seed: int, kind: str) -> Fit:
    boxes, sizes, images = drawn(index, num, seed, kind)
    return check_fit(written(boxes, coordinates(truly), sizes), coordinates(said), sizes, sizes, images)


@pytest.mark.parametrize("kind", ["near", "random", "whole", "tiny", "constant", "unclipped"])
@pytest.mark.parametrize("num", [1, 5, 20, 50, 400])
def test_right_coordinates_are_never_refused(index: DatasetIndex, kind: str, num: int) -> None:
    for name in NAMES:
        for seed in range(4):
            fit = fit_of(name, name, index, num, seed, kind)
            assert not fit.is_certain, (name, seed, fit.message)


@pytest.mark.parametrize("kind", ["near", "random"])
@pytest.mark.parametrize("num", [20, 200])
def test_wrong_coordinates_are_refused_with_the_right_ones(index: DatasetIndex, kind: str, num: int) -> None:
    for truly in NAMES:
        for said in NAMES:
            if truly == said:
                continue
            fit = fit_of(truly, said, index, num, 0, kind)
            # A few large boxes may fit in two orders.
            is_sure = (
                num > 20 or index.root.name != "set" or truly.partition("_")[2] != said.partition("_")[2]
            )
            assert fit.is_certain or not is_sure, (truly, said)
            assert fit.message is None or truly in re.split(r"[\s?:,)]+", fit.message or ""), (
                said,
                fit.message,
            )


@pytest.mark.parametrize(
    ("frame", "hint"),
    [
        ({"kind": "fixed", "width": 448, "height": 448}, "xyxy@448x448"),
        ({"kind": "fixed", "width": 1024, "height": 1024}, "xyxy@102"),
        ({"kind": "long_side", "length": 1500}, "xyxy@"),
        ({"kind": "short_side", "length": 1000, "max_length": 1333}, "xyxy@"),
    ],
)
def test_pixels_of_resized_images_are_not_those_of_the_originals(frame: Record, hint: str) -> None:
    """The boxes are of photos whose objects end at the edges of the image, as in natural images."""
    rng = np.random.default_rng(0)
    sizes = np.array([(640, 480), (480, 640), (640, 427), (612, 612)] * 50, dtype=np.float64)
    boxes = np.sort(rng.random((200, 2, 2)), axis=1).reshape(-1, 4) * np.tile(sizes, 2)
    boxes[::4, 2], boxes[1::4, 3], boxes[2::8, 0], boxes[3::8, 1] = sizes[::4, 0], sizes[1::4, 1], 0, 0
    said = coordinates("xyxy", frame)
    right = check_fit(written(boxes, said, sizes), said, sizes, sizes, range(200))
    assert right.message is None
    wrong = check_fit(written(boxes, said, sizes), coordinates("xyxy"), sizes, sizes, range(200))
    assert wrong.is_certain
    assert hint in (wrong.message or "")
    reversed_ = check_fit(boxes, said, sizes, sizes, range(200))
    assert reversed_.message is not None


def test_orders_that_both_fit_are_a_warning() -> None:
    sizes = np.full((30, 2), 600.0)
    rng = np.random.default_rng(0)
    boxes = np.concatenate([rng.uniform(100, 440, (30, 2)), rng.uniform(100, 160, (30, 2))], axis=1)
    fit = check_fit(boxes, coordinates("xywh"), sizes, sizes, range(30))
    assert not fit.is_certain
    assert "cxcywh" in (fit.message or "")


def answers(root: Path, said: Coordinates, noise: float = 5) -> list[Record]:
    index = index_of(root)
    sizes = index.image_sizes(np.arange(len(ROWS))).astype(np.float64)
    boxes = index.gt_boxes + np.random.default_rng(0).normal(0, noise, index.gt_boxes.shape)
    boxes = written(np.clip(boxes, 0, np.tile(sizes, 2)), said, sizes)
    return [{"sent_id": row["sent_id"], "bbox": box} for row, box in zip(ROWS, boxes.tolist(), strict=True)]


def test_a_refused_file_is_read_with_force_and_a_warning(root: Path, tmp_path: Path) -> None:
    file = write_jsonl(tmp_path / "a.jsonl", answers(root, coordinates("xywh_norm")))
    with pytest.raises(CliprpnError, match=r"a\.jsonl:1: .*--force-coordinates") as refused:
        convert(file, root, coordinates("xyxy_1000"))
    assert (refused.value.code, "--coordinates xywh_norm" in refused.value.message) == ("bad_input", True)
    assert not (tmp_path / "out").exists()
    report = convert(file, root, coordinates("xyxy_1000"), force=True)[0]
    assert any("xywh_norm" in warning for warning in report.warnings)
    assert predictions(file)["iou"].max() < 0.5


def test_coordinates_that_are_not_said_are_asked_for_with_those_that_fit(root: Path, tmp_path: Path) -> None:
    file = write_jsonl(tmp_path / "a.jsonl", answers(root, coordinates("xywh_1000")))
    with pytest.raises(CliprpnError, match="--coordinates") as asked:
        convert(file, root)
    assert (asked.value.code, "xywh_1000" in asked.value.message) == ("bad_input", True)


def test_four_zeros_are_no_answer_and_say_nothing_about_coordinates(root: Path, tmp_path: Path) -> None:
    rows = answers(root, coordinates("xyxy"))
    for row in rows[:150]:
        row["bbox"] = [0, 0, 0, 0]
    file = write_jsonl(tmp_path / "a.jsonl", rows)
    report = convert(file, root, coordinates("xyxy"))[0]
    assert (report.num_answered, report.num_unparsed, report.warnings) == (50, 150, [])
    assert report.examples[0].kind == "unparsed"
    assert predictions(file)["iou"][:150].max() == 0


def test_the_notation_of_a_row_stays(root: Path, tmp_path: Path) -> None:
    index = index_of(root)
    sizes = index.image_sizes(np.arange(len(ROWS))).astype(np.float64)
    tokens = written(index.gt_boxes.astype(np.float64), coordinates("xyxy_1000"), sizes)
    rows: list[Record] = []
    for row, box, token in zip(ROWS, index.gt_boxes.tolist(), tokens.astype(int).tolist(), strict=True):
        x1, y1, x2, y2 = token
        answer = (
            f"<ref>it</ref><box>[[{x1}, {y1}, {x2}, {y2}]]</box>"
            if row["sent_id"] % 2
            else f"The box is {box}."
        )
        rows.append({"sent_id": row["sent_id"], "answer": answer})
    file = write_jsonl(tmp_path / "a.jsonl", rows)
    report = convert(file, root, coordinates("xyxy"))[0]
    assert predictions(file)["iou"].min() > 0.9
    assert any("notation" in note for note in report.notes)


def with_truth(root: Path, name: str, other: int = 0) -> list[Record]:
    index, said = index_of(root), coordinates(name)
    sizes = index.image_sizes(np.arange(len(ROWS))).astype(np.float64)
    truth = index.gt_boxes.astype(np.float64)
    truth[:other] = np.roll(truth, 1, axis=0)[:other]
    boxes = written(truth, said, sizes).tolist()
    return [{**row, "gt_bbox": box} for row, box in zip(answers(root, said, 20), boxes, strict=True)]


@pytest.mark.parametrize("truly", ["xywh", "xyxy_1000", "cxcywh_norm"])
def test_the_ground_truth_of_a_file_tells_its_coordinates(root: Path, tmp_path: Path, truly: str) -> None:
    file = write_jsonl(tmp_path / "a.jsonl", with_truth(root, truly))
    with pytest.raises(CliprpnError, match=f"--coordinates {truly}\\b"):
        convert(file, root, coordinates("xyxy"))
    with pytest.raises(CliprpnError, match=f"ground truth of the file is that of the dataset as {truly}"):
        convert(file, root)
    report = convert(file, root, coordinates(truly))[0]
    assert (report.num_ground_truth, report.warnings) == (200, [])


@pytest.mark.parametrize(
    ("other", "outcome"), [(0, "silent"), (8, "silent"), (30, "warned"), (160, "refused")]
)
def test_other_ground_truth_is_counted(root: Path, tmp_path: Path, other: int, outcome: str) -> None:
    file = write_jsonl(tmp_path / "a.jsonl", with_truth(root, "xyxy", other))
    if outcome == "refused":
        with pytest.raises(CliprpnError, match="ground truth of 160 of 200 rows") as refused:
            convert(file, root, coordinates("xyxy"))
        assert refused.value.code == "bad_input"
        return
    report = convert(file, root, coordinates("xyxy"))[0]
    assert (report.num_other_ground_truth, len(report.warnings)) == (other, 1 if outcome == "warned" else 0)


def test_sizes_of_other_images_in_the_rows_are_a_warning(root: Path, tmp_path: Path) -> None:
    rows = [
        {**answer, "width": row["width"] / 2, "height": row["height"] / 2}
        for answer, row in zip(answers(root, coordinates("xyxy")), ROWS, strict=True)
    ]
    report = convert(write_jsonl(tmp_path / "a.jsonl", rows), root, coordinates("xyxy"))[0]
    assert [("xyxy@columns" in warning) for warning in report.warnings] == [True]
    same = [{**row, "width": row["width"] * 2, "height": row["height"] * 2} for row in rows]
    assert convert(write_jsonl(tmp_path / "b.jsonl", same), root, coordinates("xyxy"))[0].warnings == []


def test_rows_without_the_size_that_their_coordinates_need(root: Path, tmp_path: Path) -> None:
    file = write_jsonl(tmp_path / "a.jsonl", answers(root, coordinates("xyxy")))
    with pytest.raises(CliprpnError, match=r"a\.jsonl:1: .*width"):
        convert(file, root, coordinates("xyxy", {"kind": "columns"}))


def test_scores_of_some_answers_only_are_not_used(root: Path, tmp_path: Path) -> None:
    rows = answers(root, coordinates("xyxy"))
    for row in rows[:100]:
        row["score"] = 0.25
    report = convert(write_jsonl(tmp_path / "a.jsonl", rows), root, coordinates("xyxy"))[0]
    assert (report.has_scores, any("score" in note for note in report.notes)) == (False, True)


def test_coordinates_are_named_as_they_are_typed() -> None:
    frames: list[tuple[Record, str]] = [
        (ORIGINAL, "xywh"),
        ({"kind": "fixed", "width": 640, "height": 480}, "xywh@640x480"),
        ({"kind": "short_side", "length": 800, "max_length": 1333}, "xywh@short:800:1333"),
        ({"kind": "columns"}, "xywh@columns"),
    ]
    for frame, text in frames:
        assert coordinates_text(coordinates("xywh", frame)) == text


def test_conversion_is_exact_at_the_edges_of_the_image() -> None:
    sizes = np.array([[427.0, 640.0]])
    for name in NAMES:
        said = coordinates(name)
        whole = {"": sizes, "norm": np.ones((1, 2)), "1000": np.full((1, 2), 1000.0)}[name.partition("_")[2]]
        box = {
            "xyxy": np.concatenate([np.zeros((1, 2)), whole], 1),
            "xywh": np.concatenate([np.zeros((1, 2)), whole], 1),
            "cxcywh": np.concatenate([whole / 2, whole], 1),
        }[name.partition("_")[0]]
        assert to_original(box, said, sizes, sizes).tolist() == [[0, 0, 427, 640]]
