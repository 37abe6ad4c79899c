"""Answers of outside models: read from files of any layout, matched with a split, and written as predictions."""
