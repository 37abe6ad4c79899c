"""Proposals from annotations, from the whole image, and from a trained ClipRPN."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from helpers import HEIGHT, WIDTH, make_records, make_spec, prepared, run_context, write_dataset

from cliprpn.data.images import image_files, load_image
from cliprpn.data.index import DatasetIndex, open_dataset
from cliprpn.detectors.known_boxes import gt_boxes, whole_image_boxes
from cliprpn.detectors.proposals import Proposals
from cliprpn.detectors.rpn_proposals import rpn_proposals
from cliprpn.errors import CliprpnError
from cliprpn.features.frozen import open_data
from cliprpn.inference.build import build_model
from cliprpn.inference.checkpoint import load_model, save_model
from cliprpn.inference.predict import predict_split

pytestmark = pytest.mark.usefixtures("no_traces")


def data(folder: Path, instances: dict[str, Any], refs: list[Any]) -> DatasetIndex:
    root = write_dataset(folder / "blocks", instances, refs)
    return open_dataset(*prepared(root, folder / "cache"))


def test_gt_boxes_are_all_objects_of_an_image_ordered_by_id(tmp_path: Path) -> None:
    instances, refs = make_records(6)
    instances["categories"].append({"id": 8, "name": "ball"})
    instances["annotations"].insert(0, {"id": 99, "image_id": 3, "category_id": 8, "bbox": [1, 2, 3, 4]})
    index = data(tmp_path, instances, refs)
    row = index.images["image_id"].to_pylist().index(3)
    proposals = gt_boxes(index, [row, 0, row])
    assert [len(proposals_i) for proposals_i in proposals] == [3, 2, 3]
    # 6, 7 and 99; see make_records.
    assert proposals[0].boxes_xyxy.tolist() == [[70, 50, 90, 70], [22, 17, 62.5, 47.25], [1, 2, 4, 6]]
    assert (proposals[0].scores.tolist(), proposals[0].categories) == ([1, 1, 1], ["block", "block", "ball"])
    assert torch.equal(proposals[0].boxes_xyxy, proposals[2].boxes_xyxy)
    # The ground truth of each sentence is among them.
    all_proposals = gt_boxes(index, index.image_rows)
    for proposals_i, gt_box in zip(all_proposals, index.gt_boxes, strict=True):
        assert gt_box.tolist() in proposals_i.boxes_xyxy.tolist()


def test_an_image_without_objects_has_no_gt_box(tmp_path: Path) -> None:
    instances, refs = make_records(6)
    index = data(tmp_path, instances, refs)
    without = [row for row in range(index.objects.num_rows) if index.objects["image_id"][row].as_py() != 4]
    index = DatasetIndex(**{**vars(index), "objects": index.objects.take(without)})
    assert [len(proposals) for proposals in gt_boxes(index, range(6))] == [2, 2, 2, 2, 0, 2]
    assert gt_boxes(index, []) == []


def test_the_whole_image_is_one_box(tmp_path: Path) -> None:
    index = data(tmp_path, *make_records(6))
    for proposals_i in whole_image_boxes(index, [2, 0]):
        assert (proposals_i.boxes_xyxy.tolist(), proposals_i.scores.tolist()) == (
            [[0, 0, WIDTH, HEIGHT]],
            [1],
        )
        assert proposals_i.categories == [""]


def test_image_files_come_from_the_dataset(tmp_path: Path) -> None:
    index = data(tmp_path, *make_records(6))
    files = image_files(index, [4, 4])
    assert files[0] == files[1] and files[0].path.name == "COCO_train2014_000000000004.png"
    assert load_image(files[0]).shape == (3, HEIGHT, WIDTH)
    bare = DatasetIndex(**{**vars(index), "images_dir": None})
    with pytest.raises(CliprpnError, match="with images"):
        image_files(bare, [0])


@pytest.fixture(scope="module")
def spec_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_dataset(tmp_path_factory.mktemp("data") / "blocks", *make_records(6))


def saved_model(folder: Path, root: Path, **changes: Any) -> tuple[Path, DatasetIndex]:
    """An untrained model, and the dataset to evaluate it on."""
    spec = make_spec(root, root.parent / "cache", **changes)
    index = open_dataset(Path(spec.dataset.root), spec.dataset.id)
    sizes = (512, 192, 48)  # cliprpn-tiny's.
    torch.manual_seed(1)
    save_model(build_model(spec.settings, *sizes), spec, sizes, 1, folder / "best.safetensors")
    return folder / "best.safetensors", index


def propose(
    model: Path, index: DatasetIndex, rows: np.ndarray, cache: Path, max_boxes: int = 100, **changes: Any
) -> list[Proposals]:
    return rpn_proposals(model, index, rows, max_boxes, run_context(cache, **changes))


@pytest.mark.parametrize("objectness_loss", ["softmax", "sampled_bce"])
@pytest.mark.parametrize("resize", ["squash", "letterbox"])
def test_a_models_proposals_equal_those_of_its_evaluation(
    spec_root: Path, tmp_path: Path, resize: str, objectness_loss: str
) -> None:
    model, index = saved_model(
        tmp_path, spec_root, resize=resize, rpn={"objectness_loss": objectness_loss, "nms_thresh": 0.5}
    )
    rows = np.array([9, 0, 5])
    proposals = propose(model, index, rows, spec_root.parent / "cache")
    saved = load_model(model)
    context = run_context(spec_root.parent / "cache")
    dataset = make_spec(spec_root, spec_root.parent / "cache", resize=resize).dataset
    _, features = open_data(dataset, saved.backbone, 64, resize, context)
    expected = predict_split(saved.model, index, features, rows, context)
    for i, proposals_i in enumerate(proposals):
        assert 1 < len(proposals_i) <= 100 and set(proposals_i.categories) == {""}
        assert proposals_i.scores.tolist() == sorted(proposals_i.scores.tolist(), reverse=True)
        assert proposals_i.boxes_xyxy[0].tolist() == expected["pred_box_xyxy"][i].tolist()
        assert proposals_i.scores[0].item() == pytest.approx(float(expected["objectness"][i]), abs=1e-6)
        inside = (proposals_i.boxes_xyxy >= 0) & (proposals_i.boxes_xyxy <= torch.tensor([WIDTH, HEIGHT] * 2))
        assert inside.all() and (proposals_i.boxes_xyxy[:, 2:] > proposals_i.boxes_xyxy[:, :2]).all()


def test_max_boxes_keeps_the_best_proposals(spec_root: Path, tmp_path: Path) -> None:
    model, index = saved_model(tmp_path, spec_root)
    rows = np.arange(12)
    all_proposals = propose(model, index, rows, spec_root.parent / "cache")
    few = propose(model, index, rows, spec_root.parent / "cache", max_boxes=3)
    assert [len(proposals_i) for proposals_i in few] == [3] * 12
    assert all(
        torch.equal(few_i.boxes_xyxy, all_i.boxes_xyxy[:3])
        for few_i, all_i in zip(few, all_proposals, strict=True)
    )


def test_proposing_can_be_stopped_and_a_missing_model_is_reported(spec_root: Path, tmp_path: Path) -> None:
    model, index = saved_model(tmp_path, spec_root)
    with pytest.raises(CliprpnError) as caught:
        propose(model, index, np.arange(3), spec_root.parent / "cache", should_stop=lambda: True)
    assert caught.value.code == "interrupted"
    with pytest.raises(CliprpnError, match=r"none\.safetensors") as caught:
        propose(tmp_path / "none.safetensors", index, np.arange(3), spec_root.parent / "cache")
    assert caught.value.code == "not_found"
