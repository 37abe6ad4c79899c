"""Opens a prepared dataset: sentences, images and objects."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import ValidationError

from cliprpn.contract.generated import PreparedDataset
from cliprpn.data.annotations import SPLITS, BoxFormat
from cliprpn.errors import CliprpnError
from cliprpn.storage.parquet import read_table


@dataclass(frozen=True)
class DatasetIndex:
    """The tables of a dataset, and the sentences' boxes and images as arrays.

    Attributes:
        dataset_id: hash of the annotations.
        root: folder of the prepared dataset.
        images_dir: folder of the original images; None if the dataset has none.
        images: a row per image: image_id, file_name, width, height, upright, pixel_row.
        sentences: a row per sentence: sent_id, ref_id, ann_id, image_id, split, sentence, gt_box_xyxy,
            category, num_same_category, stratum, pair_id, source_box.
        objects: a row per annotated object: ann_id, image_id, category, box_xyxy.
        source_box_format: format of `source_box`, the unchanged numbers of the annotations.
        image_rows: [S], each sentence's row in `images`.
        gt_boxes: [S, 4], float32, xyxy, pixels of the original image.
    """

    dataset_id: str
    root: Path
    images_dir: Path | None
    images: pa.Table
    sentences: pa.Table
    objects: pa.Table
    source_box_format: BoxFormat
    image_rows: np.ndarray
    gt_boxes: np.ndarray

    def split(self, name: str, limit: int | None = None) -> np.ndarray:
        """Rows of a split's sentences, in the dataset's order, at most `limit`."""
        rows = np.flatnonzero(pc.equal(self.sentences["split"], name).to_numpy())
        return rows if limit is None else rows[:limit]

    def image_sizes(self, sentence_rows: np.ndarray) -> np.ndarray:
        """Width and height of each sentence's image, in pixels: [N, 2], float32."""
        rows = self.image_rows[sentence_rows]
        columns = [self.images[key].to_numpy()[rows] for key in ("width", "height")]
        return np.stack(columns, axis=1).astype(np.float32)

    def texts(self) -> list[str]:
        """All sentences."""
        return self.sentences["sentence"].to_pylist()

    def counts(self) -> list[dict[str, int | str]]:
        """For each split with sentences: split, num_images, num_refs, num_sentences."""
        counts: list[dict[str, int | str]] = []
        for split in SPLITS:
            part = self.sentences.take(pa.array(self.split(split)))
            if part.num_rows > 0:
                images, refs = (len(part[key].unique()) for key in ("image_id", "ref_id"))
                sizes = {"num_images": images, "num_refs": refs, "num_sentences": part.num_rows}
                counts.append({"split": split, **sizes})
        return counts


def open_dataset(root: Path, dataset_id: str) -> DatasetIndex:
    """The prepared dataset in this folder; opened once per process.

    Raises:
        CliprpnError: data_invalid, if the folder has no dataset, or its id is not `dataset_id`.
    """
    opened = _opened.get(root)
    if opened is not None and opened.dataset_id == dataset_id:
        return opened
    facts = read_facts(root)
    if facts.id != dataset_id:
        raise CliprpnError(
            "data_invalid",
            f"{root}: the dataset has changed since the trial was planned: expected {dataset_id}, found "
            f"{facts.id}; re-run the same command",
        )
    images_dir = None if facts.images_dir is None else Path(facts.images_dir)
    box_format: BoxFormat = "xywh" if facts.source.layout == "refcoco" else facts.source.box_format
    index = open_tables(root, facts.id, images_dir, box_format)
    _opened.clear()  # A worker needs one dataset at a time.
    _opened[root] = index
    return index


_opened: dict[Path, DatasetIndex] = {}


def read_facts(root: Path) -> PreparedDataset:
    """Reads dataset.json.

    Raises:
        CliprpnError: data_invalid, if it is missing or invalid.
    """
    path = root / "dataset.json"
    if not path.is_file():
        raise CliprpnError(
            "data_invalid",
            f"{root}: expected a prepared dataset, found no dataset.json; create one with `npx cliprpn prepare`",
        )
    try:
        return PreparedDataset.model_validate_json(path.read_bytes())
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the file"
        raise CliprpnError("data_invalid", f"{path}: {where}: {first['msg']}; prepare it again") from error
    except OSError as error:
        raise CliprpnError(
            "data_invalid", f"{path}: expected a prepared dataset: {error}; prepare it again"
        ) from error


def open_tables(
    folder: Path, dataset_id: str, images_dir: Path | None, box_format: BoxFormat
) -> DatasetIndex:
    """Reads the three tables of a dataset.

    Raises:
        CliprpnError: data_invalid, if a table is broken, or a sentence's image is missing from the table.
    """
    images, sentences, objects = (
        read_table(folder / f"{name}.parquet") for name in ("images", "sentences", "objects")
    )
    image_ids = images["image_id"].combine_chunks()
    rows = pc.index_in(sentences["image_id"].combine_chunks(), value_set=image_ids)
    if rows.null_count > 0:
        raise CliprpnError(
            "data_invalid",
            f"{folder / 'images.parquet'}: expected the image of every sentence, found none for {rows.null_count}; "
            f"delete {folder / 'dataset.json'} and prepare it again",
        )
    boxes = pc.list_flatten(sentences["gt_box_xyxy"]).to_numpy().reshape(-1, 4)
    return DatasetIndex(
        dataset_id,
        folder,
        images_dir,
        images,
        sentences,
        objects,
        box_format,
        rows.to_numpy().astype(np.int64),
        boxes.astype(np.float32),
    )
