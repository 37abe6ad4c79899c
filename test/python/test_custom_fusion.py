"""Custom fusions: loaded from a file, and rejected with what was expected."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from helpers import REPO, file_fusion, make_settings, make_spec, shipped_weights_id, small_dataset

from cliprpn.bridge.methods import METHODS, CallContext
from cliprpn.contract.generated import CheckFusionParams, Settings
from cliprpn.errors import CliprpnError
from cliprpn.inference.build import check_fusion

SIZES = (512, 192, 48)  # map_channels, pooled_dim, word_dim
CPU = torch.device("cpu")
EXAMPLE = REPO / "experiments" / "my-fusion" / "my_fusion.py"


@pytest.fixture(autouse=True)
def seeded() -> Any:
    threads = torch.get_num_threads()
    with torch.random.fork_rng():
        yield
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(False)


def settings_of(tmp_path: Path, source: str, name: str = "Mine", **params: Any) -> Settings:
    fusion = file_fusion(tmp_path / "mine.py", source, name, **params)
    return Settings.model_validate(make_settings(fusion=fusion))


def fusion_source(body: str, init: str = "", head: str = "import torch") -> str:
    return f"""{head}
class Mine(torch.nn.Module):
    def __init__(self, map_channels, pooled_dim, word_dim, sharpness=1.0):
        super().__init__()
        self.text = torch.nn.Linear(pooled_dim, map_channels)
        {init or "pass"}

    def forward(self, map, words, mask, pooled):
        {body}
"""


# Only the backward pass fails: `exp` needs the values that were overwritten.
IN_PLACE = "text = self.text(pooled).exp(); text.mul_(2); return map * text[:, :, None, None]"
GOOD = "return map * self.text(pooled)[:, :, None, None]"


def test_the_shipped_example_passes_the_check(tmp_path: Path) -> None:
    experiment = json.loads((EXAMPLE.parent / "my-fusion.json").read_text())
    params = experiment["vary"]["fusion"][1]["params"]
    fusion = file_fusion(tmp_path / "my_fusion.py", EXAMPLE.read_text(), "MyFusion", **params)
    spec = make_spec(small_dataset(tmp_path / "data", 1), tmp_path, fusion=fusion)
    assert spec.backbone.weights_id == shipped_weights_id()
    context = CallContext(lambda event: None, lambda: False, torch.device("cpu"))
    result: Any = METHODS["check_fusion"].run(CheckFusionParams(spec=spec), context)
    # A text projection and a 1x1 convolution on the 16 channels of the neck.
    assert result.num_parameters == (192 * 16 + 16) + (16 * 16 + 16)
    assert len(EXAMPLE.read_text().splitlines()) <= 25


def test_params_reach_the_class(tmp_path: Path) -> None:
    source = fusion_source(GOOD, init="assert sharpness == 4")
    check_fusion(settings_of(tmp_path, source, sharpness=4), SIZES, CPU)
    with pytest.raises(CliprpnError, match="AssertionError"):
        check_fusion(settings_of(tmp_path, source, sharpness=5), SIZES, CPU)


WITH_DATACLASS = """from __future__ import annotations
import torch
from dataclasses import dataclass

@dataclass
class Sizes:
    height: int
"""
WITHOUT_PARAMETERS = """import torch

class Mine(torch.nn.Module):
    def __init__(self, *sizes):
        super().__init__()

    def forward(self, map, words, mask, pooled):
        return map
"""
TAKES_NOTHING = """import torch

class Mine(torch.nn.Module):
    def __init__(self):
        pass
"""


def test_a_file_may_define_dataclasses(tmp_path: Path) -> None:
    check_fusion(settings_of(tmp_path, fusion_source(GOOD, head=WITH_DATACLASS)), SIZES, CPU)


def test_a_fusion_may_have_no_parameters(tmp_path: Path) -> None:
    assert check_fusion(settings_of(tmp_path, WITHOUT_PARAMETERS), SIZES, CPU) == 0


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (fusion_source("return map[:, :-1]"), ["expected a map [2, 16, 2, 2]", "found [2, 15, 2, 2]"]),
        (fusion_source("return pooled"), ["expected a map [2, 16, 2, 2]", "found [2, 192]"]),
        (fusion_source("return map, pooled"), ["expected a map [2, 16, 2, 2]", "found tuple"]),
        (fusion_source("pass"), ["expected a map", "found NoneType"]),
        (fusion_source("return self.text(pooled)[:, :, None, None] * map / 0"), ["NaN"]),
        (fusion_source("return (map * 0).log()"), ["NaN"]),
        (fusion_source("return map.matmul(words)"), ["RuntimeError", "expected __init__", "-> [B,C,h,w]"]),
        (fusion_source("raise KeyError('oh')"), ["KeyError", "expected __init__"]),
        (fusion_source("return map"), ["gradient"]),
        (fusion_source("return map * self.text(pooled).detach()[:, :, None, None]"), ["gradient"]),
        (fusion_source(IN_PLACE), ["gradient", "inplace"]),
        (fusion_source(GOOD, init="raise ValueError('too few')"), ["ValueError: too few", "expected __init__"]),
        ("class Mine:\n    pass", ["torch.nn.Module", "Mine", "class"]),
        ("def Mine(*sizes):\n    pass", ["torch.nn.Module", "Mine", "function"]),
        ("Other = 1", ["torch.nn.Module", "Mine", "None"]),
        (TAKES_NOTHING, ["TypeError", "expected __init__"]),
        ("this is no Python", ["SyntaxError"]),
        ("import not_installed_here", ["ModuleNotFoundError", "not_installed_here"]),
        ("import sys\nsys.exit(3)", ["mine.py:2, in <module>", "sys.exit(3)"]),
        ("1 / 0", ["ZeroDivisionError"]),
    ],
)  # fmt: skip
def test_an_invalid_fusion_is_rejected_with_what_was_expected(
    tmp_path: Path, source: str, expected: list[str]
) -> None:
    with pytest.raises(CliprpnError) as caught:
        check_fusion(settings_of(tmp_path, source), SIZES, CPU)
    assert caught.value.code == "fusion_invalid"
    message = caught.value.message
    assert [part for part in expected if part not in message] == [], message
    assert str(tmp_path / "mine.py") in message


def test_unknown_params_are_rejected(tmp_path: Path) -> None:
    with pytest.raises(CliprpnError, match="bluntness") as caught:
        check_fusion(settings_of(tmp_path, fusion_source(GOOD), bluntness=1), SIZES, CPU)
    assert caught.value.code == "fusion_invalid" and "**params" in caught.value.message


def test_a_file_changed_since_planning_is_rejected_and_not_run(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, fusion_source(GOOD))
    (tmp_path / "mine.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')")
    with pytest.raises(CliprpnError, match=r"mine\.py.*changed") as caught:
        check_fusion(settings, SIZES, CPU)
    assert caught.value.code == "fusion_invalid" and not (tmp_path / "ran").exists()
    (tmp_path / "mine.py").unlink()
    with pytest.raises(CliprpnError, match=r"mine\.py"):
        check_fusion(settings, SIZES, CPU)


ON_THE_CPU = "return map * self.text(pooled)[:, :, None, None] + torch.zeros(map.shape)"
RAISES_DEVICES = (
    "raise ValueError(f'{map.device} {words.device} {mask.device} {pooled.device} {self.text.weight.device}')"
)


@pytest.mark.parametrize("device", ["cpu", "meta"])
def test_the_check_runs_on_the_device_of_the_trials(tmp_path: Path, device: str) -> None:
    with pytest.raises(CliprpnError) as caught:
        check_fusion(settings_of(tmp_path, fusion_source(RAISES_DEVICES)), SIZES, torch.device(device))
    assert f"on {device}: ValueError: {' '.join([device] * 5)};" in caught.value.message


def test_a_fusion_that_makes_a_tensor_on_the_cpu_is_rejected_for_another_device(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, fusion_source(ON_THE_CPU))
    check_fusion(settings, SIZES, CPU)
    with pytest.raises(CliprpnError, match=r"on meta: .*device") as caught:
        check_fusion(settings, SIZES, torch.device("meta"))  # The only other device of every machine.
    assert caught.value.code == "fusion_invalid"


def test_a_full_device_is_not_the_fault_of_the_fusion(tmp_path: Path) -> None:
    with pytest.raises(torch.OutOfMemoryError):
        check_fusion(settings_of(tmp_path, fusion_source("raise torch.OutOfMemoryError('full')")), SIZES, CPU)


def test_the_bridge_checks_fusions_on_its_device(tmp_path: Path) -> None:
    fusion = file_fusion(tmp_path / "mine.py", fusion_source(RAISES_DEVICES), "Mine")
    spec = make_spec(small_dataset(tmp_path / "data", 1), tmp_path, fusion=fusion)
    context = CallContext(lambda event: None, lambda: False, torch.device("meta"))
    with pytest.raises(CliprpnError, match="ValueError: meta"):
        METHODS["check_fusion"].run(CheckFusionParams(spec=spec), context)


@pytest.mark.parametrize(
    ("trains_on", "is_refused"), [("cuda", False), ("cpu", False), (None, False), ("mps", True)]
)
def test_the_precision_is_checked_for_the_device_that_trains(
    trains_on: str | None, is_refused: bool, tmp_path: Path
) -> None:
    """Not for that of the bridge, which may run on a login node."""
    spec = make_spec(small_dataset(tmp_path / "data", 1), tmp_path)
    training = spec.settings.training.model_copy(update={"precision": "bf16"})
    settings = spec.settings.model_copy(update={"training": training})
    params = CheckFusionParams(spec=spec.model_copy(update={"settings": settings}), trains_on=trains_on)
    context = CallContext(lambda event: None, lambda: False, CPU)
    if is_refused:
        with pytest.raises(CliprpnError, match="expected fp32 or auto on mps, found bf16"):
            METHODS["check_fusion"].run(params, context)
    else:
        METHODS["check_fusion"].run(params, context)
