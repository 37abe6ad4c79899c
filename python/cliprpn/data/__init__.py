"""Refs, sentences, boxes, splits, images: RefCOCOg's own layout, read with care."""
