"""Selects example sentences of a dataset."""

from __future__ import annotations

from collections import Counter

import numpy as np
from numpy.typing import NDArray

from cliprpn.contract.generated import AreaCuts, SentenceExample
from cliprpn.data.index import DatasetIndex

MAX_SENTENCES = 12


def choose_examples(
    index: DatasetIndex,
    splits: list[str],
    areas: NDArray,
    cuts: AreaCuts | None,
    seed: int = 0,
    num_sentences: int = MAX_SENTENCES,
) -> list[SentenceExample]:
    """At most `num_sentences` sentences, each of a different image.

    Alternates between splits and box sizes, and prefers the category used least so far.

    Args:
        areas: [S], relative areas of the boxes of all sentences.
    """
    order = np.random.default_rng(seed).permutation(index.sentences.num_rows)
    names = index.sentences["split"].to_numpy(zero_copy_only=False)[order]
    categories = index.sentences["category"].to_pylist()
    size_bins = np.zeros(len(order), dtype=np.int64)
    if cuts is not None:
        size_bins = np.digitize(np.nan_to_num(areas[order]), [cuts.own_low, cuts.own_high])
    is_unused = np.ones(len(order), dtype=bool)
    used: Counter[str] = Counter()
    selected = []
    for number in range(num_sentences):
        split, size_bin = splits[number % len(splits)], number // len(splits) % 3
        in_split = is_unused & (names == split)
        for mask in (in_split & (size_bins == size_bin), in_split, is_unused):
            if mask.any():
                candidates = np.flatnonzero(mask)
                break
        else:
            break
        position = min(candidates, key=lambda candidate: used[categories[order[candidate]]])
        row = int(order[position])
        used[categories[row]] += 1
        is_unused &= index.image_rows[order] != index.image_rows[row]
        selected.append(row)
    return [_example(index, row) for row in selected]


def _example(index: DatasetIndex, row: int) -> SentenceExample:
    sentence = index.sentences.slice(row, 1).to_pylist()[0]
    image = index.images.slice(int(index.image_rows[row]), 1).to_pylist()[0]
    return SentenceExample(
        **{key: sentence[key] for key in ("split", "sentence", "category")},
        **{key: image[key] for key in ("file_name", "upright", "width", "height")},
        box_xyxy=sentence["gt_box_xyxy"],
    )
