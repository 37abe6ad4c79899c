"""The figures of sweeps and data sets."""
