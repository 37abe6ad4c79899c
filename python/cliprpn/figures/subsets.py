"""Subsets of a split, the same for all configurations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from cliprpn.contract.generated import SubsetSummary
from cliprpn.figures.split_table import SplitTable
from cliprpn.statistics import ImageGroups

SubsetKind = Literal[
    "stratum", "area_tercile", "area_tercile_refcocog", "sentence_length", "num_same_category", "reviewed"
]
STRATA_ORDER = ("attribute", "position", "size_or_part", "negation", "relation", "two_hop")
# The terciles of the relative box area in RefCOCOg: the same in every split and dataset.
REFCOCOG_TERCILES = (0.09, 0.20)


@dataclass(frozen=True)
class Rows:
    """Some expressions of a split, or all.

    Attributes:
        rows: [N], rows of the table.
        groups: the image of each row.
        pairs: [P, 2], positions in `rows` of the two expressions of each minimal pair.
        chance: [N], 1 / num_same_category; NaN where it is unknown.
    """

    rows: NDArray
    groups: ImageGroups
    pairs: NDArray
    chance: NDArray


@dataclass(frozen=True)
class Subset(Rows):
    """Expressions with something in common."""

    by: SubsetKind
    group: str

    def summary(self) -> SubsetSummary:
        """Its size, and same-category chance."""
        return SubsetSummary(
            by=self.by,
            group=self.group,
            num_sentences=len(self.rows),
            num_images=self.groups.num_images,
            num_pairs=len(self.pairs),
            chance=mean_chance(self.chance),
        )


def find_subsets(table: SplitTable) -> list[Subset]:
    """All subsets that have expressions."""
    groupings: dict[SubsetKind, dict[str, NDArray]] = {
        "stratum": _strata(table),
        "area_tercile": _own_terciles(table),
        "area_tercile_refcocog": _area_groups(table, *REFCOCOG_TERCILES),
        "sentence_length": _sentence_lengths(table),
        "num_same_category": _same_category(table),
    }
    chance = same_category_chance(table)
    return [
        _subset(by, group, np.flatnonzero(mask), table, chance)
        for by, groups in groupings.items()
        for group, mask in groups.items()
        if mask.any()
    ]


def all_rows(table: SplitTable) -> Rows:
    """The whole split."""
    return Rows(np.arange(len(table.sent_id)), table.groups, table.pairs, same_category_chance(table))


def same_category_chance(table: SplitTable) -> NDArray[np.float64]:
    """[S], the probability of a hit for a random object of the target's category; NaN where it is unknown."""
    count = table.num_same_category.astype(np.float64)
    return np.divide(1, count, out=np.full(len(count), np.nan), where=count > 0)


def mean_chance(chance: NDArray) -> float | None:
    """Mean of the known ones; None if all are unknown."""
    known = chance[~np.isnan(chance)]
    return float(known.mean()) if len(known) else None


def _subset(by: SubsetKind, group: str, rows: NDArray, table: SplitTable, chance: NDArray) -> Subset:
    position = np.full(len(table.sent_id), -1)
    position[rows] = np.arange(len(rows))
    pairs = position[table.pairs]
    return Subset(
        rows=rows,
        groups=ImageGroups(table.image_id[rows]),
        pairs=pairs[(pairs >= 0).all(axis=1)],
        chance=chance[rows],
        by=by,
        group=group,
    )


def _strata(table: SplitTable) -> dict[str, NDArray]:
    """Of the dataset; empty if it defines none."""
    names = {name for name in table.stratum.tolist() if name is not None}
    ordered = [name for name in STRATA_ORDER if name in names] + sorted(names - set(STRATA_ORDER))
    return {name: table.stratum == name for name in ordered}


def _own_terciles(table: SplitTable) -> dict[str, NDArray]:
    low, high = np.quantile(_relative_area(table), [1 / 3, 2 / 3])
    return _area_groups(table, float(low), float(high))


def _area_groups(table: SplitTable, low: float, high: float) -> dict[str, NDArray]:
    relative = _relative_area(table)
    return {
        f"small: below {low * 100:.1f} %": relative < low,
        f"medium: {low * 100:.1f} to {high * 100:.1f} %": (relative >= low) & (relative < high),
        f"large: {high * 100:.1f} % or more": relative >= high,
    }


def _relative_area(table: SplitTable) -> NDArray[np.float64]:
    """[S], area of the ground truth in the image."""
    width, height = (table.gt_box_xyxy[:, 2:] - table.gt_box_xyxy[:, :2]).T
    return width * height / (table.width * table.height)


def _sentence_lengths(table: SplitTable) -> dict[str, NDArray]:
    num_words = np.array([len(sentence.split()) for sentence in table.sentence])
    return {
        "5 or fewer": num_words <= 5,
        "6 to 10": (num_words > 5) & (num_words <= 10),
        "11 or more": num_words > 10,
    }


def _same_category(table: SplitTable) -> dict[str, NDArray]:
    count = table.num_same_category
    return {
        "only one": count == 1,
        "two": count == 2,
        "three or more": count >= 3,
        "unknown": count < 1,
    }
