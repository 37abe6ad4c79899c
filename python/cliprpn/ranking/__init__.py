"""Ranks proposals by CLIP similarity to a referring expression."""
