"""The code and the message of a failed trial: what happened, the line of the person's file, and the traceback."""

from __future__ import annotations

from pathlib import Path

from cliprpn.arithmetic import describe_nondeterminism
from cliprpn.contract.generated import BaselineSpec, FileFusion
from cliprpn.errors import CliprpnError
from cliprpn.inference.build import fusion_path
from cliprpn.inference.fusion_errors import describe_error, fusion_line, is_ctrl_c
from cliprpn.out_of_memory import StepOutOfMemory, is_out_of_machine_memory, is_out_of_memory
from cliprpn.storage.specs import Spec


def describe_failure(
    error: BaseException, spec: Spec, traceback_file: Path, fusion_file: str | None
) -> tuple[str, str]:
    """Code and message of what ended a trial.

    Args:
        traceback_file: named in the message, unless the message says all.
        fusion_file: the person's file of a custom fusion, of which the trial runs a copy.

    Raises:
        BaseException: the error itself, if it does not come from the trial: a Ctrl-C.
    """
    copy = _copied_fusion(spec)
    place = None if copy is None else fusion_line(error, copy)
    if not isinstance(error, Exception) and (place is None or is_ctrl_c(error)):
        raise error
    code, message = _describe(error, spec, place)
    if not isinstance(error, CliprpnError):
        if code == "internal" and copy is not None:
            message = f"{message}; no line of the fusion {copy} is in the traceback"
        message = f"{message}; the traceback is in {traceback_file}"
    # The person edits this file, not the copy.
    return code, message if copy is None or fusion_file is None else message.replace(str(copy), fusion_file)


def _describe(error: BaseException, spec: Spec, place: str | None) -> tuple[str, str]:
    at = "" if place is None else f"{place}: "
    if isinstance(error, CliprpnError):
        return error.code, error.message
    refused = describe_nondeterminism(error)
    if refused is not None:
        return "not_deterministic", f"{at}{refused}"
    if is_out_of_memory(error):
        cause = error.__cause__ if isinstance(error, StepOutOfMemory) else error
        where = "machine" if cause is not None and is_out_of_machine_memory(cause) else "device"
        return "out_of_memory", f"{at}the {where} ran out of memory{_memory_hint(error, spec)}"
    return "internal" if place is None else "fusion_invalid", f"{at}{describe_error(error)}"


def _memory_hint(error: BaseException, spec: Spec) -> str:
    """Advice for a trial that ran out of memory; empty for a baseline."""
    if isinstance(spec, BaselineSpec):
        return ""
    if isinstance(error, StepOutOfMemory) and error.why_not_smaller is not None:
        return f" in epoch {error.epoch}: {error.why_not_smaller}"
    return (
        f"; it was not in a training step, so a lower training.batch_size (now {spec.settings.training.batch_size}) "
        "hardly helps: use a device with more memory, or fewer trials on it at the same time"
    )


def _copied_fusion(spec: Spec) -> Path | None:
    """The file that a custom fusion is loaded from; None for other trials."""
    if isinstance(spec, BaselineSpec) or not isinstance(spec.settings.fusion, FileFusion):
        return None
    return fusion_path(spec.settings.fusion)
