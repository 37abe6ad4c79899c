"""Setup shared by all tests."""

from collections.abc import Iterator

import pytest
import torch
from trial_fixtures import cache as cache
from trial_fixtures import root as root

import cliprpn.data.index
from cliprpn.features import frozen

# For tensors this small, a second thread costs more than it saves.
torch.set_num_threads(1)


@pytest.fixture
def no_open_datasets() -> Iterator[None]:
    """Closes all datasets before and after a test that changes their files."""
    cliprpn.data.index._opened.clear()
    yield
    cliprpn.data.index._opened.clear()


@pytest.fixture
def no_traces() -> Iterator[None]:
    """Restores what a trial changes: random state, deterministic algorithms, open datasets."""
    threads, state = torch.get_num_threads(), torch.get_rng_state()
    module = vars(torch.utils)["deterministic"]
    filled = module.fill_uninitialized_memory
    frozen._opened.clear()
    cliprpn.data.index._opened.clear()
    yield
    frozen._opened.clear()
    torch.set_num_threads(threads)
    torch.set_rng_state(state)
    torch.use_deterministic_algorithms(False)
    module.fill_uninitialized_memory = filled
