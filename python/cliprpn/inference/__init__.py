"""A ClipRPN from settings or a checkpoint, and its predictions."""
