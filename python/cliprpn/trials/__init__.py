"""Trials of ClipRPNs and baselines: trains, evaluates and records the outcome."""
