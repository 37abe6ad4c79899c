"""Events as lines of a trial's log, for `cliprpn logs`."""

from __future__ import annotations

import sys
import time

from pydantic import BaseModel

from cliprpn.contract.generated import EpochEvent, ProgressEvent, WarningEvent
from cliprpn.run_context import Emit


def logged(emit: Emit) -> Emit:
    """Like `emit`, and writes a line to stderr, which goes into the log, at each epoch, warning and new phase."""
    phase = ""

    def emit_and_log(event: BaseModel) -> None:
        nonlocal phase
        emit(event)
        if isinstance(event, ProgressEvent):
            if event.phase != phase:
                phase = event.phase
                _write(phase.replace("_", " "))
        elif isinstance(event, EpochEvent):
            epoch = event.epoch
            _write(
                f"epoch {epoch.epoch}/{epoch.num_epochs}: loss {epoch.loss:.4g}, "
                f"val Acc@0.5 {100 * epoch.val_acc_at_50:.1f} %, {epoch.duration_ms / 1000:.1f} s"
            )
        elif isinstance(event, WarningEvent):
            _write(f"warning: {event.message}")

    return emit_and_log


def _write(line: str) -> None:
    print(time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime()), line, file=sys.stderr, flush=True)
