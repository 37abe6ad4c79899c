"""Augmented views of training pictures: what a view looks like, and which sentences stay true in it."""
