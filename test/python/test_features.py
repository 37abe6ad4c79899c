"""Frozen features: correct, computed once, resumed after a kill, shared, keyed by everything that they depend on."""

from __future__ import annotations

import json
import os
import shutil
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from helpers import (
    open_small,
    prepared,
    progress_of,
    run_context,
    run_python,
    shipped_weights_id,
    small_dataset,
)
from PIL import Image, ImageOps
from prepared import prepare

from cliprpn.data.index import DatasetIndex, open_dataset
from cliprpn.errors import CliprpnError
from cliprpn.features import frozen, image_features
from cliprpn.features.feature_cache import FeatureCache
from cliprpn.models.backbone import ClipBackbone
from cliprpn.run_context import Emit
from cliprpn.storage.array_store import StoreWriter
from cliprpn.storage.half import check_range, to_half
from cliprpn.storage.lock import file_lock
from cliprpn.storage.lock_owner import owner_file
from cliprpn.storage.weights_files import load_backbone

CPU = torch.device("cpu")
WEIGHTS = shipped_weights_id()


@pytest.fixture(scope="module")
def backbone() -> ClipBackbone:
    return load_backbone("cliprpn-tiny", "shipped")


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> DatasetIndex:
    root = small_dataset(tmp_path_factory.mktemp("data"), 5)
    return open_dataset(*prepared(root, root / "cache"))


def open_features(
    index: DatasetIndex,
    load: Callable[[], ClipBackbone],
    cache: Path,
    emit: Emit = lambda event: None,
    should_stop: Callable[[], bool] = lambda: False,
    **changes: Any,
) -> frozen.FrozenFeatures:
    frozen._opened.clear()  # Like a new process.
    params: dict[str, Any] = {
        "index": index,
        "pixels": changes.get("pixels") or open_small(index.root),
        "load_backbone": load,
        "weights_id": WEIGHTS,
        "context": run_context(cache, emit, should_stop),
    }
    return frozen.open_features(**params | changes)


def never() -> ClipBackbone:
    raise AssertionError("nothing is missing, so nothing may be computed")


def test_features_equal_the_backbones_in_half_precision(
    index: DatasetIndex, backbone: ClipBackbone, tmp_path: Path
) -> None:
    features = open_features(index, lambda: backbone, tmp_path)
    rows = np.array([9, 0, 4])
    feature_map, words, mask, pooled = features.batch(rows, CPU)
    pixels = open_small(index.root).batch(index.image_rows[rows])
    texts = [index.texts()[row] for row in rows]
    expected_pooled, expected_words, expected_mask = backbone.encode_text(backbone.tokenize(texts))
    # Rounding to float16, and sums in another order.
    close = {"rtol": 1e-3, "atol": 1e-3}
    torch.testing.assert_close(feature_map, backbone.feature_map(pixels.float() / 255), **close)
    torch.testing.assert_close(pooled, expected_pooled, **close)
    torch.testing.assert_close(words, expected_words * expected_mask[..., None], **close)
    assert torch.equal(mask, expected_mask)
    assert mask.sum(dim=1).tolist() == [6, 5, 5]  # including start and end tokens
    assert features.maps.dtype == np.float16 and isinstance(features.maps, np.memmap)
    assert (features.map_channels, features.maps.shape[2], features.pooled_dim) == (
        512,
        2,
        backbone.pooled_dim,
    )


def test_a_blank_batch_has_the_empty_sentence(
    index: DatasetIndex, backbone: ClipBackbone, tmp_path: Path
) -> None:
    features = open_features(index, lambda: backbone, tmp_path)
    _, words, mask, pooled = features.batch(np.array([0, 3]), CPU, blank=True)
    expected, _, _ = backbone.encode_text(backbone.tokenize([""]))
    torch.testing.assert_close(pooled, expected.expand(2, -1), rtol=1e-3, atol=1e-3)
    assert mask.sum(dim=1).tolist() == [2, 2] and words.shape[1] == 2


def test_a_second_opening_computes_nothing(
    index: DatasetIndex, backbone: ClipBackbone, tmp_path: Path
) -> None:
    first = open_features(index, lambda: backbone, tmp_path)
    second = open_features(index, never, tmp_path)
    assert np.array_equal(first.maps, second.maps)


@pytest.mark.parametrize(
    ("change", "maps_too", "text_too"),
    [
        ("pixels", True, False),
        ("weights", True, True),
        ("dataset", True, True),
    ],
)
def test_the_folder_name_depends_on_everything_that_features_depend_on(
    index: DatasetIndex,
    backbone: ClipBackbone,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    change: str,
    maps_too: bool,
    text_too: bool,
) -> None:
    open_features(index, lambda: backbone, tmp_path)
    before = {path.name for path in (tmp_path / "features").iterdir()}
    changes: dict[str, Any] = {}
    if change == "pixels":
        changes["pixels"] = replace(open_small(index.root), pixels_id="other")
    elif change == "weights":
        monkeypatch.setattr(backbone, "weights_id", "other")
        changes["weights_id"] = "other"
    else:
        index = replace(index, dataset_id="other")
    open_features(index, lambda: backbone, tmp_path, **changes)
    new = {path.name for path in (tmp_path / "features").iterdir()} - before
    assert [any(name.startswith(kind) for name in new) for kind in ("maps", "text")] == [maps_too, text_too]


def test_features_of_replaced_images_are_extracted_again(backbone: ClipBackbone, tmp_path: Path) -> None:
    root = small_dataset(tmp_path / "data", 5)
    first = open_features(open_dataset(*prepared(root, tmp_path)), lambda: backbone, tmp_path)
    file = root / "images" / "COCO_train2014_000000000003.png"
    with Image.open(file) as image:
        ImageOps.invert(image.convert("RGB")).save(file, compress_level=0)
    folder = prepare(root, tmp_path / "again", dataset_id=prepared(root, tmp_path)[1])
    again = open_dataset(folder, prepared(root, tmp_path)[1])
    second = open_features(again, lambda: backbone, tmp_path, pixels=open_small(folder))
    assert [bool((a == b).all()) for a, b in zip(first.maps, second.maps, strict=True)].count(False) == 1


def test_larger_images_give_larger_maps(backbone: ClipBackbone, tmp_path: Path) -> None:
    root = small_dataset(tmp_path / "data", 2)
    index = open_dataset(*prepared(root, tmp_path, 96))
    features = open_features(index, lambda: backbone, tmp_path, pixels=open_small(index.root, 96))
    assert (features.maps.shape[2], features.image_size_px, features.zoom(480)) == (3, 96, 5)


def test_maps_match_the_images_after_some_were_dropped(backbone: ClipBackbone, tmp_path: Path) -> None:
    """A dropped image is missing from the index, but not from the pixels."""
    root = small_dataset(tmp_path / "data", 5)
    index = open_dataset(*prepared(root, tmp_path))
    all_maps = open_features(index, lambda: backbone, tmp_path).maps
    kept = np.array([0, 3, 4])
    sentences = np.flatnonzero(np.isin(index.image_rows, kept))
    reduced = replace(
        index,
        dataset_id="reduced",
        images=index.images.take(kept),
        sentences=index.sentences.take(sentences),
        image_rows=np.searchsorted(kept, index.image_rows[sentences]),
    )
    pixels = replace(open_small(index.root), frames=torch.arange(20.0).double().reshape(5, 4))
    features = open_features(reduced, lambda: backbone, tmp_path, pixels=pixels)
    # Rounding differs with the batch.
    np.testing.assert_allclose(features.maps, all_maps[kept], rtol=2e-3, atol=2e-3)
    assert features.frames_of(np.array([2, 0])).tolist() == [[12, 13, 14, 15], [0, 1, 2, 3]]


def test_changed_weights_are_rejected(index: DatasetIndex, backbone: ClipBackbone, tmp_path: Path) -> None:
    with pytest.raises(CliprpnError, match="have changed") as caught:
        open_features(index, lambda: backbone, tmp_path, weights_id="planned")
    assert caught.value.code == "weights_mismatch"


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_kill_at_any_step_loses_only_what_was_not_on_disk(tmp_path: Path) -> None:
    root = small_dataset(tmp_path / "data", 3)
    result = run_python(str(Path(__file__).with_name("extract_and_die.py")), str(root), str(tmp_path))
    assert result.returncode == 0, result.stderr
    report = json.loads(result.stdout)
    runs = report["runs"]
    assert len(runs) > 10 and [run["code"] for run in runs] == [-9] * (len(runs) - 1) + [0]
    for step, run in enumerate(runs):
        assert run["resumed"] == 0 and run["same"], f"run {step}"
        for key, total in (("images", 3), ("sentences", 7)):
            done = run["done"][key]
            assert run["cost"][key] == (0 if done == -1 else total - done), f"run {step}"
    # The later the kill, the less is left to do; a kill at the end loses nothing.
    left = [run["cost"]["images"] for run in runs]
    assert left == sorted(left, reverse=True) and (left[0], left[-1]) == (3, 0)
    # Of two processes at once, one extracts and the other waits.
    shared = report["shared"]
    assert shared["codes"] == [0, 0] and shared["same"]
    assert sorted(cost["images"] for cost in shared["cost"]) == [0, 3]
    assert sum(cost["loads"] for cost in shared["cost"]) == 1
    assert max(cost["waits"] for cost in shared["cost"]) >= 1


def test_an_interrupted_extraction_keeps_finished_items(
    index: DatasetIndex, backbone: ClipBackbone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(image_features, "IMAGES_PER_BLOCK_AT_224", 0)  # Blocks of one image.
    stops = iter([False, False, True])
    with pytest.raises(CliprpnError) as caught:
        open_features(index, lambda: backbone, tmp_path, should_stop=lambda: next(stops))
    assert caught.value.code == "interrupted"
    events: list[Any] = []
    open_features(index, lambda: backbone, tmp_path, emit=events.append)
    assert progress_of(events)[0] == ("image_features", 2, 5)
    assert progress_of(events)[-1] == ("text_features", 11, 11)


def test_waiting_for_the_lock_is_reported_once_and_can_be_interrupted(tmp_path: Path) -> None:
    waits = []
    stop = threading.Event()

    def waiting() -> None:
        waits.append(1)
        stop.set()

    with (
        file_lock(tmp_path / "lock", lambda: None, lambda: False),
        pytest.raises(CliprpnError) as caught,
        file_lock(tmp_path / "lock", waiting, stop.is_set),
    ):
        raise AssertionError("two processes hold the lock")
    assert caught.value.code == "interrupted" and waits == [1]
    with file_lock(tmp_path / "lock", waiting, lambda: False):
        assert waits == [1]


def test_a_process_that_was_suspended_leaves_the_extraction_to_the_machine_that_took_it(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "maps-1"
    rows = np.arange(6, dtype=np.float32)

    def write(values: np.ndarray, require_lock: Callable[[], None] = lambda: None) -> None:
        with StoreWriter(folder, {"maps": ((), np.float32)}, {}, require_lock) as store:
            store.append(len(rows), {"maps": values})
            store.finish()

    def other_machine() -> None:
        write(rows)
        owner_file(folder / "lock").unlink()

    num_extractions = 0

    def extract(require_lock: Callable[[], None]) -> None:
        nonlocal num_extractions
        num_extractions += 1
        owner_file(folder / "lock").write_text('{"machine": "another"}')
        threading.Timer(0.2, other_machine).start()
        write(rows + 1, require_lock)  # It was computed before: its rows may differ, and must not be written.

    cache = FeatureCache(
        tmp_path, lambda: load_backbone("cliprpn-tiny", "shipped"), WEIGHTS, run_context(tmp_path)
    )
    arrays = cache._open_or_extract(folder, extract)
    assert np.array_equal(arrays["maps"], rows)
    assert num_extractions == 1


def test_what_was_computed_before_the_lock_was_lost_is_not_written(
    index: DatasetIndex, backbone: ClipBackbone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The machine that took the lock has completed the files by then: their bytes must stay."""
    monkeypatch.setattr(image_features, "IMAGES_PER_BLOCK_AT_224", 0)  # Blocks of one image.
    expected = open_features(index, lambda: backbone, tmp_path / "whole").maps
    other, frozen_at = tmp_path / "other", 2
    compute = backbone.feature_map
    calls: list[int] = []

    def compute_then_wake(pixels: torch.Tensor) -> torch.Tensor:
        calls.append(len(pixels))
        if len(calls) == frozen_at:
            (folder,) = (other / "features").glob("maps-*")
            shutil.copytree(tmp_path / "whole/features" / folder.name, folder, dirs_exist_ok=True)
            (folder / "progress.json").unlink(missing_ok=True)
            owner_file(folder / "lock").write_text(
                owner_file(folder / "lock").read_text().replace('"pid"', '"was"')
            )
        return compute(pixels) + 1 if len(calls) >= frozen_at else compute(pixels)

    monkeypatch.setattr(backbone, "feature_map", compute_then_wake)
    assert np.array_equal(open_features(index, lambda: backbone, other).maps, expected)
    assert len(calls) < len(expected)


@pytest.mark.parametrize(
    ("file", "change"),
    [
        ("maps.npy", lambda path: os.truncate(path, path.stat().st_size // 2)),
        ("maps.npy", lambda path: os.truncate(path, 0)),
        ("maps.npy", Path.unlink),
        ("maps.npy", lambda path: np.save(path, np.zeros((5, 512, 3, 3), np.float16))),
        ("maps.npy", lambda path: np.save(path, np.zeros((5, 512, 2, 2), np.float32))),
        ("maps.npy", lambda path: path.write_bytes(b"\0" * path.stat().st_size)),
        ("words.npy", lambda path: os.truncate(path, path.stat().st_size - 1)),
        ("manifest.json", lambda path: path.write_text("{")),
        ("manifest.json", lambda path: path.write_text("[]")),
    ],
)
def test_damaged_features_error_says_what_to_delete(
    index: DatasetIndex, backbone: ClipBackbone, tmp_path: Path, file: str, change: Callable[[Path], Any]
) -> None:
    open_features(index, lambda: backbone, tmp_path)
    path = next(tmp_path.glob(f"features/*/{file}"))
    change(path)
    with pytest.raises(CliprpnError, match="delete") as caught:
        open_features(index, never, tmp_path)
    assert caught.value.code == "data_invalid"
    assert str(path.parent) in caught.value.message


@pytest.mark.parametrize("change", [Path.unlink, lambda path: os.truncate(path, 200)])
def test_an_incomplete_store_with_missing_rows_is_rejected(
    index: DatasetIndex,
    backbone: ClipBackbone,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    change: Callable[[Path], Any],
) -> None:
    monkeypatch.setattr(image_features, "IMAGES_PER_BLOCK_AT_224", 0)
    stops = iter([False, True])
    with pytest.raises(CliprpnError):
        open_features(index, lambda: backbone, tmp_path, should_stop=lambda: next(stops))
    change(next(tmp_path.glob("features/maps-*/maps.npy")))
    with pytest.raises(CliprpnError, match="delete") as caught:
        open_features(index, lambda: backbone, tmp_path)
    assert caught.value.code == "data_invalid"


@pytest.mark.parametrize("value", [70_000.0, -1e9, float("inf"), float("nan")])
def test_values_beyond_half_precision_are_rejected(
    index: DatasetIndex, backbone: ClipBackbone, tmp_path: Path, value: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = backbone.feature_map

    def wrong(pixels: torch.Tensor) -> torch.Tensor:
        maps = original(pixels).clone()
        maps[-1, 3, 1, 1] = value
        return maps

    monkeypatch.setattr(backbone, "feature_map", wrong)
    with pytest.raises(
        CliprpnError, match=r"map of COCO_train2014_000000000004\.png: .* found (70000|1e\+09|inf|nan)"
    ) as caught:
        open_features(index, lambda: backbone, tmp_path)
    assert caught.value.code == "weights_mismatch"
    assert not list(tmp_path.glob("features/*/manifest.json"))


def test_the_largest_half_precision_value_is_kept() -> None:
    half, largest = to_half(torch.tensor([[65504.0, 3], [-65504.0, 1]]))
    assert half.tolist() == [[65504.0, 3], [-65504.0, 1]] and largest.tolist() == [65504.0, 65504.0]
    check_range(largest.numpy(), str)
    with pytest.raises(CliprpnError, match=r"^row 1: "):
        check_range(to_half(torch.tensor([[1.0], [65519.0], [torch.nan]]))[1].numpy(), "row {}".format)


def test_a_full_disk_is_reported_before_extraction(
    index: DatasetIndex, backbone: ClipBackbone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "cliprpn.storage.durable.shutil.disk_usage", lambda path: type("Usage", (), {"free": 1000})
    )
    monkeypatch.setattr(backbone, "feature_map", never)
    with pytest.raises(CliprpnError, match=r"GB") as caught:
        open_features(index, lambda: backbone, tmp_path)
    assert caught.value.code == "no_space"


@pytest.mark.parametrize(
    ("fits", "moved"),
    [
        ("nothing", []),
        ("text", ["text", "mirrored"]),
        ("one map array", ["text", "mirrored", "maps", "view 1", "view 2"]),
    ],
)
def test_text_goes_to_the_device_whether_or_not_maps_fit(
    backbone: ClipBackbone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fits: str, moved: list[str]
) -> None:
    index = open_dataset(*prepared(small_dataset(tmp_path / "data", 12), tmp_path / "cache"))
    features = open_features(index, lambda: backbone, tmp_path / "cache", num_views=2)
    mirrored = features.views[0].mirrored.text
    names = {id(features.text): "text", id(mirrored): "mirrored", id(features.maps): "maps"}
    names |= {id(view.maps): f"view {i}" for i, view in enumerate(features.views, 1)}
    text_bytes = max(features.text.num_bytes, mirrored.num_bytes)
    map_bytes = max(features.maps.nbytes, *(view.maps.nbytes for view in features.views))
    assert text_bytes < min(view.maps.nbytes for view in features.views)
    free = {"nothing": 0, "text": 2 * text_bytes + 1, "one map array": 2 * map_bytes + 1}[fits]
    found: list[str] = []
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (free, 10**12))
    monkeypatch.setattr(type(mirrored), "move_to", lambda text, device: found.append(names[id(text)]))
    monkeypatch.setattr(frozen, "copy_to_device", lambda maps, device: found.append(names[id(maps)]))
    features.move_to(torch.device("cuda:0"))
    assert found == moved
    features.move_to(CPU)
    assert found == moved
