"""The checked index of a data set: two Parquet tables, written once and read by every trial."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cliprpn.data.parquet import read_whole, write_whole
from cliprpn.data.pictures import ImageRow, check_pictures
from cliprpn.data.problems import Problems
from cliprpn.data.refcocog import read_refcocog
from cliprpn.data.refs import SPLITS

# Part of the index's place: change it whenever the same files would give another index.
INDEX_VERSION = "1"


@dataclass(frozen=True)
class DatasetIndex:
    """Every sentence of a data set with its box and its picture.

    Attributes:
        root: folder of the data set; pictures lie in its `images/`.
        images: a row per picture: image_id, file_name, width, height.
        sentences: a row per sentence: sent_id, ref_id, ann_id, image_id, split, sentence, gt_box_xyxy,
            category, num_same_category, stratum, pair_id.
        image_rows: [S], row in `images` of each sentence.
        gt_boxes: [S, 4], float32, xyxy, pixels of the original picture.
    """

    dataset_id: str
    root: Path
    images: pa.Table
    sentences: pa.Table
    image_rows: np.ndarray
    gt_boxes: np.ndarray

    def split(self, name: str, limit: int | None = None) -> np.ndarray:
        """Rows of a split's sentences, in the data set's order, at most `limit`."""
        rows = np.flatnonzero(pc.equal(self.sentences["split"], name).to_numpy())
        return rows if limit is None else rows[:limit]

    def image_sizes(self, sentence_rows: np.ndarray) -> np.ndarray:
        """Width and height of each sentence's picture, in pixels: [N, 2], float32."""
        rows = self.image_rows[sentence_rows]
        columns = [self.images[key].to_numpy()[rows] for key in ("width", "height")]
        return np.stack(columns, axis=1).astype(np.float32)

    def texts(self) -> list[str]:
        """All sentences."""
        return self.sentences["sentence"].to_pylist()

    def pictures_id(self) -> str:
        """Hash of all pictures' names and sizes in bytes: pictures that were replaced are other pictures."""
        names = self.images["file_name"].to_pylist()
        sizes = [path.stat().st_size for path in map(self.image_path, range(len(names)))]
        listed = "".join(f"{name}\0{size}\n" for name, size in zip(names, sizes, strict=True))
        return hashlib.sha256(listed.encode()).hexdigest()[:16]

    def image_path(self, image_row: int) -> Path:
        return self.root / "images" / self.images["file_name"][image_row].as_py()

    def counts(self) -> list[dict[str, int | str]]:
        """Per split that has any: split, num_images, num_refs, num_sentences."""
        found: list[dict[str, int | str]] = []
        for split in SPLITS:
            part = self.sentences.take(pa.array(self.split(split)))
            if part.num_rows > 0:
                images, refs = (len(part[key].unique()) for key in ("image_id", "ref_id"))
                sizes = {"num_images": images, "num_refs": refs, "num_sentences": part.num_rows}
                found.append({"split": split, **sizes})
        return found


def open_or_build_index(
    root: Path,
    split_by: str,
    dataset_id: str,
    cache_dir: Path,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> DatasetIndex:
    """The index of the data set, built once; pictures are looked at whenever a process first opens it.

    Args:
        dataset_id: hash of the annotation files; the same files elsewhere are the same data set.
        on_progress: told how many pictures have been looked at, and of how many.

    Raises:
        CliprpnError: data_invalid, no_space.
    """
    folder = cache_dir / "datasets" / dataset_id
    known = _opened.get((folder, root))
    if known is not None:
        return known
    sentences_file = folder / f"sentences-{INDEX_VERSION}.parquet"
    images_file = folder / f"images-{INDEX_VERSION}.parquet"
    if not sentences_file.is_file():
        images, sentences = read_refcocog(root, split_by, on_progress)
        write_whole([asdict(row) for row in images], _IMAGES, images_file)
        write_whole([asdict(row) for row in sentences], _SENTENCES, sentences_file)  # Last: both are there.
    else:  # The annotations are known; pictures may have gone since, or this be another copy.
        problems = Problems(root)
        known_images = [ImageRow(**row) for row in read_whole(images_file).to_pylist()]
        check_pictures(known_images, root / "images", problems, on_progress)
        problems.raise_if_any()
    index = _join(dataset_id, root, read_whole(images_file), read_whole(sentences_file))
    _opened.clear()  # One data set at a time is enough for a worker.
    _opened[folder, root] = index
    return index


_opened: dict[tuple[Path, Path], DatasetIndex] = {}


def _join(dataset_id: str, root: Path, images: pa.Table, sentences: pa.Table) -> DatasetIndex:
    image_ids = images["image_id"].combine_chunks()
    rows = pc.index_in(sentences["image_id"].combine_chunks(), value_set=image_ids).to_numpy()
    boxes = pc.list_flatten(sentences["gt_box_xyxy"]).to_numpy().reshape(-1, 4)
    return DatasetIndex(dataset_id, root, images, sentences, rows.astype(np.int64), boxes.astype(np.float32))


_IMAGES = pa.schema(
    [
        ("image_id", pa.int64()),
        ("file_name", pa.string()),
        ("width", pa.int64()),
        ("height", pa.int64()),
    ]
)
_SENTENCES = pa.schema(
    [
        ("sent_id", pa.int64()),
        ("ref_id", pa.int64()),
        ("ann_id", pa.int64()),
        ("image_id", pa.int64()),
        ("split", pa.string()),
        ("sentence", pa.string()),
        ("gt_box_xyxy", pa.list_(pa.float64(), 4)),
        ("category", pa.string()),
        ("num_same_category", pa.int64()),
        ("stratum", pa.string()),
        ("pair_id", pa.int64()),
    ]
)
