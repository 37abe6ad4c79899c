"""Referring expressions, boxes, splits and images: reads annotations of several layouts and opens prepared datasets."""
