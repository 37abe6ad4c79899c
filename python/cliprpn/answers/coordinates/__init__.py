"""Boxes in any coordinates as pixels of the original images."""
