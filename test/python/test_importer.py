"""Imported checkpoints of ClipRPN (Trento) predict what its modules predict, and need no further conversion."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from helpers import make_spec, small_dataset
from PIL import Image
from prepared import write_pixels
from torch import Tensor, nn

from cliprpn.bridge.methods import METHODS, CallContext
from cliprpn.contract.generated import EvaluateParams, GroundParams, ImportCheckpointParams
from cliprpn.data.pixels import open_pixels
from cliprpn.errors import CliprpnError
from cliprpn.inference.checkpoint import load_model
from cliprpn.inference.importer import convert_checkpoint
from cliprpn.models.anchors import make_anchors
from cliprpn.models.rpn import top1_boxes
from cliprpn.storage.state_files import read_state
from cliprpn.storage.weights_files import SHIPPED, load_backbone

CHANNELS, POOLED = 512, 192  # of cliprpn-tiny, whose CLIP replaces the checkpoint's
CONTEXT = CallContext(lambda event: None, lambda: False, torch.device("cpu"))


class OriginalAttention(nn.Module):
    """Cross-attention of ClipRPN (Trento), written with torch's layers."""

    def __init__(self) -> None:
        super().__init__()
        self.attention = nn.MultiheadAttention(CHANNELS, 16, kdim=POOLED, vdim=POOLED, batch_first=True)
        self.norm1, self.norm2 = nn.LayerNorm(CHANNELS), nn.LayerNorm(CHANNELS)
        self.linear1, self.linear2 = nn.Linear(CHANNELS, 1024), nn.Linear(1024, CHANNELS)

    def forward(self, feature_map: Tensor, text: Tensor) -> Tensor:
        cells = (feature_map / feature_map.norm(dim=1, keepdim=True)).flatten(2).permute(0, 2, 1)
        key = text[:, None]
        cells = self.norm1(cells + self.attention(cells, key, key)[0])
        cells = self.norm2(cells + self.linear2(self.linear1(cells).relu()))
        return cells.permute(0, 2, 1).reshape(feature_map.shape)


class OriginalConcatenation(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv1x1 = nn.Conv2d(CHANNELS + 2 * POOLED, CHANNELS, 1)

    def forward(self, feature_map: Tensor, text: Tensor) -> Tensor:
        spread = text.repeat(1, 2)[:, :, None, None].repeat(1, 1, 7, 7)
        return self.conv1x1(torch.cat([feature_map, spread], dim=1))


def head_state(num_anchors: int = 15) -> dict[str, Tensor]:
    head = nn.ModuleDict(
        {
            "conv": nn.Sequential(nn.Conv2d(CHANNELS, CHANNELS, 3, padding=1), nn.ReLU()),
            "cls_logits": nn.Conv2d(CHANNELS, num_anchors, 1),
            "reg_offsets": nn.Conv2d(CHANNELS, 4 * num_anchors, 1),
        }
    )
    return dict(head.state_dict())


def original_checkpoint(
    fusion: nn.Module, with_clip: bool = True, num_anchors: int = 15
) -> dict[str, Tensor]:
    clip = read_state(SHIPPED / "cliprpn-tiny.safetensors") if with_clip else {}
    kept = {key: value.float() for key, value in clip.items() if not key.startswith("visual.attnpool.")}
    kept |= {key: value * 1.1 for key, value in kept.items() if key.endswith("running_mean")}  # Drifted.
    parts = (
        ("clipModel.", kept),
        ("fusion_module.", fusion.state_dict()),
        ("rpn_wrapper.head.", head_state(num_anchors)),
    )
    return {f"{prefix}{key}": value for prefix, state in parts for key, value in state.items()}


@pytest.fixture(params=["cross_attention", "concatenation"])
def imported(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Path, nn.Module, dict[str, Tensor]]:
    """The imported model's file, the fusion of ClipRPN (Trento) and its checkpoint."""
    with torch.random.fork_rng():
        torch.manual_seed(3)
        fusion = OriginalAttention() if request.param == "cross_attention" else OriginalConcatenation()
        state = original_checkpoint(fusion)
    torch.save(state, tmp_path / "model_attention.pth")
    params = ImportCheckpointParams(
        checkpoint_file=str(tmp_path / "model_attention.pth"), out_dir=str(tmp_path / "imported")
    )
    result: Any = METHODS["import_checkpoint"].run(params, CONTEXT)
    assert result.fusion == request.param
    assert result.num_parameters == sum(
        value.numel() for key, value in state.items() if not key.startswith("clipModel.")
    )
    # ClipRPN (Trento) supports only RN50; the small CLIP of cliprpn-tiny replaces it here.
    facts_file = Path(result.model_file).with_suffix(".json")
    facts = json.loads(facts_file.read_text())
    assert facts["backbone"]["name"] == "RN50-quickgelu"
    facts["backbone"]["name"] = "cliprpn-tiny"
    facts_file.write_text(json.dumps(facts))
    return Path(result.model_file), fusion.eval(), state


def original_prediction(
    fusion: nn.Module, state: dict[str, Tensor], feature_map: Tensor, text: Tensor, anchors: Tensor
) -> tuple[Tensor, Tensor]:
    head = {key.removeprefix("rpn_wrapper.head."): value for key, value in state.items()}
    hidden = nn.functional.conv2d(
        fusion(feature_map, text), head["conv.0.weight"], head["conv.0.bias"], padding=1
    ).relu()
    logits = nn.functional.conv2d(hidden, head["cls_logits.weight"], head["cls_logits.bias"])
    offsets = nn.functional.conv2d(hidden, head["reg_offsets.weight"], head["reg_offsets.bias"])
    # Order: rows, columns, anchors of a cell.
    flat = logits.permute(0, 2, 3, 1).reshape(len(feature_map), -1)
    deltas = offsets.unflatten(1, (15, 4)).permute(0, 3, 4, 1, 2).reshape(len(feature_map), -1, 4)
    return top1_boxes(flat, deltas, anchors, 640)


@torch.no_grad()
def test_an_imported_model_predicts_what_the_original_predicts(imported) -> None:
    path, fusion, state = imported
    model = load_model(path).model.eval()
    feature_map = torch.randn(3, CHANNELS, 7, 7).relu()
    text = nn.functional.normalize(torch.randn(3, POOLED), dim=1)
    # `test_golden.py` compares the anchors with recorded ones.
    anchors = make_anchors(7, 640, (32, 64, 128, 256, 512), (0.5, 1, 2), "corner")
    expected, best = original_prediction(fusion, state, feature_map, text, anchors)
    words, mask = torch.randn(3, 5, 48), torch.ones(3, 5, dtype=torch.bool)
    boxes, objectness = model.predict_top1(feature_map, words, mask, text)
    torch.testing.assert_close(boxes, expected, rtol=1e-4, atol=1e-2)  # pixels of 640
    torch.testing.assert_close(objectness, best.sigmoid(), rtol=1e-4, atol=1e-5)


def ground_params(model: Path, manifest: Path, sentence: str, weights: str | None = None) -> GroundParams:
    return GroundParams(
        model=str(model), backbone_weights=weights, pixels_manifest=str(manifest), sentence=sentence
    )


@torch.no_grad()
def test_an_imported_model_grounds_with_the_clip_of_its_checkpoint(imported, tmp_path: Path) -> None:
    path, fusion, state = imported
    photo = tmp_path / "photo.png"
    Image.effect_noise((320, 160), 80).convert("RGB").save(photo)
    write_pixels([photo], [photo.name], tmp_path / "pixels", 224)
    manifest = tmp_path / "pixels" / "manifest.json"
    params = ground_params(path, manifest, "the dog on the left")
    result: Any = METHODS["ground"].run(params, CONTEXT)
    saved = load_model(path)
    assert saved.seed is None and (saved.image_size_px, saved.resize) == (224, "squash")
    backbone = load_backbone(saved.backbone.name, saved.backbone.weights)
    drifted = state["clipModel.visual.bn1.running_mean"]
    assert torch.equal(backbone.clip.visual.bn1.running_mean, drifted)
    assert backbone.weights_id != load_backbone("cliprpn-tiny", "shipped").weights_id
    assert not backbone.has_attention_pool
    pooled, _, _ = backbone.encode_text(backbone.tokenize(["the dog on the left"]))
    pixels = open_pixels(tmp_path / "pixels").batch(np.zeros(1, dtype=int))
    feature_map = backbone.feature_map(pixels.float() / 255)
    box, _ = original_prediction(fusion, state, feature_map, pooled, saved.model.anchors)
    expected = box[0] * torch.tensor([320, 160, 320, 160]) / 640
    # Features are rounded to half precision.
    torch.testing.assert_close(torch.tensor(result.pred_box_xyxy), expected, rtol=0, atol=2.0)
    assert (result.image_width, result.image_height) == (320, 160)
    assert (result.hit_probability, result.sure) == (None, None)


def test_a_model_grounds_with_weights_that_have_moved(imported, tmp_path: Path) -> None:
    path, _, _ = imported
    Image.effect_noise((64, 64), 80).convert("RGB").save(tmp_path / "photo.png")
    write_pixels([tmp_path / "photo.png"], ["photo.png"], tmp_path / "pixels", 224)
    manifest = tmp_path / "pixels" / "manifest.json"
    expected = METHODS["ground"].run(ground_params(path, manifest, "the dog"), CONTEXT)
    moved = path.with_name("backbone.safetensors").rename(tmp_path / "moved.safetensors")
    with pytest.raises(CliprpnError, match=r"backbone\.safetensors") as caught:
        METHODS["ground"].run(ground_params(path, manifest, "the dog"), CONTEXT)
    assert caught.value.code == "weights_missing"
    assert METHODS["ground"].run(ground_params(path, manifest, "the dog", str(moved)), CONTEXT) == expected
    with pytest.raises(CliprpnError, match="shipped") as caught:
        METHODS["ground"].run(ground_params(path, manifest, "the dog", "shipped"), CONTEXT)
    assert caught.value.code == "weights_mismatch"


def test_an_image_with_a_problem_is_not_grounded(imported, tmp_path: Path) -> None:
    path, _, _ = imported
    Image.new("RGB", (32, 16)).save(tmp_path / "photo.png")
    pixels = write_pixels([tmp_path / "photo.png"], ["photo.png"], tmp_path / "pixels", 224)
    pixels.shards[0].pictures[0].problem = "photo.png: expected an image, found text"
    manifest = tmp_path / "pixels" / "manifest.json"
    manifest.write_text(pixels.model_dump_json())
    params = ground_params(path, manifest, "the dog")
    with pytest.raises(CliprpnError, match="found text") as caught:
        METHODS["ground"].run(params, CONTEXT)
    assert caught.value.code == "data_invalid"


def test_an_imported_model_is_evaluated_on_a_chosen_dataset(imported, tmp_path: Path) -> None:
    path, _, _ = imported
    root = small_dataset(tmp_path / "data", 6)
    dataset = make_spec(root, tmp_path, image_size_px=224).dataset
    params = EvaluateParams(
        spec=None,
        model=str(path),
        split="test",
        dataset=dataset,
        out_dir=str(tmp_path / "out"),
        cache_dir=str(tmp_path),
    )
    result: Any = METHODS["evaluate"].run(params, CONTEXT)
    assert result.metrics.num_sentences == 2
    with pytest.raises(CliprpnError, match="--dataset") as caught:
        METHODS["evaluate"].run(params.model_copy(update={"dataset": None}), CONTEXT)
    assert caught.value.code == "bad_input"


def test_a_checkpoint_without_clip_uses_openais_weights(tmp_path: Path) -> None:
    torch.save(original_checkpoint(OriginalConcatenation(), with_clip=False), tmp_path / "model.pth")
    parts, model_file, backbone_file = convert_checkpoint(tmp_path / "model.pth", tmp_path / "out")
    assert backbone_file is None and parts.clip_state == {}
    assert load_model(model_file).backbone.weights == "openai"


def test_an_invalid_checkpoint_is_rejected_with_its_problem(tmp_path: Path) -> None:
    path = tmp_path / "model.pth"
    good = original_checkpoint(OriginalAttention(), with_clip=False)

    def error_message(state: Any) -> str:
        torch.save(state, path)
        with pytest.raises(CliprpnError) as caught:
            convert_checkpoint(path, tmp_path / "out")
        assert caught.value.code == "weights_mismatch" and str(path) in caught.value.message
        return caught.value.message

    assert "fusion_module.*" in error_message({"fc.weight": torch.zeros(2)})
    assert "fusion_module.*" in error_message({})
    assert "conv.0.weight" in error_message({k: v for k, v in good.items() if "conv.0.weight" not in k})
    assert "norm1.bias" in error_message({k: v for k, v in good.items() if not k.endswith("norm1.bias")})
    assert "linear1.weight" in error_message(
        {k: v for k, v in good.items() if not k.endswith("linear1.weight")}
    )
    nine = original_checkpoint(OriginalAttention(), with_clip=False, num_anchors=9)
    assert "15 anchors" in error_message(nine)
    with pytest.raises(CliprpnError) as caught:
        convert_checkpoint(tmp_path / "none.pth", tmp_path / "out")
    assert caught.value.code == "not_found"


def test_an_imported_model_of_a_newer_version_is_refused_by_name(imported) -> None:
    path, _, _ = imported
    facts = json.loads(path.with_suffix(".json").read_text())
    path.with_suffix(".json").write_text(json.dumps(facts | {"schema_version": facts["schema_version"] + 1}))
    with pytest.raises(CliprpnError, match=r"model\.safetensors: .*version 1 .*found 2") as caught:
        load_model(path)
    assert caught.value.code == "weights_mismatch"
    del facts["schema_version"]  # Like those of the first version.
    path.with_suffix(".json").write_text(json.dumps(facts))
    assert load_model(path).seed is None


def test_a_model_with_invalid_json_is_rejected(imported) -> None:
    path, _, _ = imported
    for facts in (
        "{",
        "[]",
        "{}",
        '{"schema_version": "one"}',
        '{"kind": "cliprpn-import"}',
        '{"kind": "cliprpn-model"}',
    ):
        path.with_suffix(".json").write_text(facts)
        with pytest.raises(CliprpnError) as caught:
            load_model(path)
        assert caught.value.code == "weights_mismatch" and str(path) in caught.value.message
