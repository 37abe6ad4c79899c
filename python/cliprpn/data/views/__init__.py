"""Augmented views of training images: what a view looks like, and which sentences stay true in it."""
