"""Hashes of the code that decides the results of each kind of trial, as src/contract/code-identity.ts computes them."""

from __future__ import annotations

import hashlib
import json
import re
from functools import cache
from pathlib import Path

from cliprpn.errors import CliprpnError

CODE_FOLDER = Path(__file__).resolve().parent
LOCK_FOLDER = CODE_FOLDER.parents[1] / "env"


@cache
def code_hashes() -> dict[str, str]:
    """SHA-256 for each kind of trial, of the files as they are at the first call.

    Call it first when all modules that run trials are imported. If a hash that was computed before the imports (the
    CLI's) is the same, the modules were imported from files with this hash. A file may be edited later while this
    process runs: the imported modules stay as they are, and so does the hash.

    Raises:
        CliprpnError: environment_broken, if a file of the package is missing.
    """
    kinds = json.loads(_read(CODE_FOLDER / "code_files.json"))
    return {kind: _hash(kind, **listed) for kind, listed in kinds.items()}


def require_unchanged(name: str) -> None:
    """Call it after a module that `code_hashes` covers was imported later than that.

    Args:
        name: path of the module's file in the package.

    Raises:
        CliprpnError: contract_violation, if the file has changed since it was hashed.
    """
    if hashlib.sha256(_read(CODE_FOLDER / name)).hexdigest() != _file_sha256(name):
        raise CliprpnError(
            "contract_violation",
            f"{CODE_FOLDER / name}: changed after this process started; run the same command again",
        )


def _hash(kind: str, files: list[str], packages: list[str], locks: list[str]) -> str:
    pins = "\n".join(_read(LOCK_FOLDER / f"{lock}.txt").decode() for lock in locks)
    lines = [
        f"kind {kind}",
        *(f"file {file} {_file_sha256(file)}" for file in sorted(files)),
        *(f"package {name} {_versions(name, pins)}" for name in sorted(packages)),
    ]
    return hashlib.sha256("".join(f"{line}\n" for line in lines).encode()).hexdigest()


@cache
def _file_sha256(name: str) -> str:
    return hashlib.sha256(_read(CODE_FOLDER / name)).hexdigest()


def _versions(name: str, pins: str) -> str:
    """All versions of a package that the lock files name, in their order: they depend on the version of Python."""
    versions = [version for pinned, version in re.findall(r"^(\S+?)==(\S+)", pins, re.M) if pinned == name]
    if not versions:
        raise CliprpnError(
            "environment_broken",
            f"{LOCK_FOLDER}: expected a version of {name} in the lock files, found none; reinstall cliprpn",
        )
    return ", ".join(dict.fromkeys(versions))


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise CliprpnError(
            "environment_broken",
            f"{file}: expected a file of cliprpn, found none that can be read; reinstall cliprpn",
        ) from error
