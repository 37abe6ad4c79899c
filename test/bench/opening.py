"""How long a prepared data set takes to open: `python -m bench.opening FOLDER`."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from cliprpn.data import index as index_module
from cliprpn.data.index import open_dataset, read_facts
from cliprpn.data.pixels import open_pixels, pixels_folder


def main(root: Path) -> dict[str, list[float]]:
    """Seconds of opening tables and pixels, as a new process would, several times."""
    found = []
    for _ in range(5):
        index_module._opened.clear()
        started = time.perf_counter()
        index = open_dataset(root, read_facts(root).id)
        pixels = open_pixels(pixels_folder(root, 224, "squash"))
        found.append(time.perf_counter() - started)
        if len(pixels.frames) != index.images.num_rows:
            raise RuntimeError("the pixels are of another data set")
    return {"open_s": found}


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]))))
