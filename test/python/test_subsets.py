"""Subsets of a split."""

from __future__ import annotations

import numpy as np
import pytest

from cliprpn.figures.split_table import SplitTable
from cliprpn.figures.subsets import find_subsets, mean_chance, same_category_chance
from cliprpn.metrics import pair_rows
from cliprpn.statistics import ImageGroups


def made_table() -> SplitTable:
    """Twelve expressions, two on each image; areas of 1 %, 3 %, ..., 23 % of the image."""
    side = np.sqrt(np.arange(1, 24, 2)) * 10
    texts = ["a b c d e"] * 5 + ["a b c d e f"] * 4 + [" ".join("abcdefghijk")] * 3
    images = np.repeat(np.arange(6), 2)
    return SplitTable(
        split="val",
        sent_id=np.arange(12),
        image_id=images,
        pairs=pair_rows(np.array([0, 0, 1, 1, 2, 2, -1, -1, 3, 3, 3, -1])),
        width=np.full(12, 100),
        height=np.full(12, 100),
        gt_box_xyxy=np.stack([np.zeros(12), np.zeros(12), side, side], axis=1),
        num_same_category=np.array([1] * 5 + [0] + [2] * 3 + [5] * 3),
        sentence=np.array(texts, dtype=object),
        category=np.array(["dog"] * 9 + ["cat"] * 3, dtype=object),
        stratum=np.array(["relation"] * 3 + ["attribute"] * 5 + [None] * 4, dtype=object),
        image_file=np.array(["a.jpg"] * 12, dtype=object),
        upright=np.zeros(12, dtype=bool),
        groups=ImageGroups(images),
    )


def test_every_kind_of_subset_has_every_expression_once() -> None:
    subsets = find_subsets(made_table())
    sizes = {(subset.by, subset.group): len(subset.rows) for subset in subsets}
    assert sizes == {
        ("stratum", "attribute"): 5,
        ("stratum", "relation"): 3,
        ("area_tercile", "small: below 8.3 %"): 4,
        ("area_tercile", "medium: 8.3 to 15.7 %"): 4,
        ("area_tercile", "large: 15.7 % or more"): 4,
        # These do not move with the split.
        ("area_tercile_refcocog", "small: below 9.0 %"): 4,
        ("area_tercile_refcocog", "medium: 9.0 to 20.0 %"): 6,
        ("area_tercile_refcocog", "large: 20.0 % or more"): 2,
        ("sentence_length", "5 or fewer"): 5,
        ("sentence_length", "6 to 10"): 4,
        ("sentence_length", "11 or more"): 3,
        ("num_same_category", "only one"): 5,
        ("num_same_category", "two"): 3,
        ("num_same_category", "three or more"): 3,
        ("num_same_category", "unknown"): 1,
    }


def test_a_pair_belongs_to_a_subset_with_both_expressions() -> None:
    pairs = {subset.group: len(subset.pairs) for subset in find_subsets(made_table())}
    # The second pair has one expression in each stratum.
    assert (pairs["relation"], pairs["attribute"], pairs["5 or fewer"]) == (1, 1, 2)


def test_chance_is_one_of_the_objects_of_the_category_where_their_number_is_known() -> None:
    chance = same_category_chance(made_table())
    assert np.isnan(chance).tolist() == [number == 5 for number in range(12)]
    assert mean_chance(chance) == pytest.approx((5 + 3 / 2 + 3 / 5) / 11)
    subsets = {subset.group: subset.summary() for subset in find_subsets(made_table())}
    assert subsets["two"].chance == 0.5
    assert subsets["unknown"].chance is None
    assert (subsets["relation"].num_sentences, subsets["relation"].num_images) == (3, 2)
