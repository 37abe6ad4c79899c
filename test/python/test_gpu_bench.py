"""The parts of `python -m bench.gpu` that need no device: processes that fail, sizes, and derived figures."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
import torch
from helpers import REPO

sys.path.append(str(Path(__file__).parents[1]))

from bench.gpu.__main__ import main
from bench.gpu.cases import Case, settings_of
from bench.gpu.features import FULL, SMALL, feature_bytes, make_index, scratch_parent, sentence_lengths
from bench.gpu.machine import describe_machine
from bench.gpu.page import derive, line, page
from bench.gpu.process import run_part
from bench.gpu.roofline import Traffic
from bench.gpu.row import NotMeasuredError, Row
from bench.gpu.training import WARM_UP_STEPS, affordable_steps
from torch.utils.flop_counter import FlopCounterMode

from cliprpn.errors import CliprpnError

GOOD = Row("part", "good", {"epoch_s": 1.0})


def out_of_memory() -> None:
    raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 3.00 GiB.\nmore")


def no_device() -> None:
    raise CliprpnError("device_unavailable", "--device cuda: expected an available device")


def no_time() -> None:
    raise NotMeasuredError("a step takes 3 s")


def bug() -> None:
    raise KeyError("a bug")


FAILURES: dict[str, tuple[Callable[[], object], str]] = {
    "memory": (out_of_memory, "out of memory: CUDA out of memory. Tried to allocate 3.00 GiB."),
    "an error of cliprpn": (no_device, "device_unavailable: --device cuda: expected an available device"),
    "no time": (no_time, "not measured: a step takes 3 s"),
    "a bug": (bug, "KeyError: 'a bug'; see "),
    "a crash": (lambda: os._exit(3), "its process ended with exit code 3"),
    "a signal": (lambda: os.kill(os.getpid(), signal.SIGKILL), "its process ended with exit code -9"),
    "a hang": (lambda: time.sleep(600), "ended after 1 s: it took longer than its time"),
}


@pytest.mark.parametrize("case", FAILURES)
def test_a_part_that_fails_keeps_its_rows_and_says_why(case: str, tmp_path: Path) -> None:
    fail, problem = FAILURES[case]

    def measure(limit_s: float) -> Iterator[Row]:
        yield GOOD
        fail()

    trace = tmp_path / "traceback.txt"
    limit_s = 0.5 if case == "a hang" else 600.0
    good, failed = run_part("part", measure, limit_s, trace, grace_s=0.5 if case == "a hang" else 30)
    assert good == GOOD
    assert failed.problem is not None and failed.problem.startswith(problem) and failed.figures == {}
    assert trace.exists() == (case == "a bug")


def test_a_part_that_succeeds_has_its_rows_only(tmp_path: Path) -> None:
    rows = list(run_part("part", lambda limit_s: [GOOD, GOOD], 60, tmp_path / "traceback.txt"))
    assert rows == [GOOD, GOOD] and not any(tmp_path.iterdir())


@pytest.mark.slow
def test_a_part_can_run_where_a_fork_cannot(tmp_path: Path) -> None:
    machine = partial(describe_machine, "cpu", tmp_path)
    (row,) = run_part("machine", machine, 600, tmp_path / "traceback.txt", "spawn")
    assert row.problem is None and any(note.startswith("torch: ") for note in row.notes)


def test_an_unknown_part_is_named(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--only", "trainig", "--out", str(tmp_path)])
    assert "found trainig" in capfd.readouterr().err


@pytest.mark.slow
def test_a_missing_device_is_named(tmp_path: Path) -> None:
    process = start_bench("--device", "cuda:77", "--out", str(tmp_path))
    found, _ = process.communicate(timeout=600)
    assert process.returncode == 2
    assert b"machine: device_unavailable: --device cuda:77" in found


@pytest.mark.slow
def test_an_interrupted_run_removes_its_features_and_keeps_its_results(tmp_path: Path) -> None:
    out, scratch = tmp_path / "out", tmp_path / "scratch"
    scratch.mkdir()
    process = start_bench("--device", "cpu", "--out", str(out), "--scratch", str(scratch))
    assert process.stdout is not None
    assert process.stdout.readline().startswith(b"machine")
    process.terminate()
    rest, _ = process.communicate(timeout=600)
    assert process.returncode == 130 and b"interrupted" in rest
    assert (out / "RESULTS.md").is_file() and not any(scratch.iterdir())


def start_bench(*args: str) -> subprocess.Popen[bytes]:
    """In a process of its own: torch may hang in a fork of one that has used its threads, as this one."""
    path = os.pathsep.join(str(REPO / folder) for folder in ("python", "test", "test/python"))
    return subprocess.Popen(
        [sys.executable, "-m", "bench.gpu", "--small", *args],
        env={**os.environ, "PYTHONPATH": path},
        stdout=subprocess.PIPE,
    )


def test_features_have_the_size_of_refcocog() -> None:
    lengths = sentence_lengths(95_010)
    assert len(lengths) == 95_011 and abs(lengths.mean() - 10.5) < 0.1 and 3 < lengths.std() < 4.5
    assert 6.2e9 < feature_bytes(FULL) < 6.6e9
    index = make_index(SMALL)
    for split, num_images, num_sentences in zip(
        ("train", "val", "test"), SMALL.num_images, SMALL.num_sentences, strict=True
    ):
        rows = index.split(split)
        assert len(rows) == num_sentences and len(set(index.image_rows[rows].tolist())) == num_images


def test_features_are_put_where_there_is_space(tmp_path: Path) -> None:
    assert scratch_parent(SMALL, Path("/none"), memory=tmp_path) == tmp_path
    assert scratch_parent(SMALL, tmp_path, memory=tmp_path / "none") == tmp_path


def test_presets_are_those_of_the_command_line() -> None:
    default, reference = (settings_of(Case(preset, "bf16"), FULL) for preset in ("default", "reference"))
    assert default.fusion.kind == "switched" and default.neck_channels == 256
    assert reference.fusion.kind == "cross_attention" and reference.neck_channels is None
    assert settings_of(Case("reference", "fp32"), SMALL).training.batch_size == SMALL.batch_size


def test_an_epoch_is_extrapolated_from_the_steps_that_there_is_time_for() -> None:
    assert affordable_steps(1611, 0.001, 60) == 1611
    assert WARM_UP_STEPS < affordable_steps(1611, 0.1, 60) < 1611
    with pytest.raises(NotMeasuredError, match="a step takes 10 s"):
        affordable_steps(1611, 10, 60)


def test_flops_and_traffic_of_a_product_are_counted() -> None:
    a, b = torch.ones(4, 8), torch.ones(8, 2)
    with FlopCounterMode(display=False) as flops, Traffic() as traffic:
        product = torch.mm(a, b)
        product.t()
    assert flops.get_total_flops() == 2 * 4 * 8 * 2
    assert traffic.num_bytes == 4 * (4 * 8 + 8 * 2 + 4 * 2)
    table, rows = torch.ones(1000, 4), torch.tensor([1, 2])
    with Traffic() as traffic:
        table[rows]
    assert traffic.num_bytes == 8 * 2 + 2 * 4 * (2 * 4)
    with Traffic() as traffic:
        table.mul_(2)
    assert traffic.num_bytes >= 2 * table.nbytes


def test_shares_and_ratios_are_derived_and_shown() -> None:
    peaks = Row("peaks", "peaks", {"bf16_flops_per_s": 1e12, "fp32_flops_per_s": 1e11, "bytes_per_s": 1e9})
    step = {"flops": 1e9, "least_bytes": 2e6, "operator_bytes": 4e6, "step_ms": 10.0, "num_steps": 1611}
    rows = derive(
        [
            peaks,
            Row("default-bf16", "ours", {"epoch_s": 1.5, **step}),
            Row("default-bf16-plain", "plain", {"epoch_s": 6.0, "step_ms": 40.0}),
            Row("reference-fp32", "ours", {"epoch_s": 20.0, **step}),
            Row("ground", "ground", problem="out of memory: no"),
        ]
    )
    _, default, plain, reference, _ = rows
    assert default.figures["roofline_share"] == pytest.approx(0.2)  # 2 ms of traffic in 10 ms.
    assert default.figures["operator_share"] == pytest.approx(0.4)
    assert reference.figures["roofline_share"] == pytest.approx(1.0)  # 10 ms of arithmetic.
    assert plain.figures["roofline_share"] == pytest.approx(0.05)
    assert default.figures["times_faster"] == 4 and "times_faster" not in plain.figures
    assert "met" in line(default) and "missed" in line(reference)
    text = page(rows, FULL, "python -m bench.gpu", 60)
    assert "| ours | 1.50 | 10.00 |" in text and "- ground: out of memory: no" in text
