"""Boxes in a model's text."""
