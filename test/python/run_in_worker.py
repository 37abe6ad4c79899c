"""Runs trials in one worker process, through the functions that the bridge calls: `python run_in_worker.py CALLS.json`.

CALLS.json is a list of calls: a method, and its params.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from cliprpn.bridge import runtime
from cliprpn.contract.generated import SCHEMA_SHA256


def main(calls: list[tuple[str, dict[str, object]]]) -> None:
    runtime.send = lambda text: None
    hello = {"schema_sha256": SCHEMA_SHA256, "device": "cpu", "num_threads": 1}
    for method, params in [("hello", hello), *calls]:
        envelope = json.loads(runtime.handle(method, json.dumps(params)))
        if envelope["status"] != "ok":
            raise RuntimeError(f"{method}: {envelope['error']}")


if __name__ == "__main__":
    main(json.loads(Path(sys.argv[1]).read_text()))
