"""Maps that several sentences of a batch share: what depends only on the image is computed once a map.

A batch then has fewer maps than sentences, and `map_of` [B], int64, has the position of each sentence's map; without
sharing it is None, and map i belongs to sentence i.
"""

from __future__ import annotations

from torch import Tensor


def per_sentence(per_map: Tensor, map_of: Tensor | None) -> Tensor:
    """Rows of maps, [M, ...], as rows of sentences, [B, ...]."""
    # The gradients of an index are added up one by one; those of `index_select` row by row.
    return per_map if map_of is None else per_map.index_select(0, map_of)
