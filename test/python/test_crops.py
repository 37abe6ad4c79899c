"""The metrics of ClipRPN (Trento) on the predicted crop."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers import make_spec, run_context, shipped_weights_id, small_dataset
from PIL import Image
from torchvision.transforms import CenterCrop, Compose, InterpolationMode, Resize

from cliprpn.contract.generated import TrialBackbone
from cliprpn.data.images import MAX_PIXELS, ImageFile, load_image
from cliprpn.data.read_predictions import read_predictions
from cliprpn.figures.crops import encode_crops, main
from cliprpn.models.backbone import ClipBackbone
from cliprpn.ranking import clip_embeddings
from cliprpn.ranking.clip_embeddings import ClipEmbeddings
from cliprpn.ranking.views import render_views
from cliprpn.storage.state_files import read_state
from cliprpn.storage.weights_files import SHIPPED, load_backbone
from cliprpn.trials.trial import run_trial

OPENAI = Compose([Resize(224, InterpolationMode.BICUBIC), CenterCrop(224)])


@pytest.fixture(scope="module")
def backbone() -> ClipBackbone:
    return load_backbone("cliprpn-tiny", "shipped")


@pytest.fixture
def image_file(tmp_path: Path) -> Path:
    """Black, with a red box 30..50 x 5..15 in it."""
    image = Image.new("RGB", (80, 40))
    image.paste((255, 0, 0), (30, 5, 50, 15))
    image.save(tmp_path / "a.png")
    return tmp_path / "a.png"


@pytest.mark.parametrize(
    ("box", "red"),
    [
        ([30, 5, 50, 15], 1.0),
        ([30.4, 5.2, 49.1, 14.5], 1.0),  # every pixel that the box touches
        ([20, 5, 40, 15], 0.5),
        ([30, 5, 50, 25], 0.5),
        ([5, 30, 15, 50], 0.0),  # x and y swapped
        ([30, 5, 30, 5], 1.0),  # a point is a pixel
        ([80, 40, 80, 40], 0.0),  # at the corner of the image
    ],
)
def test_a_crop_is_the_box(image_file: Path, box: list[float], red: float) -> None:
    image = load_image(ImageFile(image_file, False, MAX_PIXELS))
    (crop,) = render_views(image, torch.tensor([box]), "crop", 64)
    assert crop.shape == (3, 64, 64)
    assert crop[0].mean().item() == pytest.approx(red, abs=0.03) and crop[1:].max() < 0.05


def test_a_crop_is_encoded_like_an_image_of_its_content(
    image_file: Path, backbone: ClipBackbone, tmp_path: Path
) -> None:
    boxes = np.array([[30.0, 5, 50, 15], [0, 20, 80, 40]])
    red = torch.tensor([1.0, 0, 0]).view(1, 3, 1, 1).expand(1, 3, 224, 224)
    spec = TrialBackbone(name="cliprpn-tiny", weights="shipped", weights_id=shipped_weights_id())
    clip = ClipEmbeddings(spec, run_context(tmp_path))
    embeddings = encode_crops(clip, [ImageFile(image_file, False, MAX_PIXELS)] * 2, boxes)
    # Stored in half precision: 11 bits.
    torch.testing.assert_close(embeddings[:1], backbone.encode_image(red), rtol=1e-3, atol=1e-4)
    torch.testing.assert_close(embeddings.norm(dim=1), torch.ones(2), rtol=1e-3, atol=0)
    assert (embeddings[0] - embeddings[1]).abs().max() > 0.01


def test_image_embeddings_equal_open_clips(backbone: ClipBackbone) -> None:
    pixels = torch.rand(2, 3, 224, 224)
    expected = backbone.clip.encode_image((pixels - backbone.mean) / backbone.std, normalize=True)
    torch.testing.assert_close(backbone.encode_image(pixels), expected, rtol=1e-4, atol=1e-6)


def test_weights_without_an_attention_pool_encode_no_image(tmp_path: Path) -> None:
    state = read_state(SHIPPED / "cliprpn-tiny.safetensors")
    torch.save({key: value for key, value in state.items() if "attnpool" not in key}, tmp_path / "cut.pt")
    with pytest.raises(ValueError, match="attention pool"):
        load_backbone("cliprpn-tiny", str(tmp_path / "cut.pt")).encode_image(torch.rand(1, 3, 224, 224))


def test_the_metrics_of_a_trial(
    tmp_path: Path,
    backbone: ClipBackbone,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    root = small_dataset(tmp_path / "data")
    spec, folder = make_spec(root, tmp_path), tmp_path / "trial"
    run_trial(spec, folder, lambda event: None, lambda: False)
    torch.use_deterministic_algorithms(False)
    capsys.readouterr()

    def crops(split: str, *options: str) -> int:
        predictions = folder / f"predictions-{split}.parquet"
        return main([str(folder / "best.safetensors"), str(predictions), spec.dataset.root, *options])

    assert crops("val", "--device", "cpu") == 0
    figures = json.loads(capsys.readouterr().out)
    predictions = read_predictions(folder / "predictions-val.parquet")
    cosines = []
    for file, box, sentence in zip(
        predictions["image_file"], predictions["pred_box_xyxy"], predictions["sentence"], strict=True
    ):
        image = Image.open(root / "images" / file).crop(
            (*np.floor(box[:2]).astype(int), *np.ceil(box[2:]).astype(int))
        )
        crop = torch.from_numpy(np.array(OPENAI(image))).permute(2, 0, 1)[None].float() / 255
        text, _, _ = backbone.encode_text(backbone.tokenize([sentence]))
        cosines.append((backbone.encode_image(crop) @ text.T).item())
    assert figures["cosine_crop_sentence"] == pytest.approx(np.mean(cosines), abs=1e-3)
    assert -1 < figures["cosine_gt_crop_sentence"] < 1
    assert figures["crop_class_accuracy"] == 1  # the only category
    assert crops("test") == 2
    assert "evaluate that split first" in capsys.readouterr().err
    assert main([]) == 2
    assert crops("val", "--device", "cuda:7") == 2
    assert "--device cuda:7" in capsys.readouterr().err

    cache = tmp_path / "kept"
    assert crops("val", "--device", "cpu", "--cache", str(cache)) == 0
    assert json.loads(capsys.readouterr().out) == figures
    monkeypatch.setattr(clip_embeddings, "render_views", None)  # Nothing is rendered again.
    assert crops("val", "--device", "cpu", "--cache", str(cache)) == 0
    assert json.loads(capsys.readouterr().out) == figures
