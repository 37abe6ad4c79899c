"""What a CUDA device computes is cached apart from the CPU's, and crops are encoded on it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from helpers import make_baseline, make_spec, run_context, shipped_weights_id, small_dataset
from torch import Tensor

from cliprpn.contract.generated import CompletedOutcome, TrialBackbone
from cliprpn.data.images import MAX_PIXELS, ImageFile
from cliprpn.features import frozen
from cliprpn.features.frozen import FrozenFeatures, open_data
from cliprpn.figures import crops
from cliprpn.ranking import clip_embeddings
from cliprpn.ranking.clip_embeddings import ClipEmbeddings
from cliprpn.trials.trial import run_trial

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_dataset(tmp_path_factory.mktemp("data"), 12)


def open_on(device: torch.device, root: Path, cache: Path) -> FrozenFeatures:
    frozen._opened.clear()
    spec = make_spec(root, cache)
    context = run_context(cache, device=device)
    return open_data(spec.dataset, spec.backbone, spec.settings.image_size_px, "squash", context, 1)[1]


def names_in(folder: Path) -> set[str]:
    return {path.name for path in folder.glob("*") if not path.name.endswith(("-wal", "-shm", ".lock"))}


def test_a_cpu_extracts_its_own_features_after_cuda_and_the_reverse(
    root: Path, tmp_path: Path, device: torch.device
) -> None:
    on_cuda = open_on(device, root, tmp_path)
    of_cuda = names_in(tmp_path / "features")
    open_on(CPU, root, tmp_path)
    of_both = names_in(tmp_path / "features")
    assert len(of_cuda) == 4 and len(of_both) == 8  # Maps, text, a view and its mirrored text.
    again = open_on(device, root, tmp_path)
    assert names_in(tmp_path / "features") == of_both
    assert isinstance(on_cuda.maps, Tensor) and isinstance(again.maps, Tensor)
    assert torch.equal(on_cuda.maps.cpu(), again.maps.cpu())


def test_text_is_on_the_device_while_maps_are_not(
    root: Path, tmp_path: Path, device: torch.device, monkeypatch: pytest.MonkeyPatch
) -> None:
    fits = open_on(device, root, tmp_path)
    text_bytes = max(fits.text.num_bytes, fits.views[0].mirrored.text.num_bytes)
    assert text_bytes < fits.views[0].maps.nbytes < fits.maps.nbytes
    total = torch.cuda.mem_get_info(device)[1]
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (2 * text_bytes + 1, total))
    features = open_on(device, root, tmp_path)
    for text in (features.text, features.views[0].mirrored.text):
        for part in (text.words, text.pooled):
            assert isinstance(part, Tensor) and part.device == device
    assert not isinstance(features.maps, Tensor) and not isinstance(features.views[0].maps, Tensor)


def test_a_cpu_encodes_its_own_boxes_and_texts_after_cuda(
    root: Path, tmp_path: Path, device: torch.device
) -> None:
    def run(name: str, place: torch.device) -> CompletedOutcome:
        spec = make_baseline(root, tmp_path, {"kind": "gt_boxes"}).model_copy(update={"device": str(place)})
        clip_embeddings._loaded.clear()
        outcome = run_trial(spec, tmp_path / name, lambda event: None, lambda: False)
        assert isinstance(outcome, CompletedOutcome), outcome
        return outcome

    on_cuda = run("cuda", device)
    of_cuda = names_in(tmp_path / "vectors")
    on_cpu = run("cpu", CPU)
    assert len(of_cuda) == 2 and len(names_in(tmp_path / "vectors")) == 4  # Crops and texts.
    assert on_cuda.metrics.num_sentences == on_cpu.metrics.num_sentences


def test_crops_are_rendered_and_encoded_on_the_device(
    root: Path, tmp_path: Path, device: torch.device, monkeypatch: pytest.MonkeyPatch
) -> None:
    places: list[tuple[torch.device, torch.device]] = []
    render = clip_embeddings.render_views

    def watch(image: Tensor, *args: Any) -> Tensor:
        views = render(image, *args)
        places.append((image.device, views.device))
        return views

    monkeypatch.setattr(clip_embeddings, "render_views", watch)
    spec = TrialBackbone(name="cliprpn-tiny", weights="shipped", weights_id=shipped_weights_id())
    files = [ImageFile(path, False, MAX_PIXELS) for path in sorted((root / "images").iterdir())[:3]]
    boxes = torch.tensor([[10.0, 8, 50, 38], [0, 0, 120, 90], [70, 50, 90, 70]]).double().numpy()
    encoded = {}
    for place in (device, CPU):
        clip_embeddings._loaded.clear()
        clip = ClipEmbeddings(spec, run_context(tmp_path, device=place))
        encoded[place] = crops.encode_crops(clip, files, boxes)
    assert places == [(device, device)] * 3 + [(CPU, CPU)] * 3
    # Kept in float16 (11 bits): two roundings apart if the order of sums differs.
    torch.testing.assert_close(encoded[device], encoded[CPU], rtol=4e-3, atol=4e-3)


def test_the_crop_figures_run_on_the_device(
    root: Path, tmp_path: Path, device: torch.device, capsys: pytest.CaptureFixture[str]
) -> None:
    spec = make_spec(root, tmp_path, training={"num_epochs": 1})
    outcome = run_trial(spec, tmp_path / "trial", lambda event: None, lambda: False)
    assert isinstance(outcome, CompletedOutcome), outcome
    files = [tmp_path / "trial" / name for name in ("best.safetensors", "predictions-val.parquet")]
    figures = []
    for place in (device, CPU):
        clip_embeddings._loaded.clear()
        capsys.readouterr()
        assert crops.main([*map(str, files), spec.dataset.root, "--device", str(place)]) == 0
        figures.append(json.loads(capsys.readouterr().out))
    assert figures[0] == pytest.approx(figures[1], abs=2e-3)
