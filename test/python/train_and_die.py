"""Trains a YOLO in a subprocess, logs every file opened for writing and every connection, and is killed in epoch two.

Arguments: prepared dataset, its id, cache, recipe, log file.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

WATCHED = ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "subprocess.Popen", "os.system")


def main(root: str, dataset_id: str, cache: str, recipe: str, log_file: str) -> None:
    log = os.open(log_file, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def watch(event: str, args: tuple[Any, ...]) -> None:
        writes = event == "open" and isinstance(args[0], (str, bytes)) and args[2] & (os.O_WRONLY | os.O_RDWR)
        if writes or event in WATCHED:
            os.write(log, f"{json.dumps([event, os.fsdecode(args[0]) if writes else str(args)])}\n".encode())

    import torch
    from helpers import run_context

    from cliprpn.contract.generated import TrainedYoloDetector
    from cliprpn.data.index import open_dataset
    from cliprpn.detectors.train_yolo import train_yolo

    sys.addaudithook(watch)
    torch.set_num_threads(1)

    def stop() -> bool:
        if list(Path(cache).glob("detectors/*/last.pt")):
            os.kill(os.getpid(), signal.SIGKILL)
        return False

    index = open_dataset(Path(root), dataset_id)
    detector = TrainedYoloDetector.model_validate_json(recipe)
    train_yolo(detector, index, run_context(Path(cache), should_stop=stop))


if __name__ == "__main__":
    main(*sys.argv[1:])
