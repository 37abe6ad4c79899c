"""Frozen CLIP's features: computed once, kept memory-mapped, shared by every trial."""
