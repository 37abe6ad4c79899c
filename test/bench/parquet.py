"""Seconds and peak memory of reading a Parquet file with images inside, which are written as files.

`python -m bench.parquet FOLDER NUM_IMAGES` prints JSON; the file is written first, in another process.
"""

from __future__ import annotations

import io
import json
import resource
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

from cliprpn.contract.generated import RowsSource
from cliprpn.data.sources import read_source

KILOBYTES_PER_IMAGE = 100
ROWS_PER_GROUP = 1000


def write(file: Path, num_images: int) -> None:
    """A JPEG with other bytes at its end for each image, and an expression with a box."""
    stream = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (240, 320, 3), np.uint8)).save(stream, "JPEG")
    jpeg = stream.getvalue()[: KILOBYTES_PER_IMAGE * 1000]
    fill = KILOBYTES_PER_IMAGE * 1000 - len(jpeg)
    kind = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    schema = pa.schema([("image", kind), ("sentence", pa.string()), ("box", pa.list_(pa.float64()))])
    rng = np.random.default_rng(1)
    with pq.ParquetWriter(file, schema) as writer:
        for start in range(0, num_images, ROWS_PER_GROUP):
            numbers = range(start, min(start + ROWS_PER_GROUP, num_images))
            rows = [
                {
                    "image": {"bytes": jpeg + rng.bytes(fill), "path": None},
                    "sentence": f"the object {number}",
                    "box": [10.0, 20.0, 30.0, 40.0],
                }
                for number in numbers
            ]
            writer.write_table(pa.Table.from_pylist(rows, schema))


def main() -> None:
    folder, num_images = Path(sys.argv[1]), int(sys.argv[2])
    file = folder / "images.parquet"
    if "--write" in sys.argv:
        write(file, num_images)
        return
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run([sys.executable, "-m", "bench.parquet", folder, str(num_images), "--write"], check=True)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    source = RowsSource.model_validate(
        {
            "layout": "rows",
            "format": "parquet",
            "files": [{"file": str(file), "split": "train"}],
            "box_format": "xywh",
            "columns": {"image": "image", "sentence": "sentence", "box": "box", "split": "split"},
            "split_seed": 0,
        }
    )
    started = time.perf_counter()
    annotations = read_source(source, images_folder=folder / "images").annotations
    seconds = time.perf_counter() - started
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    num_files = len(list((folder / "images").iterdir()))
    if not num_files == len(annotations.images) == num_images:
        raise SystemExit(f"expected {num_images} images, found {num_files} files")
    megabytes = {"file_mb": file.stat().st_size / 1e6, "memory_mb": (after - before) / 1e3}
    print(json.dumps({"num_images": num_images, "seconds": seconds, **megabytes}))


if __name__ == "__main__":
    main()
