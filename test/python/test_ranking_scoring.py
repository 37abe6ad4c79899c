"""Prompts, scores of boxes and their ranking."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from cliprpn.models.text_length import CONTEXT_LENGTH, find_cut
from cliprpn.ranking.scoring import NO_CLASS, CategoryPrior, log_class_probability, rank, score_boxes
from cliprpn.ranking.texts import average_templates, make_prompts
from cliprpn.storage.weights_files import load_backbone

TEMPLATES = ["a photo of {}", "{}", "{}, cropped"]


def vectors(count: int, seed: int, width: int = 16) -> Tensor:
    return functional.normalize(
        torch.randn(count, width, generator=torch.Generator().manual_seed(seed)), dim=1
    )


def test_a_sentence_is_filled_into_every_template_verbatim() -> None:
    assert make_prompts(["the dog", "a {0} {}%s"], TEMPLATES) == [
        "a photo of the dog",
        "the dog",
        "the dog, cropped",
        "a photo of a {0} {}%s",
        "a {0} {}%s",
        "a {0} {}%s, cropped",
    ]


def test_embeddings_are_averaged_over_the_templates_of_a_sentence() -> None:
    embeddings = vectors(6, 0)
    averages = average_templates(embeddings, 3)
    for sentence, start in zip(averages, (0, 3), strict=True):
        total = embeddings[start] + embeddings[start + 1] + embeddings[start + 2]
        torch.testing.assert_close(sentence, total / total.norm())
    torch.testing.assert_close(average_templates(embeddings, 1), embeddings)


def test_sentences_longer_than_the_context_are_reported() -> None:
    fits = " ".join(["dog"] * 75)  # plus start and end token
    backbone = load_backbone("cliprpn-tiny", "shipped")
    length = backbone.context_length
    assert length == CONTEXT_LENGTH
    assert find_cut(["the dog", fits, f"{fits} dog", ""], length).tolist() == [False, False, True, False]
    assert find_cut([]).tolist() == []
    # The end of a cut sentence does not reach the encoder.
    tokens = backbone.tokenize([fits, f"{fits} dog", f"{fits} cat"])
    assert torch.equal(tokens[1], tokens[2]) and not torch.equal(tokens[0][:76], tokens[0][1:])


def test_scores_of_views_are_summed() -> None:
    crop, blur, sentences = vectors(5, 1), vectors(5, 2), vectors(3, 3)
    scores = score_boxes([crop, blur], sentences, None, 50.0)
    assert scores.shape == (3, 5)
    for s in range(3):
        for n in range(5):
            expected = 50 * (crop[n] @ sentences[s] + blur[n] @ sentences[s])
            assert scores[s, n].item() == pytest.approx(expected.item(), abs=1e-4)
    torch.testing.assert_close(score_boxes([crop], sentences, None, 50.0), 50 * sentences @ crop.T)


def test_the_prior_adds_the_log_probability_of_a_boxs_class() -> None:
    classes, sentences = vectors(4, 4), vectors(2, 5)
    prior = CategoryPrior(classes, torch.tensor([2, 0, NO_CLASS, 2]))
    probability = log_class_probability(prior, sentences, 10.0)
    for s in range(2):
        logits = [10 * (sentences[s] @ vector).item() for vector in classes]
        total = math.log(sum(math.exp(logit) for logit in logits))
        expected = [logits[2] - total, logits[0] - total, -math.log(4), logits[2] - total]
        assert probability[s].tolist() == pytest.approx(expected, abs=1e-4)
    views = vectors(4, 6)
    with_prior = score_boxes([views], sentences, prior, 10.0)
    torch.testing.assert_close(with_prior, score_boxes([views], sentences, None, 10.0) + probability)


def test_a_prior_without_classes_does_not_change_the_ranking() -> None:
    views, sentences = vectors(6, 7), vectors(4, 8)
    prior = CategoryPrior(vectors(3, 9), torch.full((6,), NO_CLASS))
    plain = rank(score_boxes([views], sentences, None, 100.0))
    with_prior = rank(score_boxes([views], sentences, prior, 100.0))
    assert torch.equal(with_prior[0], plain[0])
    torch.testing.assert_close(with_prior[1], plain[1])


def test_ranking_is_by_score_and_ties_keep_the_detectors_order() -> None:
    scores = torch.tensor([[1.0, 3.0, 2.0, 3.0, 1.0], [0.0, 0.0, 0.0, 0.0, 0.0]])
    order, probability = rank(scores)
    assert order.tolist() == [[1, 3, 2, 0, 4], [0, 1, 2, 3, 4]]
    assert probability[0].item() == pytest.approx(math.exp(3) / (2 * math.exp(3) + math.exp(2) + 2 * math.e))
    assert probability[1].item() == pytest.approx(0.2)


def test_a_single_box_has_probability_1_and_large_logits_do_not_overflow() -> None:
    assert rank(torch.tensor([[4000.0], [-4000.0]]))[1].tolist() == [1, 1]
    assert rank(torch.tensor([[4000.0, -4000.0]]))[1].tolist() == [1]
