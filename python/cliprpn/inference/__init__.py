"""Builds a ClipRPN from settings or a checkpoint, and runs it."""
