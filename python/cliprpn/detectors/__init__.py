"""Who proposes boxes for CLIP to rank: detectors, files, annotations, a ClipRPN."""
