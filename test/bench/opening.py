"""Measures how long a prepared dataset takes to open: `python -m bench.opening FOLDER`."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from cliprpn.data import index as index_module
from cliprpn.data.index import open_dataset, read_facts
from cliprpn.data.pixels import open_pixels, pixels_folder


def main(root: Path) -> dict[str, list[float]]:
    """Seconds for opening tables and pixels as in a new process, repeated."""
    times = []
    for _ in range(5):
        index_module._opened.clear()
        started = time.perf_counter()
        index = open_dataset(root, read_facts(root).id)
        pixels = open_pixels(pixels_folder(root, 224, "squash"))
        times.append(time.perf_counter() - started)
        if len(pixels.frames) != index.images.num_rows:
            raise RuntimeError("the pixels belong to another dataset")
    return {"open_s": times}


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]))))
