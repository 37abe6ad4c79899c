"""Extraction on the device: the host waits once a batch, and the results are those of the CPU."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from fakecuda import FakeCuda
from helpers import open_small, prepared, run_context, shipped_weights_id, small_dataset

from cliprpn.contract.generated import TrialBackbone
from cliprpn.data.images import image_files
from cliprpn.data.index import DatasetIndex, open_dataset
from cliprpn.features import frozen, image_features, text_features
from cliprpn.features.frozen import FrozenFeatures
from cliprpn.ranking import clip_embeddings, embedding_store
from cliprpn.ranking.clip_embeddings import ClipEmbeddings
from cliprpn.ranking.views import BoxView
from cliprpn.storage.weights_files import load_backbone

CPU = torch.device("cpu")
# For the event after the copy of a batch's results.
WAIT = "event.synchronize"


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> DatasetIndex:
    folder = tmp_path_factory.mktemp("data")
    return open_dataset(*prepared(small_dataset(folder, 12), folder))


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(image_features, "IMAGES_PER_BLOCK_AT_224", 0)  # Blocks of one image.
    monkeypatch.setattr(text_features, "SENTENCES_PER_BLOCK", 7)
    monkeypatch.setattr(embedding_store, "VIEW_BATCH", 5)
    monkeypatch.setattr(embedding_store, "TEXT_BATCH", 7)
    clip_embeddings._loaded.clear()
    yield
    clip_embeddings._loaded.clear()


def extract(
    index: DatasetIndex, cache: Path, device: torch.device, simulation: FakeCuda | None
) -> FrozenFeatures:
    """Features of all images, of a view, and of all sentences. Counts from here on."""
    frozen._opened.clear()
    backbone = load_backbone("cliprpn-tiny", "shipped").to(device)
    if simulation is not None:
        simulation.counts.clear()
    return frozen.open_features(
        index,
        open_small(index.root),
        lambda: backbone,
        shipped_weights_id(),
        run_context(cache, device=device),
        num_views=1,
    )


def stores(cache: Path) -> dict[str, np.ndarray]:
    """All arrays by kind of store and name."""
    return {
        f"{path.parent.name.split('-')[0]} {path.stem}": np.load(path)
        for path in sorted(cache.glob("features/*/*.npy"))
    }


def test_the_host_waits_once_for_each_block_of_images_and_sentences(
    cuda: FakeCuda, index: DatasetIndex, tmp_path: Path, device: torch.device, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FrozenFeatures, "move_to", lambda features, device: None)  # Copies of its own.
    extract(index, tmp_path, device, cuda)
    counts = cuda.counts
    rows = {name: len(array) for name, array in stores(tmp_path).items()}
    num_images, num_view, num_texts = rows["maps maps"], rows["view maps"], rows["text lengths"]
    num_mirrored = rows["mirrored lengths"]
    assert (num_images, num_view, num_texts) == (12, 8, 25) and num_mirrored >= 1
    blocks = [num_images, num_view, -(-num_texts // 7), -(-num_mirrored // 7)]
    assert dict(counts.syncs) == {WAIT: sum(blocks)}, counts.table()
    # Pixels; tokens and the positions of words. Back: maps, or pooled and words; with their largest values.
    images, texts = sum(blocks[:2]), sum(blocks[2:])
    assert counts.launches["to device"] == images + 2 * texts
    assert counts.launches["to host"] == 2 * images + 4 * texts


@pytest.mark.parametrize("view", ["crop", "blur", "circle"])
def test_the_host_waits_once_for_each_batch_of_boxes(
    cuda: FakeCuda, index: DatasetIndex, tmp_path: Path, device: torch.device, view: BoxView
) -> None:
    files = image_files(index, np.unique(index.image_rows)[:4])
    boxes = torch.tensor([[10.0, 8, 50, 38], [0, 0, 120, 90], [70, 50, 90, 70]])
    encoded = {}
    for place in (device, CPU):
        clip_embeddings._loaded.clear()
        clip = ClipEmbeddings(backbone_spec(), run_context(tmp_path / place.type, device=place))
        clip.backbone.to(place)
        cuda.counts.clear()
        encoded[place] = torch.cat(clip.embed_boxes([(file, boxes) for file in files], view))
        if place == device:
            assert dict(cuda.counts.syncs) == {WAIT: -(-3 * 4 // 5)}, cuda.counts.table()
    torch.testing.assert_close(encoded[device], encoded[CPU], rtol=4e-3, atol=4e-3)


def test_the_host_waits_once_for_each_batch_of_texts(
    cuda: FakeCuda, index: DatasetIndex, tmp_path: Path, device: torch.device
) -> None:
    clip = ClipEmbeddings(backbone_spec(), run_context(tmp_path, device=device))
    clip.backbone.to(device)
    cuda.counts.clear()
    texts = [*dict.fromkeys(index.texts())]
    clip.embed_texts(texts)
    assert dict(cuda.counts.syncs) == {WAIT: -(-len(texts) // 7)}, cuda.counts.table()


def test_features_are_those_of_the_cpu(
    index: DatasetIndex, tmp_path: Path, device: torch.device, simulation: FakeCuda | None
) -> None:
    found: list[dict[str, Any]] = []
    for place in (device, CPU):
        extract(index, tmp_path / place.type, place, simulation)
        found.append(stores(tmp_path / place.type))
    on_device, on_cpu = found
    assert list(on_device) == list(on_cpu) and len(on_cpu) == 11
    for name, expected in on_cpu.items():
        assert on_device[name].dtype == expected.dtype
        if simulation is not None or expected.dtype != np.float16:
            assert np.array_equal(on_device[name], expected), name
        else:  # Sums in another order, and rounding to 11 bits.
            np.testing.assert_allclose(on_device[name], expected, rtol=4e-3, atol=4e-3)


def backbone_spec() -> TrialBackbone:
    return TrialBackbone(name="cliprpn-tiny", weights="shipped", weights_id=shipped_weights_id())
