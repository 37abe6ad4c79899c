"""Texts that are longer than CLIP's text encoder reads: the rest of such a text is ignored."""

from __future__ import annotations

import open_clip
import torch
from torch import Tensor

# Of OpenAI's CLIP and of cliprpn-tiny, with the start and end tokens.
CONTEXT_LENGTH = 77
# A token is at least one byte of the cleaned text; cleaning adds bytes to a few characters only.
NEVER_CUT_BYTES = 50


def find_cut(texts: list[str], context_length: int = CONTEXT_LENGTH) -> Tensor:
    """Whether each text exceeds the context length, so that its end is cut off: [N], bool.

    Args:
        context_length: maximum number of tokens, including start and end tokens.
    """
    is_cut = torch.zeros(len(texts), dtype=torch.bool)
    rows = [row for row, text in enumerate(texts) if len(text.encode()) > NEVER_CUT_BYTES]
    if rows:
        tokens = open_clip.tokenize([texts[row] for row in rows], context_length=context_length + 1)
        is_cut[rows] = tokens[:, -1] != 0  # Shorter texts are padded with zeros.
    return is_cut


def read_tokens(texts: list[str], context_length: int = CONTEXT_LENGTH) -> Tensor:
    """The tokens that the text encoder reads, [N, context_length]; the end token is kept where the end is cut off."""
    return open_clip.tokenize(texts, context_length=context_length)
