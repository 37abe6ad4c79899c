"""Prompt templates: builds the texts for CLIP and averages their embeddings."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional

# CLIP's prompt for class names (Radford et al. 2021, section 3.1.4).
CLASS_TEMPLATE = "a photo of a {}"


def make_prompts(sentences: list[str], templates: list[str]) -> list[str]:
    """Fills each sentence into the {} of each template: S * T texts, grouped by sentence."""
    return [template.replace("{}", sentence) for sentence in sentences for template in templates]


def average_templates(embeddings: Tensor, num_templates: int) -> Tensor:
    """Embedding of each sentence: mean over its templates, L2-normalized (Radford et al. 2021, section 3.1.4).

    Args:
        embeddings: [S * T, D], embeddings of `make_prompts`, L2-normalized.

    Returns:
        [S, D].
    """
    return functional.normalize(embeddings.unflatten(0, (-1, num_templates)).mean(dim=1), dim=1)
