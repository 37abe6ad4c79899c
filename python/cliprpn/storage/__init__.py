"""Atomic writes, locks and caches that survive a kill; reads files of weights and specs."""
