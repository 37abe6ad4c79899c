"""Features of RefCOCOg's size with made values, opened as a trial opens those that it finds in the cache."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import torch

from cliprpn.data.index import DatasetIndex
from cliprpn.data.pixels import Pixels
from cliprpn.errors import CliprpnError
from cliprpn.features.feature_cache import FeatureCache
from cliprpn.features.frozen import features_made_from, open_features
from cliprpn.inference.build import FeatureSizes
from cliprpn.models.backbone import ClipBackbone
from cliprpn.run_context import RunContext
from cliprpn.storage.array_store import ArraySpecs, StoreWriter, open_store
from cliprpn.trials.step_data import TrainingData

SPLITS = ("train", "val", "test")
WEIGHTS_ID = "made"
# Values are repeated after so many images or sentences: they do not change the time of a step.
BLOCK = 512


@dataclass(frozen=True)
class Size:
    """Numbers of images and sentences of each split, and the shapes of the features.

    Attributes:
        batch_size: of training; None for the preset's.
        matmul: side of the matrices that measure the peak of arithmetic.
        copy_bytes: of the copy that measures the peak of the memory.
        few_images, most_images: of a measurement of extraction; the first is the size of a block, too.
        most_calls: of `ground`.
    """

    num_images: tuple[int, int, int]
    num_sentences: tuple[int, int, int]
    features: FeatureSizes
    backbone: str
    batch_size: int | None
    matmul: int
    copy_bytes: int
    few_images: int
    most_images: int
    most_calls: int
    image_size_px: int = 224

    @property
    def grid(self) -> int:
        """Cells along a side of a map."""
        return self.image_size_px // 32


# RefCOCOg (umd) with CLIP RN50.
FULL = Size(
    num_images=(21_899, 1_300, 2_600),
    num_sentences=(80_512, 4_896, 9_602),
    features=(2048, 1024, 512),
    backbone="RN50-quickgelu",
    batch_size=None,
    matmul=8192,
    copy_bytes=2**31,
    few_images=64,
    most_images=25_799,
    most_calls=200,
)
# Shows that all parts run; its figures mean nothing.
SMALL = Size(
    num_images=(12, 4, 2),
    num_sentences=(24, 6, 2),
    features=(64, 32, 48),
    backbone="cliprpn-tiny",
    batch_size=8,
    matmul=128,
    copy_bytes=2**20,
    few_images=4,
    most_images=8,
    most_calls=4,
    image_size_px=64,
)


def open_training_data(size: Size, context: RunContext) -> TrainingData:
    """The data of a trial. Features that fit are on the device, as in a trial; they are made if they are missing.

    Raises:
        CliprpnError: no_space.
    """
    index, _ = open_arrays(size, context)
    features = open_features(index, _no_pixels(size), _no_backbone, WEIGHTS_ID, context)
    return TrainingData(index, features, index.split("train"), index.split("val"))


def open_arrays(size: Size, context: RunContext) -> tuple[DatasetIndex, dict[str, np.ndarray]]:
    """The tables, and the files of the features as memory maps: maps, pooled, words, lengths.

    Raises:
        CliprpnError: no_space.
    """
    index = make_index(size)
    maps, text = features_made_from(index, _no_pixels(size), WEIGHTS_ID, context.device)
    cache = FeatureCache(context.cache_dir / "features", _no_backbone, WEIGHTS_ID, context)
    channels, pooled_dim, word_dim = size.features
    lengths = sentence_lengths(sum(size.num_sentences))
    _make_store(
        cache.folder("maps", maps), maps, {"maps": (sum(size.num_images), channels, size.grid, size.grid)}
    )
    shapes = {"pooled": (len(lengths), pooled_dim), "words": (int(lengths.sum()), word_dim)}
    _make_store(cache.folder("text", text), text, shapes, lengths)
    arrays: dict[str, np.ndarray] = {}
    for kind, made_from in (("maps", maps), ("text", text)):
        arrays |= open_store(cache.folder(kind, made_from)) or {}
    return index, arrays


def feature_bytes(size: Size) -> int:
    """Size of all features."""
    channels, pooled_dim, word_dim = size.features
    lengths = sentence_lengths(sum(size.num_sentences))
    maps = sum(size.num_images) * channels * size.grid**2
    return 2 * (maps + len(lengths) * pooled_dim + int(lengths.sum()) * word_dim)


def scratch_parent(size: Size, temporary: Path, memory: Path = Path("/dev/shm")) -> Path:
    """Where to put the features: in memory if they need less than half of it, else in the temporary folder.

    Raises:
        CliprpnError: no_space.
    """
    needed = feature_bytes(size)
    if memory.is_dir() and shutil.disk_usage(memory).free > 2 * needed:
        return memory
    free = shutil.disk_usage(temporary).free
    if free < 1.2 * needed:
        raise CliprpnError(
            "no_space",
            f"{temporary}: expected {1.2 * needed / 1e9:.1f} GB of free space for the features, found "
            f"{free / 1e9:.1f} GB; choose another folder with --scratch",
        )
    return temporary


def sentence_lengths(num_sentences: int) -> np.ndarray:
    """Tokens of each sentence, with start and end tokens, and of the empty one; the mean is RefCOCOg's 10.5."""
    random = np.random.default_rng(0)
    # Negative binomial: mean 6.5, variance 14.
    drawn = 4 + random.negative_binomial(5.6, 0.463, num_sentences)
    return np.append(drawn.clip(max=77), 2).astype(np.int64)


def make_index(size: Size) -> DatasetIndex:
    """The tables that training reads; every image has at least one sentence."""
    random = np.random.default_rng(0)
    total_images, total_sentences = sum(size.num_images), sum(size.num_sentences)
    parts, start = [], 0
    for num_images, num_sentences in zip(size.num_images, size.num_sentences, strict=True):
        more = random.integers(0, num_images, num_sentences - num_images)
        parts.append(start + np.sort(np.concatenate([np.arange(num_images), more])))
        start += num_images
    image_rows = np.concatenate(parts)
    images = pa.table(
        {
            "image_id": np.arange(total_images),
            "file_name": [f"{row}.jpg" for row in range(total_images)],
            "width": np.full(total_images, 640),
            "height": np.full(total_images, 480),
            "upright": np.full(total_images, False),
            "pixel_row": np.arange(total_images),
        }
    )
    sentences = pa.table(
        {
            "sent_id": np.arange(total_sentences),
            "ann_id": np.arange(total_sentences),
            "image_id": image_rows,
            "split": np.repeat(SPLITS, size.num_sentences),
        }
    )
    corners = random.uniform(0, 300, (total_sentences, 2))
    sides = random.uniform(100, 180, (total_sentences, 2))
    boxes = np.concatenate([corners, corners + sides], axis=1).astype(np.float32)
    objects = pa.table({"ann_id": np.arange(total_sentences), "image_id": image_rows})
    return DatasetIndex(
        "made-refcocog", Path("/none"), None, images, sentences, objects, "xyxy", image_rows, boxes
    )


def _no_pixels(size: Size) -> Pixels:
    """The images that the maps are said to come from: their frames, without pixels."""
    num_images, side = sum(size.num_images), size.image_size_px
    frames = torch.tensor([[side / 640, side / 480, 0, 0]], dtype=torch.float64).repeat(num_images, 1)
    names = [f"{row}.jpg" for row in range(num_images)]
    return Pixels("made", side, [], np.zeros(0, dtype=np.int64), frames, names)


def _no_backbone() -> ClipBackbone:
    raise AssertionError("the features were made, so that CLIP is not needed")


def _make_store(
    folder: Path,
    made_from: dict[str, object],
    shapes: dict[str, tuple[int, ...]],
    lengths: np.ndarray | None = None,
) -> None:
    """Writes a store unless it exists.

    Args:
        shapes: of each array, [rows, ...], float16.
        lengths: of text, the tokens of each sentence.
    """
    if (folder / "manifest.json").is_file():
        return
    draw = torch.Generator().manual_seed(0)
    specs: ArraySpecs = {name: (shape[1:], np.float16) for name, shape in shapes.items()}
    if lengths is not None:
        specs["lengths"] = ((), np.int64)
    with StoreWriter(folder, specs, made_from) as store:
        for name, (num_rows, *shape) in shapes.items():
            block = torch.randn(min(BLOCK, num_rows), *shape, generator=draw).relu_().half().numpy()
            for start in range(0, num_rows, BLOCK):
                store.append(0, {name: block[: num_rows - start]})
        if lengths is not None:
            store.append(0, {"lengths": lengths})
        store.finish()
