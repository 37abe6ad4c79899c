"""One thread for all tests: for tensors this small, waiting for a second one costs more than it does."""

import torch

torch.set_num_threads(1)
