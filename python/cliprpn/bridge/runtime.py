"""The functions that the bridge calls: JSON text in, JSON text out, no exceptions. Imports torch only on first use."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import sys
import traceback
from typing import TYPE_CHECKING, Any

from cliprpn.bridge import guards
from cliprpn.errors import CliprpnError, disk_has_failed, disk_is_full

if TYPE_CHECKING:
    from pydantic import BaseModel

    from cliprpn.contract.generated import Environment

_device: Any = None


def start() -> str:
    """Prepares this process. Returns its process id."""
    guards.install_guards()
    return str(os.getpid())


def handle(method: str, params: str) -> str:
    """Runs a method. Returns an envelope as JSON, with the result or the error."""
    try:
        return _ok(_run(method, json.loads(params)))
    except BaseException as error:  # noqa: BLE001 - nothing may cross the bridge as an exception
        return _error(error)
    finally:
        guards.clear_stop()


def _run(method: str, params: dict[str, Any]) -> dict[str, Any]:
    """
    Raises:
        CliprpnError: contract_violation, or any other code of the method.
    """
    if method == "hello":
        return _hello(params)
    from cliprpn.bridge.figure_methods import FIGURE_METHODS
    from cliprpn.memory import collection_paused

    if method in FIGURE_METHODS:
        figures = FIGURE_METHODS[method]
        with collection_paused():
            return _as_json(figures.run(figures.params.model_validate(params, strict=True)), figures.result)
    if _device is None:
        raise CliprpnError(
            "contract_violation",
            f"expected one of the methods of a process without a device, {', '.join(FIGURE_METHODS)}, found {method}",
        )
    from cliprpn.bridge.methods import METHODS, CallContext

    if method not in METHODS:
        names = ", ".join([*METHODS, *FIGURE_METHODS])
        raise CliprpnError("contract_violation", f"expected one of the methods {names}, found {method}")
    called = METHODS[method]
    context = CallContext(
        emit=lambda event: send(event.model_dump_json()), should_stop=guards.should_stop, device=_device
    )
    return _as_json(called.run(called.params.model_validate(params, strict=True), context), called.result)


def _as_json(result: BaseModel, model: type[BaseModel]) -> dict[str, Any]:
    # An optional value that is absent stays absent: null is another value.
    checked = model.model_validate(result.model_dump(exclude_unset=True), strict=True)
    return checked.model_dump(mode="json", exclude_unset=True)


def _hello(params: dict[str, Any]) -> dict[str, Any]:
    """Checks that both sides have the same contract, and selects the device of all later calls.

    Raises:
        CliprpnError: contract_violation, device_unavailable.
    """
    from cliprpn.code_identity import CODE_FOLDER, code_hashes
    from cliprpn.contract.generated import SCHEMA_SHA256, HelloParams, HelloResult

    if params.get("schema_sha256") != SCHEMA_SHA256:
        raise CliprpnError(
            "contract_violation",
            "expected the same contract in TypeScript and Python, found different ones; reinstall cliprpn",
        )
    hello = HelloParams.model_validate(params, strict=True)
    environment = None if hello.device is None else _select_device(hello.device, hello.num_threads)
    result = HelloResult.model_validate(
        {
            "schema_sha256": SCHEMA_SHA256,
            "sources_sha256": code_hashes(),
            "code_folder": str(CODE_FOLDER),
            "environment": environment,
            "pid": os.getpid(),
        }
    )
    return result.model_dump(mode="json")


def _select_device(requested: str, num_threads: int | None) -> Environment:
    """Imports torch and all modules that run trials: the latter before their files are hashed, see code_hashes.

    Raises:
        CliprpnError: device_unavailable.
    """
    global _device
    import torch

    from cliprpn.devices import describe_environment, resolve_device
    from cliprpn.memory import keep_freed_memory

    keep_freed_memory()
    _device = resolve_device(requested)
    if num_threads is not None:
        torch.set_num_threads(num_threads)
    environment = describe_environment(_device)
    from cliprpn.bridge import methods  # noqa: F401
    from cliprpn.trials.worker_memory import begin_worker

    begin_worker(_device)
    return environment


def send(text: str) -> None:
    """Sends an event to TypeScript, without a reply. Only from the main thread, while a call runs."""
    main = sys.modules["__main__"]
    main.ipc.queue({"r": 0, "c": "cliprpn.event", "text": text})


def _ok(value: dict[str, Any]) -> str:
    try:
        return json.dumps({"status": "ok", "value": value}, allow_nan=False)
    except ValueError as error:
        path = _find_non_finite(value, "result")
        raise CliprpnError("contract_violation", f"{path} is not a finite number") from error


def _error(error: BaseException) -> str:
    code, message = describe_error(error)
    trace = "".join(traceback.format_exception(error))
    with contextlib.suppress(OSError, ValueError):  # The reader may be gone.
        # Where a call was when it was asked to stop says nothing.
        print(message if code == "interrupted" else trace, file=sys.stderr, flush=True)
    return json.dumps({"status": "error", "error": {"code": code, "message": message}, "traceback": trace})


def describe_error(error: BaseException) -> tuple[str, str]:
    """Code and message of an error. Types of torch and pydantic are compared by name, as both may be missing."""
    if isinstance(error, CliprpnError):
        return error.code, error.message
    if isinstance(error, ModuleNotFoundError):
        return (
            "package_missing",
            f"Python has no package {error.name}; run `cliprpn doctor` to see how to fix it",
        )
    if isinstance(error, ImportError):
        return "environment_broken", f"{error}; run `cliprpn doctor` to see how to fix it"
    if isinstance(error, SystemExit):
        return "internal", f"Python code called sys.exit({error.code!r})"
    if isinstance(error, MemoryError) or any(
        base.__name__ == "OutOfMemoryError" for base in type(error).__mro__
    ):
        return "out_of_memory", f"out of memory: {error}"
    if disk_is_full(error):
        return "no_space", f"{_path_of(error)}: the disk is full; free some space and re-run the same command"
    if disk_has_failed(error):
        reason = f"the disk failed: {os.strerror(errno.EIO)}"
        return "environment_broken", f"{_path_of(error)}: {reason}; look into the system's log (dmesg)"
    if isinstance(error, OSError) and error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return "environment_broken", f"{_path_of(error)}: expected a writable path, found: {error.strerror}"
    if type(error).__name__ == "ValidationError":
        return "contract_violation", " ".join(str(error).split())
    return "internal", f"{type(error).__name__}: {error}"


def _path_of(error: BaseException) -> str:
    return str(getattr(error, "filename", None) or "a file")


def _find_non_finite(value: Any, path: str) -> str:
    """Path of the first number that is NaN or infinite; an empty string if there is none."""
    if isinstance(value, dict):
        items = [(f"{path}.{key}", item) for key, item in value.items()]
    elif isinstance(value, list):
        items = [(f"{path}[{index}]", item) for index, item in enumerate(value)]
    else:
        is_finite = not isinstance(value, float) or value - value == 0
        return "" if is_finite else path
    return next((match for name, item in items if (match := _find_non_finite(item, name))), "")
