"""Statistics of comparisons: arrays in, numbers out."""

from cliprpn.statistics.checks import mcnemar_p, sign_flip_p, wilcoxon_p
from cliprpn.statistics.families import PairTable, holm, is_equivalent, pairwise
from cliprpn.statistics.intervals import CONFIDENCE, MIN_IMAGES, Difference, Estimate, compare, estimate
from cliprpn.statistics.measurement import ImageGroups, Measurement, measure, unweighted_mean, zero
from cliprpn.statistics.planning import (
    chance_ahead,
    detectable_difference,
    num_images_needed,
    num_seeds_needed,
)
from cliprpn.statistics.resampling import NUM_RESAMPLES, optimism, rank_intervals, resample_weights

__all__ = [
    "CONFIDENCE",
    "MIN_IMAGES",
    "NUM_RESAMPLES",
    "Difference",
    "Estimate",
    "ImageGroups",
    "Measurement",
    "PairTable",
    "chance_ahead",
    "compare",
    "detectable_difference",
    "estimate",
    "holm",
    "is_equivalent",
    "mcnemar_p",
    "measure",
    "num_images_needed",
    "num_seeds_needed",
    "optimism",
    "pairwise",
    "rank_intervals",
    "resample_weights",
    "sign_flip_p",
    "unweighted_mean",
    "wilcoxon_p",
    "zero",
]
