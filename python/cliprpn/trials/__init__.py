"""One trial of a ClipRPN or of a baseline: train, evaluate, record the outcome."""
