"""`python -m bench.gpu`: speed of training, extraction and `ground` on a GPU, with features of RefCOCOg's size.

Needs python/, test/ and test/python/ on the path, and neither Node, nor a network, nor data. Each part runs in a
process of its own (`process.py`), in a time of its own, and prints its line as soon as it is done.
"""
