"""The checked index of a data set: two Parquet tables, written once and read by every trial."""

from __future__ import annotations

import os
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from cliprpn.data.refcocog import SPLITS, read_refcocog


@dataclass(frozen=True)
class DatasetIndex:
    """Columns are numpy arrays or lists, a row per picture or sentence.

    Attributes:
        root: folder of the data set; pictures lie in its `images/`.
        images: image_id, file_name, width, height.
        sentences: sent_id, ref_id, ann_id, image_id, split, sentence, category, num_same_category,
            stratum, pair_id.
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
        rows = np.flatnonzero(np.asarray(self.sentences["split"].to_pylist()) == name)
        return rows if limit is None else rows[:limit]

    def image_sizes(self, sentence_rows: np.ndarray) -> np.ndarray:
        """Width and height of each sentence's picture: [N, 2], float32."""
        rows = self.image_rows[sentence_rows]
        columns = [self.images[key].to_numpy()[rows] for key in ("width", "height")]
        return np.stack(columns, axis=1).astype(np.float32)

    def texts(self) -> list[str]:
        """All sentences."""
        return self.sentences["sentence"].to_pylist()

    def image_path(self, image_row: int) -> Path:
        return self.root / "images" / self.images["file_name"][image_row].as_py()

    def counts(self) -> list[dict[str, int | str]]:
        """Per split that has any: split, num_images, num_refs, num_sentences."""
        table = self.sentences
        found = []
        for split in SPLITS:
            part = table.filter(pa.compute.equal(table["split"], split))
            if part.num_rows > 0:
                images, refs = (len(part[key].unique()) for key in ("image_id", "ref_id"))
                row = {"split": split, "num_images": images, "num_refs": refs}
                found.append({**row, "num_sentences": part.num_rows})
        return found


def open_or_build_index(root: Path, split_by: str, dataset_id: str, cache_dir: Path) -> DatasetIndex:
    """The index of the data set, built and checked the first time.

    Raises:
        CliprpnError: data_invalid.
    """
    folder = cache_dir / "datasets" / dataset_id
    if not (folder / "sentences.parquet").is_file():
        _build(root, split_by, folder)
    images = pq.read_table(folder / "images.parquet")
    sentences = pq.read_table(folder / "sentences.parquet")
    row_of = {image_id: row for row, image_id in enumerate(images["image_id"].to_pylist())}
    rows = np.array([row_of[image_id] for image_id in sentences["image_id"].to_pylist()], dtype=np.int64)
    boxes = np.array(sentences["gt_box_xyxy"].to_pylist(), dtype=np.float32).reshape(-1, 4)
    return DatasetIndex(dataset_id, root, images, sentences, rows, boxes)


def _build(root: Path, split_by: str, folder: Path) -> None:
    images, sentences = read_refcocog(root, split_by)
    folder.mkdir(parents=True, exist_ok=True)
    _write_atomically([asdict(row) for row in images], folder / "images.parquet")
    _write_atomically([asdict(row) for row in sentences], folder / "sentences.parquet", _SENTENCES)


def _write_atomically(rows: list[dict[str, object]], path: Path, schema: pa.Schema | None = None) -> None:
    """Beside, then renamed: a file under its name is whole."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.name)
    os.close(handle)
    pq.write_table(pa.Table.from_pylist(rows, schema=schema), name)
    os.replace(name, path)


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
