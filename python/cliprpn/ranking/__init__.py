"""Ranks boxes by how CLIP likens them to a sentence."""
