"""Statistics of comparisons: arrays in, numbers out."""

from cliprpn.statistics.bootstrap import (
    CONFIDENCE,
    NUM_RESAMPLES,
    Estimate,
    mean_interval,
    ratio_interval,
)

__all__ = ["CONFIDENCE", "NUM_RESAMPLES", "Estimate", "mean_interval", "ratio_interval"]
