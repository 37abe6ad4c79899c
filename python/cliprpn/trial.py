"""The story of one trial: seed, features, model, training, evaluation.

`python -m cliprpn.trial SPEC.json OUT` runs one with nothing else of the project.
"""

from __future__ import annotations

import shutil
import sys
import time
import traceback
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path

import torch
from pydantic import BaseModel
from torch.utils.tensorboard import SummaryWriter

from cliprpn.build import build_model
from cliprpn.checkpoint import count_trainable, save_model
from cliprpn.contract.generated import (
    CompletedOutcome,
    Durations,
    Epoch,
    EpochEvent,
    ErrorInfo,
    FailedOutcome,
    PeakMemory,
    TrialSpec,
)
from cliprpn.devices import describe_environment, peak_process_bytes, resolve_device
from cliprpn.errors import CliprpnError, disk_is_full
from cliprpn.memory import keep_freed_memory
from cliprpn.models import ClipRPN
from cliprpn.seeding import seed_everything
from cliprpn.steps import Emit, evaluate_model, open_data, paced, write_json
from cliprpn.training import TrainingData, train_model

Outcome = CompletedOutcome | FailedOutcome


def run_trial(spec: TrialSpec, folder: Path, emit: Emit, should_stop: Callable[[], bool]) -> Outcome:
    """Runs the trial in its folder and writes `outcome.json` there, last and in one step.

    A failure is an outcome too. Only what says nothing about the trial is raised, and leaves none, so
    that the trial starts again from its beginning.

    Raises:
        CliprpnError: interrupted, no_space.
    """
    folder.mkdir(parents=True, exist_ok=True)
    _clear(folder)
    try:
        outcome: Outcome = _complete(spec, folder, emit, should_stop)
    except CliprpnError as error:
        if error.code in ("interrupted", "no_space"):
            raise
        outcome = _failed(spec, folder, error.code, error.message)
    except torch.OutOfMemoryError:
        message = f"the device's memory is full; lower training.batch_size (now {spec.settings.training.batch_size})"
        outcome = _failed(spec, folder, "out_of_memory", message)
    except MemoryError:
        outcome = _failed(spec, folder, "out_of_memory", "the machine's memory is full")
    except Exception as error:  # A trial's failure is a value.
        if disk_is_full(error):
            raise CliprpnError(
                "no_space", f"{folder}: no space is left there; make room and go on"
            ) from error
        outcome = _failed(spec, folder, "internal", f"{type(error).__name__}: {error}")
    write_json(folder / "outcome.json", outcome)
    return outcome


def _clear(folder: Path) -> None:
    """Removes what an earlier run of the trial left: its curves and answers are not this one's."""
    for pattern in ("outcome.json", "best.*", "last.*", "predictions-*", "metrics-*", "traceback.txt"):
        for path in folder.glob(pattern):
            path.unlink()
    for pattern in ("events", "evaluated-*"):
        for path in folder.glob(pattern):
            shutil.rmtree(path)


def _complete(spec: TrialSpec, folder: Path, emit: Emit, should_stop: Callable[[], bool]) -> CompletedOutcome:
    started = time.monotonic()
    device = resolve_device(spec.device)
    seed_everything(spec.seed, spec.num_threads)
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)

    index, features = open_data(
        spec.dataset,
        spec.backbone,
        spec.settings.image_size_px,
        spec.settings.resize,
        Path(spec.cache_dir),
        device,
        emit,
        should_stop,
        spec.settings.training.views,
    )
    limits = spec.settings.limits
    data = TrainingData(index, features, index.split("train", limits.train), index.split("val", limits.val))
    for name, rows in (("train", data.train_rows), ("val", data.val_rows)):
        if len(rows) == 0:
            raise CliprpnError("data_invalid", f"{spec.dataset.root}: the split {name} has no sentence")
    features_done = time.monotonic()

    seed_everything(spec.seed, spec.num_threads)  # Again: extraction may have drawn numbers.
    sizes = (features.map_channels, features.pooled_dim, features.word_dim)
    model = build_model(spec.settings, *sizes).to(device)
    epochs, best = _train(model, spec, data, sizes, folder, device, emit, should_stop)
    training_done = time.monotonic()

    metrics = evaluate_model(folder, folder, index, features, "val", limits.val, device, emit, should_stop)
    done = time.monotonic()
    peak = torch.cuda.max_memory_allocated(device) if device.type == "cuda" else None
    return CompletedOutcome(
        state="completed",
        trial_id=spec.trial_id,
        sources_sha256=spec.sources_sha256,
        finished_at=_now(),
        best_epoch=best,
        epochs=epochs,
        metrics=metrics,
        num_trainable_parameters=count_trainable(model),
        durations_ms=Durations(
            features=(features_done - started) * 1000,
            training=(training_done - features_done) * 1000,
            evaluation=(done - training_done) * 1000,
            total=(done - started) * 1000,
        ),
        peak_memory_bytes=PeakMemory(process=peak_process_bytes(), device=peak),
        environment=describe_environment(device),
    )


def _train(
    model: ClipRPN,
    spec: TrialSpec,
    data: TrainingData,
    sizes: tuple[int, int, int],
    folder: Path,
    device: torch.device,
    emit: Emit,
    should_stop: Callable[[], bool],
) -> tuple[list[Epoch], int]:
    """Trains, saving the best epoch (by val) and the last. Returns all epochs and the best one's number."""
    choose = f"val_{spec.settings.training.select_by}"
    epochs: list[Epoch] = []
    best = 0
    show = paced(emit)
    steps = train_model(
        model,
        data,
        spec.settings.training,
        spec.seed,
        device,
        lambda done, total: show("training", done, total),
        should_stop,
    )
    with SummaryWriter(str(folder / "events")) as writer:
        for epoch in steps:
            epochs.append(epoch)
            if best == 0 or getattr(epoch, choose) > getattr(epochs[best - 1], choose):
                best = epoch.epoch
                save_model(model, spec, sizes, epoch.epoch, folder / "best.safetensors")
            for name in (
                "loss",
                "loss_objectness",
                "loss_box",
                "learning_rate",
                "val_acc_at_50",
                "val_miou",
            ):
                writer.add_scalar(name, getattr(epoch, name), epoch.epoch)
            emit(EpochEvent(type="epoch", epoch=epoch))
    save_model(model, spec, sizes, len(epochs), folder / "last.safetensors")
    return epochs, best


def _failed(spec: TrialSpec, folder: Path, code: str, message: str) -> FailedOutcome:
    (folder / "traceback.txt").write_text(traceback.format_exc())
    return FailedOutcome(
        state="failed",
        trial_id=spec.trial_id,
        sources_sha256=spec.sources_sha256,
        finished_at=_now(),
        error=ErrorInfo.model_validate({"code": code, "message": message}),
        traceback_file="traceback.txt",
    )


def _now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="seconds")


def main(argv: list[str]) -> int:
    """Runs SPEC.json into OUT. Returns 0, 2 for a bad spec, 3 when the trial failed."""
    if len(argv) != 2:
        print("usage: python -m cliprpn.trial SPEC.json OUT", file=sys.stderr)
        return 2
    spec_file, out = Path(argv[0]), Path(argv[1])
    if out.exists() and any(out.iterdir()) and not (out / "outcome.json").is_file():
        # A trial's folder is emptied first; this one may be anybody's.
        print(f"{out}: expected a new or empty folder, or a trial's; give another", file=sys.stderr)
        return 2
    try:
        spec = TrialSpec.model_validate_json(spec_file.read_text(), strict=True)
    except (OSError, ValueError) as error:  # A ValidationError is a ValueError.
        print(f"{spec_file}: {error}", file=sys.stderr)
        return 2
    keep_freed_memory()
    try:
        outcome = run_trial(spec, out, _print_epoch, lambda: False)
    except CliprpnError as error:
        print(f"{error.code}: {error.message}", file=sys.stderr)
        return 3
    if isinstance(outcome, FailedOutcome):
        print(f"{outcome.error.code}: {outcome.error.message}", file=sys.stderr)
        return 3
    print(outcome.metrics.model_dump_json(indent=2))
    return 0


def _print_epoch(event: BaseModel) -> None:
    if isinstance(event, EpochEvent):
        epoch = event.epoch
        print(
            f"epoch {epoch.epoch}/{epoch.num_epochs}  loss {epoch.loss:.4f}  val Acc@0.5 {epoch.val_acc_at_50:.4f}",
            file=sys.stderr,
        )


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
