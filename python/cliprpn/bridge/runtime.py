"""What the bridge may call: text in, text out, nothing raised. Imports torch only once it is needed."""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import sys
import traceback
from typing import Any

from cliprpn.bridge import guards

_device: Any = None


def start() -> str:
    """Readies this process for its work. Returns its id."""
    guards.install_guards()
    return str(os.getpid())


def handle(method: str, params: str) -> str:
    """Runs a method. Returns an envelope as JSON; whatever goes wrong is in it."""
    try:
        return _ok(_run(method, json.loads(params)))
    except BaseException as error:  # noqa: BLE001 - nothing may cross the bridge as an exception
        return _error(error)
    finally:
        guards.forget_stop()


def _run(method: str, params: dict[str, Any]) -> dict[str, Any]:
    global _device
    from cliprpn.contract.generated import SCHEMA_SHA256, HelloParams, HelloResult
    from cliprpn.devices import describe_environment, resolve_device
    from cliprpn.errors import CliprpnError
    from cliprpn.memory import keep_freed_memory

    if method == "hello":
        import torch

        if params.get("schema_sha256") != SCHEMA_SHA256:
            raise CliprpnError(
                "contract_violation", "TypeScript has another contract than Python; reinstall cliprpn"
            )
        keep_freed_memory()
        hello = HelloParams.model_validate(params, strict=True)
        _device = resolve_device(hello.device)
        if hello.num_threads is not None:
            torch.set_num_threads(hello.num_threads)
        environment = describe_environment(_device)
        found = HelloResult(schema_sha256=SCHEMA_SHA256, environment=environment, pid=os.getpid())
        return found.model_dump(mode="json")

    from cliprpn.bridge.methods import METHODS, CallContext

    if method not in METHODS:
        raise CliprpnError("contract_violation", f"there is no method {method}")
    asked = METHODS[method]
    context = CallContext(
        emit=lambda event: send(event.model_dump_json()), should_stop=guards.should_stop, device=_device
    )
    result = asked.run(asked.params.model_validate(params, strict=True), context)
    return asked.result.model_validate(result.model_dump(), strict=True).model_dump(mode="json")


def send(text: str) -> None:
    """One-way news for whoever watches; only from the main thread, while a call runs."""
    main = sys.modules["__main__"]
    main.ipc.queue({"r": 0, "c": "cliprpn.event", "text": text})


def _ok(value: dict[str, Any]) -> str:
    try:
        return json.dumps({"status": "ok", "value": value}, allow_nan=False)
    except ValueError as error:
        place = _find_infinite(value, "result")
        raise _violation(f"{place} is not a finite number") from error


def _error(error: BaseException) -> str:
    code, message = _describe(error)
    trace = "".join(traceback.format_exception(error))
    with contextlib.suppress(OSError, ValueError):  # Nobody may be left to read it.
        print(trace, file=sys.stderr, flush=True)
    return json.dumps({"status": "error", "error": {"code": code, "message": message}, "traceback": trace})


def _describe(error: BaseException) -> tuple[str, str]:
    code, message = getattr(error, "code", None), getattr(error, "message", None)
    if type(error).__name__ == "CliprpnError" and code is not None:
        return str(code), str(message)
    if isinstance(error, ModuleNotFoundError):
        return "package_missing", f"Python has no package {error.name}; `cliprpn doctor` says how to mend it"
    if isinstance(error, ImportError):
        return "environment_broken", f"{error}; `cliprpn doctor` says how to mend it"
    if isinstance(error, SystemExit):
        return "internal", f"Python code called sys.exit({error.code!r})"
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return "out_of_memory", f"out of memory: {error}"
    if type(error).__name__ == "ValidationError":
        return "contract_violation", " ".join(str(error).split())
    return "internal", f"{type(error).__name__}: {error}"


def _violation(message: str) -> Exception:
    return importlib.import_module("cliprpn.errors").CliprpnError("contract_violation", message)


def _find_infinite(value: Any, path: str) -> str:
    if isinstance(value, dict):
        items = [(f"{path}.{key}", item) for key, item in value.items()]
    elif isinstance(value, list):
        items = [(f"{path}[{index}]", item) for index, item in enumerate(value)]
    else:
        finite = not isinstance(value, float) or value - value == 0
        return "" if finite else path
    return next((found for name, item in items if (found := _find_infinite(item, name))), "")
