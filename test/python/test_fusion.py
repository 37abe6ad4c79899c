"""What each fusion takes from image and sentence, and what it must not."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from cliprpn.models import ClipRPN, ConcatenationFusion, CrossAttentionFusion, RpnRules, SwitchedFusion
from cliprpn.models.head import flatten_head

CHANNELS, POOLED, WORD = 32, 12, 20
SWITCHES = [
    dict(zip(("text", "interaction", "coordinates"), chosen, strict=True))
    for chosen in product(("pooled", "words"), ("additive", "multiplicative"), ("off", "on"))
]
Given = tuple[Tensor, Tensor, Tensor, Tensor]


def names(switches: dict[str, Any]) -> str:
    return "-".join(switches.values())


@pytest.fixture(autouse=True)
def seeded() -> Any:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield


def given(batch: int = 3, grid: int = 4, length: int = 6) -> Given:
    lengths = torch.arange(batch) % (length - 2) + 3
    mask = torch.arange(length) < lengths[:, None]
    words = torch.randn(batch, length, WORD) * mask[..., None]
    pooled = nn.functional.normalize(torch.randn(batch, POOLED), dim=1)
    return torch.randn(batch, CHANNELS, grid, grid), words, mask, pooled


def switched(switches: dict[str, Any]) -> SwitchedFusion:
    return SwitchedFusion(CHANNELS, POOLED, WORD, **switches).eval()


def everything() -> list[Any]:
    fusions: list[Any] = [pytest.param(switched, each, id=names(each)) for each in SWITCHES]
    for kind in (ConcatenationFusion, CrossAttentionFusion):
        fusions.append(
            pytest.param(lambda _, kind=kind: kind(CHANNELS, POOLED, WORD).eval(), {}, id=kind.__name__)
        )
    return fusions


@pytest.mark.parametrize(("make", "switches"), everything())
class TestEveryFusion:
    def test_gives_a_map_of_the_same_shape_whatever_the_grid(self, make, switches) -> None:
        fusion = make(switches)
        for batch, grid, length in ((1, 7, 4), (2, 10, 6), (5, 2, 20)):
            map, words, mask, pooled = given(batch, grid, length)
            fused = fusion(map, words, mask, pooled)
            assert fused.shape == map.shape and fused.isfinite().all()

    def test_sentences_of_a_batch_do_not_mix(self, make, switches) -> None:
        fusion, (map, words, mask, pooled) = make(switches), given()
        together = fusion(map, words, mask, pooled)
        for row in range(3):
            alone = fusion(*(part[row : row + 1] for part in (map, words, mask, pooled)))
            torch.testing.assert_close(alone[0], together[row], rtol=1e-4, atol=1e-5)  # other sums

    def test_what_stands_behind_a_sentences_end_does_not_matter(self, make, switches) -> None:
        fusion, (map, words, mask, pooled) = make(switches), given()
        expected = fusion(map, words, mask, pooled)
        noisy = torch.where(mask[..., None], words, torch.randn_like(words) * 50)
        torch.testing.assert_close(fusion(map, noisy, mask, pooled), expected)
        longer = torch.cat([words, torch.randn(3, 4, WORD)], dim=1)
        more = torch.cat([mask, torch.zeros(3, 4, dtype=torch.bool)], dim=1)
        torch.testing.assert_close(fusion(map, longer, more, pooled), expected, rtol=1e-4, atol=1e-5)

    def test_the_sentence_is_heard(self, make, switches) -> None:
        fusion, (map, words, mask, pooled) = make(switches), given()
        other = fusion(map, words.roll(1, dims=0), mask.roll(1, dims=0), pooled.roll(1, dims=0))
        assert (other - fusion(map, words, mask, pooled)).abs().max() > 1e-3

    def test_the_image_is_seen_cell_by_cell(self, make, switches) -> None:
        fusion, (map, words, mask, pooled) = make(switches), given()
        changed = map.clone()
        changed[:, :, 1, 2] += torch.randn(CHANNELS)
        difference = (
            (fusion(changed, words, mask, pooled) - fusion(map, words, mask, pooled)).abs().amax(dim=1)
        )
        assert (difference[:, 1, 2] > 1e-3).all()
        assert difference[:, 1, 2].min() > difference[:, 3, 0].max()


@pytest.mark.parametrize("switches", SWITCHES, ids=names)
class TestSwitches:
    def test_text_chooses_what_is_heard(self, switches: dict[str, Any]) -> None:
        fusion, (map, words, mask, pooled) = switched(switches), given()
        expected = fusion(map, words, mask, pooled)
        by_words = (fusion(map, words.roll(1, dims=2), mask, pooled) - expected).abs().max()
        by_pooled = (fusion(map, words, mask, pooled.roll(1, dims=1)) - expected).abs().max()
        assert (by_words > 1e-3) == (switches["text"] == "words")
        assert (by_pooled > 1e-3) == (switches["text"] == "pooled")
        assert min(by_words, by_pooled) == 0

    def test_words_are_a_set_their_order_is_in_their_vectors(self, switches: dict[str, Any]) -> None:
        fusion, (map, words, mask, pooled) = switched(switches), given()
        order = torch.tensor([2, 0, 1, 3, 4, 5])  # Each sentence has at least three.
        shuffled = fusion(map, words[:, order], mask, pooled)
        torch.testing.assert_close(shuffled, fusion(map, words, mask, pooled), rtol=1e-4, atol=1e-5)

    def test_coordinates_tell_left_from_right(self, switches: dict[str, Any]) -> None:
        fusion, (map, words, mask, pooled) = switched(switches), given()
        for side in (2, 3):
            mirrored = fusion(map.flip(side), words, mask, pooled).flip(side)
            same = torch.allclose(mirrored, fusion(map, words, mask, pooled), rtol=1e-4, atol=1e-5)
            assert same == (switches["coordinates"] == "off")

    def test_no_parameter_is_idle(self, switches: dict[str, Any]) -> None:
        if (switches["text"], switches["interaction"]) == ("pooled", "additive"):
            pytest.skip(
                "nothing of a cell is asked there, so what readies it for a question has nothing to do"
            )
        fusion = switched(switches)
        fused = fusion(*given())
        (fused * torch.randn_like(fused)).sum().backward()
        found = {name: parameter.grad for name, parameter in fusion.named_parameters()}
        assert [name for name, grad in found.items() if grad is None or grad.abs().max() == 0] == []


@torch.no_grad()
@pytest.mark.parametrize("interaction", ["additive", "multiplicative"])
def test_only_a_product_lets_the_sentences_effect_depend_on_the_image(interaction: str) -> None:
    """f(m, s) - f(m, s') is the same for all images m when sentences are only added."""
    fusion = switched({"text": "pooled", "interaction": interaction, "coordinates": "off"})
    for block in fusion.blocks:  # What comes after the sentence is heard is the same for both.
        nn.init.zeros_(block.think[-1].weight)
    map, words, mask, pooled = given()
    effect = fusion(map, words, mask, pooled) - fusion(map, words, mask, pooled.roll(1, dims=0))
    elsewhere = fusion(-map, words, mask, pooled) - fusion(-map, words, mask, pooled.roll(1, dims=0))
    assert effect.abs().max() > 1e-2
    if interaction == "additive":
        torch.testing.assert_close(effect, elsewhere, rtol=1e-4, atol=1e-5)
    else:
        assert (effect - elsewhere).abs().max() > 1e-2


def test_the_originals_concatenation_only_adds() -> None:
    fusion = ConcatenationFusion(CHANNELS, POOLED, WORD)
    map, words, mask, pooled = given()
    effect = fusion(map, words, mask, pooled) - fusion(map, words, mask, pooled.roll(1, dims=0))
    # The same in every cell of every image.
    torch.testing.assert_close(effect, effect[:, :, :1, :1].expand_as(effect), rtol=1e-4, atol=1e-5)
    elsewhere = fusion(map * 3, words, mask, pooled) - fusion(map * 3, words, mask, pooled.roll(1, dims=0))
    torch.testing.assert_close(effect, elsewhere, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("training", [False, True])
def test_the_originals_cross_attention_learns_no_queries_and_keys(training: bool) -> None:
    """One key: the softmax is 1 whatever is asked, so nothing reaches what asks (FACTS, point 1)."""
    fusion = CrossAttentionFusion(CHANNELS, POOLED, WORD).train(training)
    fused = fusion(*given())
    (fused * torch.randn_like(fused)).sum().backward()
    attention = fusion.attention
    query_bias, key_bias, value_bias = attention.in_proj_bias.grad.chunk(3)
    weights = (attention.q_proj_weight.grad, attention.k_proj_weight.grad, attention.v_proj_weight.grad)
    query, key, value = (weight.abs().max() for weight in weights)
    assert value > 1e-2
    # Zero, but for the rounding of attention's own backward pass.
    assert max(query, key, query_bias.abs().max(), key_bias.abs().max()) < 1e-5 * value
    assert value_bias.abs().max() > 1e-2


def test_the_originals_cross_attention_tells_every_cell_the_same() -> None:
    fusion = CrossAttentionFusion(CHANNELS, POOLED, WORD).eval()
    heard = []
    fusion.norm1.register_forward_pre_hook(lambda _, args: heard.append(args[0]))
    map, words, mask, pooled = given()
    fusion(map, words, mask, pooled)
    told = heard[0] - nn.functional.normalize(map, dim=1).flatten(2).transpose(1, 2)
    torch.testing.assert_close(told, told[:, :1].expand_as(told), rtol=1e-4, atol=1e-5)


@torch.no_grad()
@pytest.mark.parametrize("kind", [ConcatenationFusion, CrossAttentionFusion, SwitchedFusion])
def test_the_neck_is_a_projection_before_the_fusion_and_nothing_else(kind: type[nn.Module]) -> None:
    model = ClipRPN(kind(CHANNELS, POOLED, WORD), 96, CHANNELS, RpnRules(), grid_size=4).eval()
    _, words, mask, pooled = given()
    map = torch.randn(3, 96, 4, 4)
    assert isinstance(model.neck, nn.Conv2d)
    projected = (
        torch.einsum("bchw,dc->bdhw", map, model.neck.weight[:, :, 0, 0]) + model.neck.bias[:, None, None]
    )
    expected = flatten_head(*model.head(model.fusion_module(projected, words, mask, pooled)))
    for found, each in zip(model(map, words, mask, pooled), expected, strict=True):
        torch.testing.assert_close(found, each, rtol=1e-4, atol=1e-5)
    bare = ClipRPN(kind(96, POOLED, WORD), 96, None, RpnRules(), grid_size=4)
    assert bare.neck is None and not any(name.startswith("neck") for name in bare.state_dict())
