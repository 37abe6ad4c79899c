"""Seconds until a file with a fault in each row is answered, by kind of fault.

`python -m bench.faults FOLDER NUM_ROWS` prints JSON; the answer is what `cliprpn prepare` says before any image is
opened.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cliprpn.contract.generated import RowsSource
from cliprpn.data.sources import read_source
from cliprpn.errors import CliprpnError

# Different in each row where it can be, since rows with the same message are kept as one.
FAULTS: dict[str, Callable[[int], dict[str, Any] | str]] = {
    "no JSON": lambda i: f"{{oops {i}",
    "a box that is text": lambda i: {"box": f"a{i}"},
    "a box without an area": lambda i: {"box": [1, 2, 0, i + 1]},
    "a box outside its image": lambda i: {"box": [700 + i, 2, 5, 5]},
    "a box that extends past its image": lambda i: {"box": [630, 2, 50 + i, 5]},
    "boxes of another format": lambda i: {"box": [0.1, 0.2, 0.3, 0.4]},
    "no file name": lambda i: {"image": None, "file": f"{i}.jpg"},
    "a file name with control characters": lambda i: {"image": f"a\0{i}"},
    "an unknown split": lambda i: {"split": f"s{i}"},
    "a negative size": lambda i: {"width": -i - 1},
    "two sizes of an image": lambda i: {"image": "a.jpg", "width": 640 + i},
    "no sentence": lambda i: {"sentence": None},
    "a category that is a list": lambda i: {"category": [i]},
}


def write(file: Path, fault: Callable[[int], dict[str, Any] | str], num_rows: int) -> None:
    """Four rows per image, each with the fault."""
    with file.open("w", encoding="utf-8") as stream:
        for i in range(num_rows):
            changes = fault(i)
            good = {
                "image": f"p{i // 4}.jpg",
                "sentence": f"the dog {i}",
                "box": [10 + i % 50, 20, 30 + i % 7, 40],
                "width": 640,
                "height": 480,
            }
            stream.write(changes if isinstance(changes, str) else json.dumps({**good, **changes}))
            stream.write("\n")


def seconds_of(file: Path) -> float:
    """How long it takes until the file is refused."""
    source = RowsSource.model_validate(
        {
            "layout": "rows",
            "format": "jsonl",
            "files": [{"file": str(file), "split": None}],
            "box_format": "xywh",
            "columns": {"image": "image", "sentence": "sentence", "box": "box", "split": "split"},
            "split_seed": 0,
        }
    )
    started = time.perf_counter()
    try:
        read_source(source)
    except CliprpnError as error:
        if error.code == "data_invalid":
            return time.perf_counter() - started
        raise
    raise SystemExit(f"{file}: expected to be refused")


def main() -> None:
    folder, num_rows = Path(sys.argv[1]), int(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    seconds = {}
    for kind, fault in FAULTS.items():
        file = folder / "rows.jsonl"
        write(file, fault, num_rows)
        seconds[kind] = seconds_of(file)
        print(f"{kind}: {seconds[kind]:.1f} s", file=sys.stderr)
    print(json.dumps(seconds))


if __name__ == "__main__":
    main()
