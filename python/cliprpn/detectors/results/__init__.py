"""Reads detections made elsewhere: rows, objects by image, tables, label files, and answers of language models."""
