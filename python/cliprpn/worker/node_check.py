"""A node's side of `cliprpn doctor --engine slurm` and `ray`: `python -m cliprpn.worker.node_check FOLDER`.

Says what a worker would find on this node, and answers to files in the shared folder;
`src/sweep/machines/check-node.ts` is the other side.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import hashlib
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from cliprpn.contract.generated import NodeCheck
from cliprpn.storage.durable import write_durably

LIMIT_S = 300.0
POLL_S = 0.005


def main(argv: list[str]) -> int:
    """Returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m cliprpn.worker.node_check", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--label", default="", help="ENGINE:ID@NODE")
    parser.add_argument("--by-id", action="store_true", help="answer in FOLDER/ID, for several nodes")
    parser.add_argument(
        "--root",
        action="append",
        default=[],
        help="a folder that the other machine has, as it is called here",
    )
    parser.add_argument("--node-cache", help="folder for copies of features, as for a worker")
    values = parser.parse_args(argv)
    folder: Path = values.folder
    token = f"{folder.name}-root"
    if values.by_id:
        folder /= values.label.partition(":")[2].partition("@")[0]
    stamp = folder / "node-time"
    stamp.touch()
    facts = {
        "schema_version": 1,
        "label": values.label,
        "time_s": time.time(),
        "server_time_s": stamp.stat().st_mtime,
        "problems": [name for name, works in OPERATIONS.items() if not _works(works, folder)],
        "roots": [_find_root(Path(root), token) for root in values.root],
        "node_cache": None if values.node_cache is None else _try_cache(values.node_cache),
        **_worker(values.device),
    }
    if folder.is_dir():  # Otherwise the other side has given up, and nothing may come back.
        write_durably(folder / "node.json", NodeCheck.model_validate(facts).model_dump_json().encode())
        _answer(folder)
    return 0


def _answer(folder: Path) -> None:
    """Answers each `ping-N` with `pong-N`, and takes each `race-N` that is still there, until the folder is removed."""
    answered: set[str] = set()
    end = time.monotonic() + LIMIT_S
    while time.monotonic() < end and folder.is_dir():
        with contextlib.suppress(FileNotFoundError):  # The other side was faster, or has removed the folder.
            for name in set(os.listdir(folder)) - answered:
                answered.add(name)
                kind, _, number = name.partition("-")
                if kind == "ping":
                    (folder / f"pong-{number}").touch()
                elif kind == "race" and number.isdigit():
                    os.rename(folder / name, folder / f"{name}.node")
        time.sleep(POLL_S)


def _try_cache(chosen: str) -> dict[str, object]:
    """Whether features can be copied to a folder on this node."""
    folder = Path(os.path.expandvars(chosen))
    if not folder.is_absolute():
        problem = "expected an absolute path, once the variables of the node are in it"
        return {"folder": str(folder), "problem": problem, "free_bytes": None}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"cliprpn")
            file.flush()
        free_bytes = shutil.disk_usage(folder).free
    except OSError as error:
        return {"folder": str(folder), "problem": error.strerror or str(error), "free_bytes": None}
    return {"folder": str(folder), "problem": None, "free_bytes": free_bytes}


def _find_root(root: Path, token: str) -> dict[str, object]:
    """What is at the place of a root.

    Args:
        token: name of a file that the other machine has created in its folder, if it may.
    """
    try:
        names = [entry.name for entry in os.scandir(root)]
    except OSError:
        names = None
    # Names that are no ASCII may be read in another way there.
    text = "\n".join(sorted(name for name in names or [] if name.isascii()))
    return {
        "folder": str(root),
        "is_folder": root.is_dir(),
        "has_token": (root / token).exists(),
        "names_sha256": None if names is None else hashlib.sha256(text.encode()).hexdigest(),
    }


def _worker(device: str) -> dict[str, object]:
    from cliprpn.bridge.runtime import describe_error

    try:
        from cliprpn.worker.stdio import load_trials

        ready, _ = load_trials(device, None)
    except BaseException as error:  # noqa: BLE001 - a partial import raises anything
        code, message = describe_error(error)
        return {"worker": None, "error": {"code": code, "message": message}}
    return {"worker": ready.model_dump(), "error": None}


def _works(operation: Callable[[Path], bool], folder: Path) -> bool:
    try:
        return operation(folder)
    except OSError:
        return False


def _exclusive_create(folder: Path) -> bool:
    file = folder / "node-exclusive"
    os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
    try:
        os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
    except FileExistsError:
        return True
    return False


def _link(folder: Path) -> bool:
    source, target = folder / "node-link", folder / "node-link-2"
    source.touch()
    os.link(source, target)
    try:
        os.link(source, target)
    except FileExistsError:
        return True
    return False


def _rename(folder: Path) -> bool:
    old, new = folder / "node-old", folder / "node-new"
    new.write_text("before")
    old.write_text("after")
    os.rename(old, new)
    return new.read_text() == "after" and not old.exists()


def _flock(folder: Path) -> bool:
    with (folder / "node-lock").open("w") as first, (folder / "node-lock").open("w") as second:
        fcntl.flock(first, fcntl.LOCK_EX | fcntl.LOCK_NB)
        try:
            fcntl.flock(second, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        return False


OPERATIONS: dict[str, Callable[[Path], bool]] = {
    "exclusive_create": _exclusive_create,
    "link": _link,
    "rename": _rename,
    "flock": _flock,
}

if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
