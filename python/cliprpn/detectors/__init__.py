"""Sources of box proposals for CLIP to rank: detectors, files, annotations, a trained ClipRPN."""
