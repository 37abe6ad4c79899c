"""Sentences that show what a data set is like."""

from __future__ import annotations

from collections import Counter

import numpy as np
from numpy.typing import NDArray

from cliprpn.contract.generated import AreaCuts, SentenceExample
from cliprpn.data.index import DatasetIndex

NUM_EXAMPLES = 12


def choose_examples(
    index: DatasetIndex,
    splits: list[str],
    areas: NDArray,
    cuts: AreaCuts | None,
    seed: int = 0,
) -> list[SentenceExample]:
    """Twelve sentences, or fewer where there are not so many images.

    Splits and sizes of boxes come in turn; each is of another image, and of a category that came up least.
    """
    order = np.random.default_rng(seed).permutation(index.sentences.num_rows)
    names = index.sentences["split"].to_numpy(zero_copy_only=False)[order]
    categories = index.sentences["category"].to_pylist()
    size = np.zeros(len(order), dtype=np.int64)
    if cuts is not None:
        size = np.digitize(np.nan_to_num(areas[order]), [cuts.own_low, cuts.own_high])
    is_free = np.ones(len(order), dtype=bool)
    used: Counter[str] = Counter()
    chosen = []
    for number in range(NUM_EXAMPLES):
        split, wanted = splits[number % len(splits)], number // len(splits) % 3
        mine = is_free & (names == split)
        for mask in (mine & (size == wanted), mine, is_free):
            if mask.any():
                places = np.flatnonzero(mask)
                break
        else:
            break
        place = min(places, key=lambda each: used[categories[order[each]]])
        row = int(order[place])
        used[categories[row]] += 1
        is_free &= index.image_rows[order] != index.image_rows[row]
        chosen.append(row)
    return [_example(index, row) for row in chosen]


def _example(index: DatasetIndex, row: int) -> SentenceExample:
    sentence = index.sentences.slice(row, 1).to_pylist()[0]
    picture = index.images.slice(int(index.image_rows[row]), 1).to_pylist()[0]
    return SentenceExample(
        **{key: sentence[key] for key in ("split", "sentence", "category")},
        **{key: picture[key] for key in ("file_name", "upright", "width", "height")},
        box_xyxy=sentence["gt_box_xyxy"],
    )
