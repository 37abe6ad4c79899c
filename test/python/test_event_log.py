"""Events of a trial as lines of its log."""

from __future__ import annotations

import re

import pytest

from cliprpn.contract.generated import Epoch, EpochEvent, ProgressEvent, WarningEvent
from cliprpn.trials.event_log import logged


def test_the_log_has_phases_epochs_and_warnings_and_all_events_are_sent(
    capsys: pytest.CaptureFixture[str],
) -> None:
    epoch = Epoch(
        epoch=1,
        num_epochs=3,
        loss=0.51234,
        loss_objectness=0.4,
        loss_box=0.1,
        learning_rate=1e-3,
        val_acc_at_50=0.531,
        val_miou=0.5,
        duration_ms=2400,
    )
    events = [
        ProgressEvent(type="progress", phase="image_features", done=1, total=2),
        ProgressEvent(type="progress", phase="training", done=0, total=9),
        ProgressEvent(type="progress", phase="training", done=4, total=9),
        EpochEvent(type="epoch", epoch=epoch),
        WarningEvent(type="warning", message="few expressions"),
    ]
    sent: list[object] = []
    emit = logged(sent.append)
    for event in events:
        emit(event)
    assert sent == events
    lines = capsys.readouterr().err.splitlines()
    assert all(re.match(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC ", line) for line in lines)
    assert [line.split(" UTC ")[1] for line in lines] == [
        "image features",
        "training",
        "epoch 1/3: loss 0.5123, val Acc@0.5 53.1 %, 2.4 s",
        "warning: few expressions",
    ]
