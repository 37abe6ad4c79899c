"""What all tests share."""

from collections.abc import Iterator

import pytest
import torch

import cliprpn.data.index
from cliprpn.features import frozen

# For tensors this small, waiting for a second thread costs more than it does.
torch.set_num_threads(1)


@pytest.fixture
def no_traces() -> Iterator[None]:
    """A trial seeds all generators, sets deterministic algorithms, keeps data open; other tests shall not notice."""
    threads, state = torch.get_num_threads(), torch.get_rng_state()
    frozen._opened.clear()
    cliprpn.data.index._opened.clear()
    yield
    frozen._opened.clear()
    torch.set_num_threads(threads)
    torch.set_rng_state(state)
    torch.use_deterministic_algorithms(False)
