"""Models train in the prepared square and predict in pixels of the original image."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
from helpers import HEIGHT, WIDTH, make_records, make_spec, run_context, write_dataset
from PIL import Image
from torch import Tensor

from cliprpn.contract.generated import ClipRpnSpec, CompletedOutcome
from cliprpn.data.index import DatasetIndex
from cliprpn.features.frozen import FrozenFeatures, open_data
from cliprpn.inference.build import build_model
from cliprpn.inference.predict import predict_split, to_image_clipped, top1_ious
from cliprpn.models import ClipRPN
from cliprpn.trials.step_data import frame_targets
from cliprpn.trials.trial import run_trial

CPU = torch.device("cpu")
pytestmark = pytest.mark.usefixtures("no_traces")


@pytest.fixture(params=["squash", "letterbox"])
def spec(request: pytest.FixtureRequest, root: Path) -> ClipRpnSpec:
    return make_spec(root, root.parent / "cache", resize=request.param)


def opened(spec: ClipRpnSpec) -> tuple[DatasetIndex, FrozenFeatures]:
    return open_data(
        spec.dataset,
        spec.backbone,
        spec.settings.image_size_px,
        spec.settings.resize,
        run_context(Path(spec.cache_dir)),
    )


def model_of(spec: ClipRpnSpec, features: FrozenFeatures) -> ClipRPN:
    return build_model(spec.settings, features.map_channels, features.pooled_dim, features.word_dim)


class Oracle(torch.nn.Module):
    """Predicts these boxes of the frame, one per sentence."""

    def __init__(self, boxes: Tensor, frame_size_px: int) -> None:
        super().__init__()
        self.boxes, self.frame_size_px = boxes, frame_size_px

    def forward(self, *inputs: Tensor) -> Tensor:
        return self.boxes[: len(inputs[1])]

    def top1(self, boxes: Tensor) -> tuple[Tensor, Tensor]:
        return boxes, torch.ones(len(boxes))

    def proposals(self, boxes: Tensor) -> tuple[list[Tensor], Tensor]:
        return list(boxes[:, None]), torch.ones(len(boxes))


def test_targets_match_the_object_in_the_prepared_square(root: Path) -> None:
    """The object of image 1 is at 14, 11, 54.5, 41.25 in 120 x 90; the square has 64 px, the frame 640."""
    for resize, expected in (
        ("squash", [14 / 120, 11 / 90, 54.5 / 120, 41.25 / 90]),
        ("letterbox", [14 / 120, (11 + 15) / 120, 54.5 / 120, (41.25 + 15) / 120]),
    ):
        spec = make_spec(root, root.parent / "cache", resize=resize)
        index, features = opened(spec)
        targets = frame_targets(model_of(spec, features), index, features, np.array([2]))
        assert targets.dtype == torch.float32
        assert targets[0].tolist() == pytest.approx([side * 640 for side in expected], abs=1e-3)


def test_targets_match_the_pixels_of_the_square(root: Path) -> None:
    """The object is the only bright patch of its color."""
    spec = make_spec(root, root.parent / "cache", resize="letterbox")
    index, features = opened(spec)
    x1, y1, x2, y2 = (
        frame_targets(model_of(spec, features), index, features, np.array([2]))[0] / features.zoom(640)
    ).tolist()
    shard = np.load(Path(spec.dataset.root) / "pixels" / "letterbox-64" / "shard-00000.npy")
    bright = shard[1, ..., 1] > 150
    rows, columns = bright.nonzero()
    assert columns.min() == pytest.approx(x1, abs=1) and columns.max() + 1 == pytest.approx(x2, abs=1)
    assert rows.min() == pytest.approx(y1, abs=1) and rows.max() + 1 == pytest.approx(y2, abs=1)


def test_predictions_are_converted_to_the_original_image(spec: ClipRpnSpec) -> None:
    index, features = opened(spec)
    rows = np.arange(len(index.texts()))
    model = model_of(spec, features)
    targets = frame_targets(model, index, features, rows)
    sizes = torch.from_numpy(index.image_sizes(rows)).double()
    back = to_image_clipped(
        targets.double(), features.frames_of(rows), sizes, features.zoom(model.frame_size_px)
    )
    assert (back - torch.from_numpy(index.gt_boxes[rows])).abs().max() < 1e-3  # pixels


def test_predicting_the_targets_is_always_correct(spec: ClipRpnSpec) -> None:
    index, features = opened(spec)
    rows = np.arange(len(index.texts()))[::-1].copy()
    model = model_of(spec, features)
    model = Oracle(frame_targets(model, index, features, rows), model.frame_size_px)
    np.testing.assert_allclose(
        top1_ious(model, index, features, rows, run_context(Path(spec.cache_dir))), 1, atol=1e-5
    )
    columns = predict_split(model, index, features, rows, run_context(Path(spec.cache_dir)))
    np.testing.assert_allclose(columns["iou"], 1, atol=1e-5)
    np.testing.assert_allclose(columns["pred_box_xyxy"], index.gt_boxes[rows], atol=1e-3)


def test_boxes_on_the_bars_of_a_letterbox_are_clipped_to_the_image(root: Path) -> None:
    spec = make_spec(root, root.parent / "cache", resize="letterbox")
    _, features = opened(spec)
    whole = torch.tensor([[0.0, 0, 640, 640]]).double()
    sizes = torch.tensor([[WIDTH, HEIGHT]]).double()
    assert to_image_clipped(whole, features.frames_of(np.array([0])), sizes, 10).tolist() == [
        [0, 0, WIDTH, HEIGHT]
    ]


def test_a_trial_on_letterboxed_images_learns(root: Path, tmp_path: Path) -> None:
    training = {"num_epochs": 20, "learning_rate": 3e-3}
    spec = make_spec(root, root.parent / "cache", resize="letterbox", training=training)
    outcome = run_trial(spec, tmp_path, lambda event: None, lambda: False)
    assert isinstance(outcome, CompletedOutcome), outcome
    losses = [epoch.loss for epoch in outcome.epochs]
    assert losses[-1] < losses[0] / 2
    rows = pq.read_table(tmp_path / "predictions-val.parquet").to_pylist()
    pred = np.array([row["pred_box_xyxy"] for row in rows])
    assert (pred >= 0).all() and (pred <= [WIDTH, HEIGHT] * 2).all()
    assert rows[0]["gt_box_xyxy"] == [18, 14, 58.5, 44.25]


def test_every_image_has_its_own_frame(tmp_path: Path) -> None:
    """A tall image is letterboxed at its sides."""
    instances, refs = make_records(2)
    instances["images"][1] |= {"width": HEIGHT, "height": WIDTH}
    root = write_dataset(tmp_path / "data", instances, refs)
    tall = root / "images" / instances["images"][1]["file_name"]
    Image.open(tall).transpose(Image.Transpose.ROTATE_90).save(tall)
    spec = make_spec(root, tmp_path, resize="letterbox")
    index, features = opened(spec)
    assert features.frames[:, 2:].tolist() == [[0, 8], [8, 0]]
    model = model_of(spec, features)
    rows = np.array([0, 2])
    targets = frame_targets(model, index, features, rows)
    x1, y1 = targets[1, :2].tolist()
    assert (x1, y1) == pytest.approx((14 / 120 * 640 + 80, 11 / 120 * 640), abs=1e-3)
