"""Figures of sweeps, comparisons and datasets."""
