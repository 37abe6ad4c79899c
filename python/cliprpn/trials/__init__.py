"""One attempt at a trial, of a ClipRPN or of a baseline."""
