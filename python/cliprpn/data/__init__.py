"""Refs, sentences, boxes, splits, pictures: RefCOCOg's own layout, read with care."""
