"""The folder of an attempt at a trial: nothing in it is changed later, and its models need nothing outside of it."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import torch
from helpers import file_fusion, make_baseline, make_spec, run_context, run_python
from short_trials import Killed

from cliprpn.bridge.methods import METHODS, CallContext
from cliprpn.contract.generated import (
    CheckFusionParams,
    ClipRpnSpec,
    CompletedOutcome,
    EvaluateParams,
    RunTrialParams,
)
from cliprpn.errors import CliprpnError
from cliprpn.features import frozen
from cliprpn.inference import build
from cliprpn.inference.checkpoint import SCHEMA_VERSION, load_model
from cliprpn.storage.specs import Spec
from cliprpn.storage.weights_files import SHIPPED
from cliprpn.trials import train_in_memory
from cliprpn.trials.attempt import run_attempt
from cliprpn.trials.checkpoint import KeepModels
from cliprpn.trials.evaluate import evaluate
from cliprpn.trials.trial import run_trial

pytestmark = pytest.mark.usefixtures("no_traces")

FUSION = """from __future__ import annotations
import torch
from dataclasses import dataclass

@dataclass
class Scale:
    factor: float = 1.0

class Mine(torch.nn.Module):
    def __init__(self, map_channels, pooled_dim, word_dim):
        super().__init__()
        self.text = torch.nn.Linear(pooled_dim, map_channels)
        self.scale = Scale()

    def forward(self, map, words, mask, pooled):
        return map * self.text(pooled)[:, :, None, None] * self.scale.factor
"""
# Of the same size, so that neither size nor time of the file shows the edit.
EDITED = FUSION.replace("= 1.0", "= 9.0")
CONTEXT = CallContext(lambda event: None, lambda: False, torch.device("cpu"))
ALL_MODELS = {"best.safetensors", "best.json", "last.safetensors", "last.json"}


def run(spec: Spec, folder: Path, keep_models: KeepModels = "all") -> CompletedOutcome:
    outcome = run_trial(spec, folder, lambda event: None, lambda: False, keep_models)
    assert isinstance(outcome, CompletedOutcome), outcome
    return outcome


def content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def custom(root: Path, cache: Path, file: Path) -> ClipRpnSpec:
    return make_spec(root, cache, fusion=file_fusion(file, FUSION, "Mine"))


@pytest.mark.parametrize("kind", ["cliprpn", "baseline"])
def test_a_second_run_in_a_folder_is_refused_and_changes_nothing(
    root: Path, cache: Path, tmp_path: Path, kind: str
) -> None:
    spec = make_spec(root, cache) if kind == "cliprpn" else make_baseline(root, cache, {"kind": "gt_boxes"})
    run(spec, tmp_path / "1")
    before = content(tmp_path / "1")
    with pytest.raises(CliprpnError) as caught:
        run(spec, tmp_path / "1")
    assert caught.value.code == "bad_input" and str(tmp_path / "1") in caught.value.message
    assert content(tmp_path / "1") == before


def test_a_failed_or_killed_attempt_is_not_overwritten(root: Path, cache: Path, tmp_path: Path) -> None:
    failing = make_spec(root, cache).model_copy(update={"device": "cuda:99"})
    assert run_trial(failing, tmp_path / "failed", lambda event: None, lambda: False).state == "failed"
    (tmp_path / "killed" / "events").mkdir(parents=True)
    for name in ("failed", "killed"):
        before = content(tmp_path / name)
        with pytest.raises(CliprpnError) as caught:
            run(make_spec(root, cache), tmp_path / name)
        assert caught.value.code == "bad_input"
        assert content(tmp_path / name) == before


def test_the_log_of_the_process_may_be_in_the_folder_already(root: Path, cache: Path, tmp_path: Path) -> None:
    (tmp_path / "worker.log").write_text("started\n")
    run(make_spec(root, cache), tmp_path)
    assert (tmp_path / "worker.log").read_text() == "started\n"


def test_the_outcome_is_written_last(
    root: Path, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that ends before that leaves everything else."""

    def end(*args: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("cliprpn.trials.trial.write_json", end)
    with pytest.raises(KeyboardInterrupt):
        run(make_spec(root, cache), tmp_path)
    left = {path.name for path in tmp_path.iterdir()}
    assert left == ALL_MODELS | {"events", "predictions-val.parquet", "metrics-val.json", "resume.pt"}


@pytest.mark.parametrize("killed_at", ["write_json", "remove_checkpoint"])
def test_models_name_the_weights_as_the_machine_that_runs_the_sweep_does_whenever_they_are_read(
    root: Path, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, killed_at: str
) -> None:
    """Where folders have other names: also if the worker is killed right before its outcome, or right after it."""
    here = tmp_path / "w.safetensors"
    here.symlink_to(SHIPPED / "cliprpn-tiny.safetensors")
    spec = make_spec(root, cache)
    spec.backbone.weights = str(here)

    def kill(*args: Any) -> None:
        raise Killed

    monkeypatch.setattr(f"cliprpn.trials.trial.{killed_at}", kill)
    folder = tmp_path / "1"
    params = RunTrialParams(
        spec=spec, folder=str(folder), keep_models="all", recorded_weights="/models/w.safetensors"
    )
    with pytest.raises(Killed):
        run_attempt(params, torch.device("cpu"), lambda event: None, lambda: False)
    assert (folder / "outcome.json").exists() == (killed_at == "remove_checkpoint")
    for name in ("best.json", "last.json"):
        backbone = json.loads((folder / name).read_text())["backbone"]
        assert backbone == spec.backbone.model_dump() | {"weights": "/models/w.safetensors"}


@pytest.mark.parametrize(
    ("keep_models", "models"),
    [("all", ALL_MODELS), ("best", {"best.safetensors", "best.json"}), ("none", set())],
)
@pytest.mark.parametrize("fusion", ["switched", "file"])
def test_the_models_that_are_asked_for_stay(
    root: Path, cache: Path, tmp_path: Path, keep_models: KeepModels, models: set[str], fusion: str
) -> None:
    spec = make_spec(root, cache) if fusion == "switched" else custom(root, cache, tmp_path / "mine.py")
    params = RunTrialParams(spec=spec, folder=str(tmp_path / keep_models), keep_models=keep_models)
    METHODS["run_trial"].run(params, CONTEXT)
    kept = {path.name for path in (tmp_path / keep_models).iterdir()}
    source = {"fusion.py"} if fusion == "file" and models else set()
    results = {"events", "outcome.json", "predictions-val.parquet", "metrics-val.json"}
    assert kept == results | models | source


def test_what_is_kept_changes_no_figure_and_no_bit_of_a_model(
    root: Path, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The best of these epochs is not the last one."""
    training = {"num_epochs": 5, "learning_rate": 1e-2}
    spec = make_spec(root, cache, training=training)
    train = train_in_memory.train_model

    def worse_at_the_end(*args: Any) -> Any:
        for epoch in train(*args):
            yield epoch.model_copy(update={"val_acc_at_50": 1 / epoch.epoch})

    monkeypatch.setattr(train_in_memory, "train_model", worse_at_the_end)
    outcomes = [run(spec, tmp_path / keep_models, keep_models) for keep_models in ("all", "best", "none")]
    assert {outcome.best_epoch for outcome in outcomes} == {1}
    assert outcomes[0].metrics == outcomes[1].metrics == outcomes[2].metrics
    tables = [pq.read_table(tmp_path / name / "predictions-val.parquet") for name in ("all", "best", "none")]
    assert tables[0].equals(tables[1]) and tables[0].equals(tables[2])
    best, last = (tmp_path / "all" / f"{name}.safetensors" for name in ("best", "last"))
    assert best.read_bytes() == (tmp_path / "best" / "best.safetensors").read_bytes() != last.read_bytes()


def test_without_models_none_is_ever_written(
    root: Path, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*args: Any) -> None:
        raise AssertionError("a model was written")

    monkeypatch.setattr(train_in_memory, "save_model", never)
    run(make_spec(root, cache), tmp_path / "none", "none")
    failed = run_trial(make_spec(root, cache), tmp_path / "best", lambda event: None, lambda: False, "best")
    assert failed.state == "failed" and "a model was written" in failed.error.message


def test_the_size_of_a_model_is_known_before_it_is_trained(root: Path, cache: Path, tmp_path: Path) -> None:
    fusion = file_fusion(tmp_path / "mine.py", FUSION, "Mine")
    for name, spec in {
        "own": make_spec(root, cache),
        "custom": make_spec(root, cache, fusion=fusion),
    }.items():
        result: Any = METHODS["check_fusion"].run(CheckFusionParams(spec=spec), CONTEXT)
        run(spec, tmp_path / name, "best")
        model = (tmp_path / name / "best.safetensors").read_bytes()
        header = 8 + int.from_bytes(model[:8], "little")
        assert result.checkpoint_bytes == len(model) - header


def test_a_custom_fusion_stays_with_its_model(
    root: Path, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After an edit, without the original file, in another place, and in a new process."""
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    source = tmp_path / "user" / "mine.py"
    source.parent.mkdir()
    spec = custom(root, cache, source)
    outcome = run(spec, tmp_path / "old" / "1")

    def evaluate_again(folder: Path, name: str) -> None:
        params = EvaluateParams(
            spec=spec,
            model=str(folder / "best.safetensors"),
            split="val",
            dataset=None,
            out_dir=str(tmp_path / name),
            cache_dir=str(cache),
        )
        result: Any = METHODS["evaluate"].run(params, CONTEXT)
        assert result.metrics == outcome.metrics

    evaluate_again(tmp_path / "old" / "1", "unchanged")
    source.write_text(EDITED)
    evaluate_again(tmp_path / "old" / "1", "edited")
    shutil.rmtree(source.parent)
    evaluate_again(tmp_path / "old" / "1", "deleted")
    (tmp_path / "old").rename(tmp_path / "new")
    evaluate_again(tmp_path / "new" / "1", "moved")
    code = "import sys; from pathlib import Path; from cliprpn.inference.checkpoint import load_model; "
    code += "print(load_model(Path(sys.argv[1])).model.fusion_module.scale)"
    process = run_python("-c", code, str(tmp_path / "new" / "1" / "last.safetensors"))
    assert process.stdout == "Scale(factor=1.0)\n", process.stderr
    names = {path.name for path in (tmp_path / "new" / "1").iterdir()}
    assert "fusion.py" in names and "__pycache__" not in names


def test_a_fusion_that_was_imported_without_trust_is_not_run(root: Path, cache: Path, tmp_path: Path) -> None:
    source = tmp_path / "mine.py"
    spec = custom(root, cache, source)
    run(spec, tmp_path / "1")
    source.unlink()
    # As `cliprpn import` leaves it.
    untrusted = (tmp_path / "1" / "fusion.py").rename(tmp_path / "1" / "fusion.py.untrusted")
    untrusted.write_text(f"open({str(tmp_path / 'ran')!r}, 'w')")
    for name in ("best", "last"):
        with pytest.raises(CliprpnError, match="--trust") as caught:
            load_model(tmp_path / "1" / f"{name}.safetensors")
        assert caught.value.code == "weights_unsafe" and str(untrusted) in str(caught.value)
    with pytest.raises(CliprpnError, match="--trust"):
        METHODS["evaluate"].run(
            EvaluateParams(
                spec=spec,
                model=str(tmp_path / "1" / "best.safetensors"),
                split="val",
                dataset=None,
                out_dir=str(tmp_path / "out"),
                cache_dir=str(cache),
            ),
            CONTEXT,
        )
    assert not (tmp_path / "ran").exists() and not (tmp_path / "out").exists()


def test_a_changed_copy_of_a_fusion_is_not_run(root: Path, cache: Path, tmp_path: Path) -> None:
    run(custom(root, cache, tmp_path / "mine.py"), tmp_path / "1", "best")
    (tmp_path / "1" / "fusion.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')")
    with pytest.raises(CliprpnError, match=r"fusion\.py") as caught:
        load_model(tmp_path / "1" / "best.safetensors")
    assert caught.value.code == "fusion_invalid" and not (tmp_path / "ran").exists()
    (tmp_path / "1" / "fusion.py").unlink()
    with pytest.raises(CliprpnError, match=r"fusion\.py") as caught:
        load_model(tmp_path / "1" / "best.safetensors")
    assert caught.value.code == "not_found"


@pytest.mark.parametrize("edit", ["changed", "deleted"])
def test_a_fusion_that_is_edited_while_its_trial_starts_fails_the_trial(
    root: Path, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, edit: str
) -> None:
    """Else the copy next to the model would not be the source of the model."""
    source = tmp_path / "mine.py"
    spec = custom(root, cache, source)

    def build_and_edit(*args: Any) -> Any:
        model = build.build_model(*args)
        source.unlink()
        if edit == "changed":
            source.write_text(EDITED)
        return model

    monkeypatch.setattr(train_in_memory, "build_model", build_and_edit)
    outcome = run_trial(spec, tmp_path / "1", lambda event: None, lambda: False)
    assert outcome.state == "failed"
    assert outcome.error.code == "fusion_invalid" and str(source) in outcome.error.message
    assert not (tmp_path / "1" / "fusion.py").exists()


def test_fusions_of_two_attempts_do_not_mix(root: Path, cache: Path, tmp_path: Path) -> None:
    """Both copies are named fusion.py."""
    run(custom(root, cache, tmp_path / "a.py"), tmp_path / "a", "best")
    fusion = file_fusion(tmp_path / "b.py", EDITED, "Mine")
    run(make_spec(root, cache, fusion=fusion), tmp_path / "b", "best")
    first, second = (
        load_model(tmp_path / name / "best.safetensors").model.fusion_module for name in ("a", "b")
    )
    assert (first.scale.factor, second.scale.factor) == (1.0, 9.0)
    assert type(first).__module__ != type(second).__module__


def test_the_facts_of_a_model_name_no_dataset_label_device_or_cache(
    root: Path, cache: Path, tmp_path: Path
) -> None:
    spec = custom(root, cache, tmp_path / "mine.py").model_copy(update={"label": "a-label", "seed": 7})
    run(spec, tmp_path / "1")
    for name in ("best.json", "last.json"):
        text = (tmp_path / "1" / name).read_text()
        facts = json.loads(text)
        assert facts["schema_version"] == SCHEMA_VERSION == 1
        assert (facts["trial_id"], facts["seed"]) == (spec.trial_id, 7)
        assert facts["settings"]["fusion"]["file"] == "fusion.py:Mine"
        for absent in (str(tmp_path), str(root.parent), spec.dataset.id, "blocks", "a-label", "cpu"):
            assert absent not in text
        keys = set(facts) | set(facts["settings"])
        assert not keys & {"dataset", "label", "preset", "device", "cache_dir", "sources_sha256"}
    saved = load_model(tmp_path / "1" / "best.safetensors")
    assert (saved.seed, saved.num_threads, saved.backbone) == (7, 1, spec.backbone)


@pytest.mark.parametrize("keys", ["same", "new"])
def test_a_model_of_a_newer_version_is_refused_by_name(
    root: Path, cache: Path, tmp_path: Path, keys: str
) -> None:
    """Whatever else has changed in its format."""
    run(make_spec(root, cache), tmp_path, "best")
    file = tmp_path / "best.json"
    facts = json.loads(file.read_text()) if keys == "same" else {"kind": "cliprpn-model", "layers": []}
    file.write_text(json.dumps(facts | {"schema_version": SCHEMA_VERSION + 1}))
    with pytest.raises(CliprpnError) as caught:
        load_model(tmp_path / "best.safetensors")
    assert caught.value.code == "weights_mismatch"
    for part in (
        str(tmp_path / "best.safetensors"),
        f"version {SCHEMA_VERSION} ",
        f"found {SCHEMA_VERSION + 1};",
    ):
        assert part in caught.value.message


def test_a_model_is_evaluated_with_the_weights_it_was_trained_with(
    root: Path, cache: Path, tmp_path: Path
) -> None:
    """The spec says where they lie now; its other values are those of another backbone."""
    spec = make_spec(root, cache)
    outcome = run(spec, tmp_path / "1", "best")
    model, context = tmp_path / "1" / "best.safetensors", run_context(cache)
    facts_file = tmp_path / "1" / "best.json"
    facts = json.loads(facts_file.read_text())
    facts["backbone"]["weights"] = "/nowhere/weights.pt"
    facts_file.write_text(json.dumps(facts))
    assert evaluate(spec, model, None, "val", tmp_path / "again", context) == outcome.metrics
    facts["backbone"]["weights_id"] = "f" * 64
    facts_file.write_text(json.dumps(facts))
    frozen._opened.clear()
    with pytest.raises(CliprpnError) as caught:
        evaluate(spec, model, None, "val", tmp_path / "other", context)
    assert caught.value.code == "weights_mismatch"


def test_a_model_is_evaluated_without_its_trial_on_a_named_dataset(
    root: Path, cache: Path, tmp_path: Path
) -> None:
    spec = make_spec(root, cache, limits={"train": None, "val": 1, "test": None})
    assert run(spec, tmp_path / "1", "best").metrics.num_sentences == 1
    model, context = tmp_path / "1" / "best.safetensors", run_context(cache)
    metrics = evaluate(None, model, spec.dataset, "val", tmp_path / "answers", context)
    assert metrics.num_sentences == 4  # The trial's limits do not apply.
    for spec_or_none, model_or_none in ((None, model), (spec, None)):
        with pytest.raises(CliprpnError) as caught:
            evaluate(spec_or_none, model_or_none, None, "val", tmp_path / "refused", context)
        assert caught.value.code == "bad_input"
    assert not (tmp_path / "refused").exists()
