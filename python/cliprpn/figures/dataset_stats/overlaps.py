"""What two splits share: a model that trained on it has seen the answer."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from cliprpn.contract.generated import SplitOverlap
from cliprpn.data.index import DatasetIndex

NUM_EXAMPLES = 5


def split_overlaps(
    index: DatasetIndex, splits: list[str], pixel_hashes: NDArray | None
) -> list[SplitOverlap]:
    """Every pair of splits.

    Args:
        pixel_hashes: [num_images], of the prepared pixels of each of the index's images; None when they are
            not to be compared.
    """
    parts = {split: _Part(index, index.split(split)) for split in splits}
    names = np.asarray(index.images["file_name"].to_pylist(), dtype=object)
    found = []
    for first, second in combinations(splits, 2):
        a, b = parts[first], parts[second]
        shared = b.image_rows[
            np.isin(b.image_rows, a.image_rows)
            | pc.is_in(pa.array(names[b.image_rows]), pa.array(names[a.image_rows])).to_numpy(False)
        ]
        twins = _twins(a.image_rows, b.image_rows, shared, pixel_hashes)
        examples = names[np.concatenate([shared, [] if twins is None else twins]).astype(np.int64)]
        found.append(
            SplitOverlap.model_validate(
                {
                    "first": first,
                    "second": second,
                    "num_images": len(shared),
                    "num_identical_pixels": None if twins is None else len(twins),
                    "num_refs": len(np.intersect1d(a.refs, b.refs)),
                    "num_objects": len(np.intersect1d(a.objects, b.objects)),
                    "num_sentences": _num_same(a.rows, b.rows),
                    "examples": examples[:NUM_EXAMPLES].tolist(),
                }
            )
        )
    return found


class _Part:
    """A split's images (rows of the index), refs, objects and sentences."""

    def __init__(self, index: DatasetIndex, rows: NDArray) -> None:
        self.image_rows = np.unique(index.image_rows[rows])
        part = index.sentences.take(pa.array(rows))
        self.refs = np.unique(part["ref_id"].to_numpy())
        self.objects = np.unique(part["ann_id"].to_numpy())
        corners = np.round(index.gt_boxes[rows].astype(np.float64), 1)
        files = index.images["file_name"].take(pa.array(index.image_rows[rows]))
        columns = {f"corner_{side}": pa.array(corners[:, side]) for side in range(4)}
        words = pc.utf8_lower(pc.utf8_trim_whitespace(part["sentence"]))
        self.rows = pa.table({"file": files, "words": words, **columns})


def _num_same(a: pa.Table, b: pa.Table) -> int:
    """Rows of b that are in a too."""
    return b.join(a, keys=a.column_names, join_type="left semi").num_rows


def _twins(first: NDArray, second: NDArray, shared: NDArray, pixel_hashes: NDArray | None) -> NDArray | None:
    """Images of the second with the pixels of one of the first, but for those that are shared anyway."""
    if pixel_hashes is None:
        return None
    others = np.setdiff1d(second, shared)
    return others[np.isin(pixel_hashes[others], pixel_hashes[first])]
