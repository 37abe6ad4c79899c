"""What NumPy raises for damaged files."""

from __future__ import annotations

import tokenize
import zipfile
import zlib

# By `numpy.load`, for .npy and .npz. Headers are Python literals, so that errors of the parser are among them.
DAMAGED_ARRAYS = (
    *(OSError, EOFError, ValueError, TypeError, OverflowError),
    *(SyntaxError, tokenize.TokenError, RuntimeError, MemoryError),
    *(KeyError, zipfile.BadZipFile, zlib.error),
)
