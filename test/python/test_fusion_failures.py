"""A custom fusion that fails while it trains: the message names the line of the person's file, and the traceback."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from helpers import file_fusion, make_spec

from cliprpn.contract.generated import FailedOutcome
from cliprpn.inference.fusion_errors import non_finite_line
from cliprpn.trials.trial import run_trial

pytestmark = pytest.mark.usefixtures("no_traces")

# Line 12 fails at the third call.
SOURCE = """import torch

class Stop(BaseException):
    pass

class Mine(torch.nn.Module):
    def __init__(self, map_channels, pooled_dim, word_dim):
        super().__init__()
        self.text = torch.nn.Linear(pooled_dim, map_channels)
        self.calls = 0
    def fail(self, map):
        {statement}
        return map
    def forward(self, map, words, mask, pooled):
        self.calls += 1
        if self.calls > 2:
            map = self.fail(map)
        return map * self.text(pooled)[:, :, None, None]
"""


@pytest.fixture(autouse=True)
def ctrl_c_is_ignored() -> Iterator[None]:
    """As in a worker."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    yield
    signal.signal(signal.SIGINT, before)


def fail(root: Path, cache: Path, folder: Path, statement: str) -> FailedOutcome:
    folder.mkdir()
    fusion = file_fusion(folder / "copy.py", SOURCE.format(statement=statement), "Mine")
    spec = make_spec(root, cache, fusion=fusion)
    outcome = run_trial(
        spec, folder / "attempt", lambda event: None, lambda: False, fusion_file="/home/me/mine.py"
    )
    assert isinstance(outcome, FailedOutcome)
    return outcome


@pytest.mark.parametrize(
    ("statement", "code", "expected"),
    [
        (
            "raise ValueError('shape trouble\\nsecond line')",
            "fusion_invalid",
            "ValueError: shape trouble second line",
        ),
        ("raise SystemExit(7)", "fusion_invalid", "sys.exit(7)"),
        ("raise KeyboardInterrupt", "fusion_invalid", "KeyboardInterrupt"),
        ("raise Stop", "fusion_invalid", "Stop"),
        ("import no_such_package", "fusion_invalid", "no_such_package"),
        ("raise torch.OutOfMemoryError('20 GiB')", "out_of_memory", "training.batch_size"),
        ("raise MemoryError", "out_of_memory", "the machine ran out of memory"),
        ("torch.empty(1 << 60)", "out_of_memory", "the machine ran out of memory"),
    ],
)
def test_a_failure_names_the_line_and_the_traceback(
    root: Path, cache: Path, tmp_path: Path, statement: str, code: str, expected: str
) -> None:
    outcome = fail(root, cache, tmp_path / "trial", statement)
    message = outcome.error.message
    assert outcome.error.code == code
    assert message.startswith("/home/me/mine.py:12, in fail: "), message
    assert expected in message
    traceback_file = tmp_path / "trial" / "attempt" / "traceback.txt"
    assert message.endswith(f"the traceback is in {traceback_file}")
    assert 'copy.py", line 12, in fail' in traceback_file.read_text()


def test_a_map_of_another_shape_is_found_with_any_batch(root: Path, cache: Path, tmp_path: Path) -> None:
    outcome = fail(root, cache, tmp_path / "trial", "return map[:, :, :1, :1].repeat(1, 1, 3, 3)")
    assert outcome.error.code == "fusion_invalid"
    assert outcome.error.message.startswith("/home/me/mine.py:14, in Mine.forward: expected a map [")


@pytest.mark.parametrize("statement", ["map = map * float('nan')", "map = (map * 0).log() * 0"])
def test_a_loss_that_is_not_finite_names_the_line_that_made_the_first_nan(
    root: Path, cache: Path, tmp_path: Path, statement: str
) -> None:
    outcome = fail(root, cache, tmp_path / "trial", statement)
    assert outcome.error.code == "loss_not_finite"
    assert outcome.error.message.startswith("/home/me/mine.py:12, in fail: ")
    assert "epoch 1, step 3" in outcome.error.message


def test_an_infinity_that_is_meant_makes_no_nan(tmp_path: Path) -> None:
    class Masked(torch.nn.Module):
        def forward(self, scores: torch.Tensor) -> torch.Tensor:
            hidden = scores.masked_fill(scores < 0, -float("inf"))
            return (hidden.softmax(-1) - 1).sqrt()

    line = Masked.forward.__code__.co_firstlineno + 2
    found = non_finite_line(Masked(), Path(__file__), (torch.tensor([[1.0, -1.0]]),))
    assert found == f"{Path(__file__)}:{line}, in forward"
    assert non_finite_line(torch.nn.Identity(), Path(__file__), (torch.zeros(1),)) is None
