"""Features of augmented views: extracted once, resumed after a kill, with boxes that match their objects."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from helpers import (
    make_records,
    make_spec,
    open_small,
    prepared,
    progress_of,
    run_context,
    run_python,
    shipped_weights_id,
    write_dataset,
)

from cliprpn.contract.generated import ClipRpnSpec, CompletedOutcome
from cliprpn.data.image_objects import ImageObjects
from cliprpn.data.index import DatasetIndex, open_dataset
from cliprpn.data.views.augmentation import Augmentation
from cliprpn.data.views.training_views import ImageViews, TrainingImages
from cliprpn.errors import CliprpnError
from cliprpn.features import frozen, image_features
from cliprpn.features.frozen import FrozenFeatures
from cliprpn.inference.build import build_model
from cliprpn.models.backbone import ClipBackbone
from cliprpn.run_context import Emit
from cliprpn.storage.weights_files import load_backbone
from cliprpn.trials.step_data import TrainingData, frame_negatives, frame_targets
from cliprpn.trials.trial import run_trial

CPU = torch.device("cpu")
pytestmark = pytest.mark.usefixtures("no_traces")
SIZE = 96
NUM_VIEWS = 4


@pytest.fixture(scope="module")
def backbone() -> ClipBackbone:
    return load_backbone("cliprpn-tiny", "shipped")


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Colored blocks on noise: one sentence permits every change, the other mentions a side."""
    instances, refs = make_records()
    for ref in refs:
        ref["sentences"][0]["sent"] = "a block"
        ref["sentences"][1]["sent"] = "the long block on the left"
    return write_dataset(tmp_path_factory.mktemp("data") / "blocks", instances, refs)


@pytest.fixture(scope="module")
def index(root: Path) -> DatasetIndex:
    return open_dataset(*prepared(root, root.parent / "cache", SIZE))


def open_features(
    index: DatasetIndex,
    load: Callable[[], ClipBackbone],
    cache: Path,
    num_views: int,
    emit: Emit = lambda event: None,
    should_stop: Callable[[], bool] = lambda: False,
) -> FrozenFeatures:
    frozen._opened.clear()  # Like a new process.
    params: dict[str, Any] = {
        "index": index,
        "pixels": open_small(index.root, SIZE),
        "load_backbone": load,
        "weights_id": shipped_weights_id(),
        "context": run_context(cache, emit, should_stop),
        "num_views": num_views,
    }
    return frozen.open_features(**params)


def never() -> ClipBackbone:
    raise AssertionError("nothing is missing, so nothing may be computed")


def folders(cache: Path) -> dict[str, float]:
    """Names of the complete stores, and when each was completed."""
    return {path.parent.name: path.stat().st_mtime_ns for path in cache.glob("features/*/manifest.json")}


def test_boxes_of_a_view_match_their_objects(
    index: DatasetIndex, backbone: ClipBackbone, tmp_path: Path
) -> None:
    features = open_features(index, lambda: backbone, tmp_path, NUM_VIEWS)
    images = TrainingImages(index)
    views = ImageViews(index, images, open_small(index.root, SIZE), 0)
    checked = []
    for number in range(1, NUM_VIEWS + 1):
        for position, image_row in enumerate(images.image_rows):
            augmentation = views.sample(position, number)
            if not augmentation.changes:
                continue
            channel = int(index.images["image_id"][image_row].as_py()) % 3
            rows = images.sentences_of(position)
            box = features.view(number).gt_boxes(rows)[0]
            geometry = Augmentation(SIZE, flip=augmentation.flip, crop_xyxy=augmentation.crop_xyxy)
            pixels = views.render(position, geometry).pixels[channel]
            ys, xs = torch.nonzero(pixels > 172, as_tuple=True)  # Midway between the noise and the block.
            bright = torch.stack([xs.min(), ys.min(), xs.max() + 1, ys.max() + 1]).float()
            # Up to half a pixel of the original is not drawn, and the square rounds to integer pixels.
            assert (bright - box).abs().max() <= 1.6, (number, position, augmentation)
            checked.append(augmentation)
    assert any(a.flip for a in checked) and any(augmentation.crop_xyxy for augmentation in checked)


def test_a_batch_uses_the_view_if_the_sentence_stays_true(
    index: DatasetIndex, backbone: ClipBackbone, tmp_path: Path
) -> None:
    features = open_features(index, lambda: backbone, tmp_path, NUM_VIEWS)
    images = TrainingImages(index)
    views = ImageViews(index, images, open_small(index.root, SIZE), 0)
    rows = index.split("train")
    plain = features.batch(rows, CPU)
    mirrored_text = backbone.encode_text(backbone.tokenize(["the long block on the right"]))[0][0]
    seen = set()
    for number in range(1, NUM_VIEWS + 1):
        maps, words, mask, pooled = features.batch(rows, CPU, view=number)
        for at, row in enumerate(rows):
            position = int(np.searchsorted(images.image_rows, index.image_rows[row]))
            augmentation = views.sample(position, number)
            side = "left" in index.texts()[row]
            # A crop may make a side untrue; a flip exchanges left and right.
            fits = bool(augmentation.changes) and not (side and "crop" in augmentation.changes)
            assert features.view(number).fits[row] == fits
            seen.add((fits, augmentation.flip, side))
            if not fits:
                assert torch.equal(maps[at], plain[0][at]) and torch.equal(pooled[at], plain[3][at])
                continue
            pixels = views.render(position, augmentation).pixels[None].float() / 255
            torch.testing.assert_close(maps[at], backbone.feature_map(pixels)[0], rtol=1e-3, atol=2e-3)
            length = int(mask[at].sum())
            assert length == int(plain[2][at].sum())  # "left" and "right" are a token each
            if side and augmentation.flip:
                torch.testing.assert_close(pooled[at], mirrored_text, rtol=1e-3, atol=1e-3)
                assert not torch.equal(words[at, :length], plain[1][at, :length])
            else:
                assert torch.equal(pooled[at], plain[3][at])
                assert torch.equal(words[at, :length], plain[1][at, :length])
    assert {(True, True, True), (True, False, True), (False, True, True), (True, True, False)} <= seen


def test_sentences_share_maps_of_the_original_and_of_the_view(
    index: DatasetIndex, backbone: ClipBackbone, tmp_path: Path
) -> None:
    features = open_features(index, lambda: backbone, tmp_path, 1)
    rows = index.split("train")
    assert len(np.unique(index.image_rows[rows])) <= len(rows) / 2
    for view in (0, 1):
        maps, *text = features.batch(rows, CPU, view=view)
        (shared_rows,) = features.find([rows], CPU, view=view, share=True)
        shared_maps, *shared_text, map_of = features.read(shared_rows, CPU)
        pairs = {*zip(index.image_rows[rows], features.view(1).fits[rows] & (view > 0), strict=True)}
        assert len(shared_maps) == len(pairs) < len(rows)
        assert torch.equal(shared_maps[map_of], maps)
        assert all(torch.equal(one, two) for one, two in zip(shared_text, text, strict=True))
    alone = rows[np.unique(index.image_rows[rows], return_index=True)[1]]
    assert len(features.read(features.find([alone], CPU, share=True)[0], CPU)) == 4  # nothing to share


def test_targets_and_negatives_follow_the_view(
    index: DatasetIndex, backbone: ClipBackbone, tmp_path: Path
) -> None:
    features = open_features(index, lambda: backbone, tmp_path, 1)
    spec = make_spec_of(index)
    sizes = (features.map_channels, features.pooled_dim, features.word_dim)
    model = build_model(spec.settings, *sizes)
    rows = index.split("train")
    data = TrainingData(index, features, rows, rows)
    fits = torch.from_numpy(features.view(1).fits[rows])
    zoom = model.frame_size_px / SIZE
    before, after = (frame_targets(model, index, features, rows, view) for view in (0, 1))
    assert fits.any() and not fits.all()
    assert torch.equal(after[~fits], before[~fits])
    assert torch.equal(after[fits], features.view(1).gt_boxes(rows)[fits] * zoom)
    objects = ImageObjects(index)
    everything = np.arange(len(rows))
    plain, mask = frame_negatives(model, data, objects, everything, 0)
    moved, same_mask = frame_negatives(model, data, objects, everything, 1)
    assert torch.equal(mask, same_mask) and mask.any(dim=1).all()
    assert torch.equal(moved[~fits], plain[~fits])
    # The negative is the image's other object, which a crop must contain.
    rows_of_negatives = torch.from_numpy(objects.others(rows).rows)[mask]
    assert torch.equal(moved[mask][fits], features.view(1).object_boxes[rows_of_negatives][fits] * zoom)
    area = (moved[mask][:, 2:] - moved[mask][:, :2]).prod(dim=1)
    assert (area > 0).all() and not torch.equal(moved[mask][fits], plain[mask][fits])


def make_spec_of(index: DatasetIndex) -> ClipRpnSpec:
    root = Path(str(index.images_dir)).parent
    return make_spec(root, root.parent / "cache", image_size_px=SIZE)


def test_more_views_extract_only_the_new_ones(
    index: DatasetIndex, backbone: ClipBackbone, tmp_path: Path
) -> None:
    open_features(index, lambda: backbone, tmp_path, 0)
    plain = folders(tmp_path)
    assert sorted(name.split("-")[0] for name in plain) == ["maps", "text"]
    first = open_features(index, lambda: backbone, tmp_path, 1)
    open_features(index, lambda: backbone, tmp_path, 2)
    kept = folders(tmp_path)
    assert sorted(name.split("-")[0] for name in kept) == ["maps", "mirrored", "text", "view", "view"]
    assert plain.items() <= kept.items()
    again = open_features(index, never, tmp_path, 2)
    assert np.array_equal(first.view(1).maps, again.view(1).maps)
    assert not np.array_equal(again.view(1).maps, again.view(2).maps)
    assert folders(tmp_path) == kept


def test_an_interrupted_view_resumes_with_the_same_bytes(
    index: DatasetIndex, backbone: ClipBackbone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(image_features, "IMAGES_PER_BLOCK_AT_224", 0)  # Blocks of one image.
    complete = open_features(index, lambda: backbone, tmp_path / "complete", 1)
    open_features(index, lambda: backbone, tmp_path / "stopped", 0)
    stops = iter([False, False, True])
    with pytest.raises(CliprpnError) as caught:
        open_features(index, lambda: backbone, tmp_path / "stopped", 1, should_stop=lambda: next(stops))
    assert caught.value.code == "interrupted"
    events: list[Any] = []
    resumed = open_features(index, lambda: backbone, tmp_path / "stopped", 1, emit=events.append)
    assert progress_of(events)[0] == ("image_features", 2, 8)
    for name in ("maps", "fits", "flipped", "object_boxes"):
        assert np.array_equal(getattr(complete.view(1), name), getattr(resumed.view(1), name))


def test_a_dataset_without_training_sentences_has_no_views(backbone: ClipBackbone, tmp_path: Path) -> None:
    instances, refs = make_records(3)
    for ref in refs:
        ref["split"] = "val"
    root = write_dataset(tmp_path / "data", instances, refs)
    index = open_dataset(*prepared(root, tmp_path, SIZE))
    assert open_features(index, lambda: backbone, tmp_path, 2).views == []


def run(spec: ClipRpnSpec, folder: Path) -> CompletedOutcome:
    outcome = run_trial(spec, folder, lambda event: None, lambda: False)
    assert isinstance(outcome, CompletedOutcome), outcome
    return outcome


def test_a_trial_uses_one_view_per_epoch(root: Path, tmp_path: Path) -> None:
    def trial(name: str, views: int, num_epochs: int = 3) -> bytes:
        frozen._opened.clear()
        training = {"views": views, "num_epochs": num_epochs, "schedule": "constant", "warmup_fraction": 0}
        run(make_spec(root, tmp_path / "cache", training=training), tmp_path / name)
        return (tmp_path / name / "last.safetensors").read_bytes()

    def weights(saved: bytes) -> bytes:
        """Without the header, which contains the settings."""
        return saved[8 + int.from_bytes(saved[:8], "little") :]

    plain, viewed = trial("plain", 0), trial("viewed", 2)
    assert trial("again", 2) == viewed
    assert weights(viewed) != weights(plain)
    # The first epoch uses the original images.
    assert weights(trial("one", 2, 1)) == weights(trial("none", 0, 1))


@pytest.mark.slow
def test_a_trial_killed_while_extracting_views_resumes(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        image_features, "IMAGES_PER_BLOCK_AT_224", 0
    )  # Blocks of one image, in both processes.
    spec = make_spec(root, tmp_path / "killed", training={"views": 2, "num_epochs": 3})
    (tmp_path / "spec.json").write_text(spec.model_dump_json())
    code = (
        "import os, signal, sys\n"
        "from cliprpn.features import image_features\n"
        "from cliprpn.storage import array_store\n"
        "from cliprpn.trials.__main__ import main\n"
        "image_features.IMAGES_PER_BLOCK_AT_224, array_store.COMMIT_EVERY_S = 0, 0.0\n"
        "append = array_store.StoreWriter.append\n"
        "def die(self, *args):\n"
        "    append(self, *args)\n"
        "    if self.folder.name.startswith('view') and self.done == 5:\n"
        "        os.kill(os.getpid(), signal.SIGKILL)\n"
        "array_store.StoreWriter.append = die\n"
        "main(sys.argv[1:])\n"
    )
    result = run_python("-c", code, str(tmp_path / "spec.json"), str(tmp_path / "out"))
    assert result.returncode == -9, result.stderr
    (progress,) = (tmp_path / "killed").glob("features/view-*/progress.json")
    assert '"done": 5' in progress.read_text()
    run(spec, tmp_path / "again")
    other = make_spec(root, tmp_path / "complete", training={"views": 2, "num_epochs": 3})
    frozen._opened.clear()
    run(other, tmp_path / "complete-out")
    for one in (tmp_path / "killed").glob("features/view-*/*.npy"):
        two = tmp_path / "complete" / one.relative_to(tmp_path / "killed")
        assert np.array_equal(np.load(one), np.load(two)), one
