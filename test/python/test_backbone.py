"""The backbone equals an independent forward pass, and stays frozen."""

from __future__ import annotations

import copy

import pytest
import torch
from openai_clip import MEAN, POOLED, STD, WORDS, image_map, text_outputs
from torch import nn
from torch.nn import functional

from cliprpn.models.backbone import ClipBackbone
from cliprpn.models.folding import fold_batch_norm
from cliprpn.storage.state_files import read_state
from cliprpn.storage.weights_files import SHIPPED, load_backbone, tiny_config

SENTENCES = ["a dog", "the second man from the left, behind the table", ""]


@pytest.fixture(scope="module")
def tiny() -> ClipBackbone:
    return load_backbone("cliprpn-tiny", "shipped")


def test_the_backbone_stays_frozen_inside_a_training_module(tiny: ClipBackbone) -> None:
    backbone = tiny
    before = {key: value.clone() for key, value in backbone.state_dict().items()}
    parent = nn.Sequential(backbone, nn.BatchNorm2d(4))
    parent.train()
    assert parent[1].training and not any(module.training for module in backbone.modules())
    with torch.enable_grad():
        feature_map = backbone.feature_map(torch.rand(4, 3, 64, 64))
        pooled, words, _ = backbone.encode_text(backbone.tokenize(SENTENCES))
    assert not (feature_map.requires_grad or pooled.requires_grad or words.requires_grad)
    assert not any(parameter.requires_grad for parameter in parent[0].parameters())
    assert any(key.endswith("num_batches_tracked") for key in before)
    assert all(torch.equal(value, before[key]) for key, value in backbone.state_dict().items())


def test_rows_are_cut_to_the_longest_sentence_without_changing_the_vectors(tiny: ClipBackbone) -> None:
    alone, words_alone, _ = tiny.encode_text(tiny.tokenize(["a dog"]))
    batched, words_batched, _ = tiny.encode_text(tiny.tokenize(["a dog", "word " * 60]))
    assert (words_alone.shape[1], words_batched.shape[1]) == (4, 62)
    torch.testing.assert_close(alone[0], batched[0], **POOLED)
    torch.testing.assert_close(words_alone[0], words_batched[0, :4], **WORDS)


def test_a_long_sentence_is_truncated_and_keeps_its_end_token(tiny: ClipBackbone) -> None:
    tokens = tiny.tokenize(["word " * 200])
    assert tokens.shape == (1, 77) and tokens[0, -1] == 49407
    assert tiny.encode_text(tokens)[2].sum() == 77


def test_the_shipped_backbone_equals_the_independent_one(tiny: ClipBackbone) -> None:
    state = {key: value.float() for key, value in read_state(SHIPPED / "cliprpn-tiny.safetensors").items()}
    pixels = torch.rand(2, 3, 96, 96)
    rescaled = (pixels - tiny.mean) / tiny.std * STD + MEAN  # cliprpn-tiny has another mean and deviation.
    expected = image_map(state, rescaled)
    torch.testing.assert_close(
        tiny.feature_map(pixels), expected, rtol=1e-4, atol=1e-4 * float(expected.max())
    )
    tokens = tiny.tokenize(SENTENCES)
    pooled, _ = text_outputs(state, tokens, num_heads=tiny_config().text_cfg["heads"])
    torch.testing.assert_close(tiny.encode_text(tokens)[0], functional.normalize(pooled, dim=1), **WORDS)


def test_folding_batch_norm_keeps_the_function(tiny: ClipBackbone) -> None:
    pixels = torch.rand(2, 3, 224, 224, generator=torch.Generator().manual_seed(3))
    folded = copy.deepcopy(tiny)
    fold_batch_norm(folded)
    assert not any(isinstance(module, nn.BatchNorm2d) for module in folded.modules())
    torch.testing.assert_close(folded.encode_image(pixels), tiny.encode_image(pixels), **POOLED)
