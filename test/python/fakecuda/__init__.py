"""A simulated CUDA device for tests on machines without one.

Its tensors report `cuda:0` and hold their numbers on the CPU, so that losses, gradients and predictions are those of
the CPU, to the bit. It raises

- where CUDA raises: operands on different devices, a generator of another device, an index on CUDA into a CPU tensor,
  `numpy()` without `cpu()`, products of integers, statistics before CUDA is initialized, CUDA after a fork, too little
  memory, operators without a deterministic kernel in deterministic mode;
- where a program on a GPU would be wrong without an error (`RaceError`): streams that use the same memory without an
  order, memory that is reused too early, memory that was never written, page-locked memory that is read or changed
  before a copy with `non_blocking=True` is done.

It counts launches and host synchronizations, with the line of cliprpn that causes each.

What it cannot find: other rounding than the CPU's, results that depend on the time between threads of the host, kernels
that are missing for a type, what autograd does on several streams, CUDA's limits of shapes, speed.

    with fake_cuda() as cuda:
        model.to("cuda:0")
        ...
    print(cuda.counts.table())

`python -m fakecuda -m MODULE ARGS` runs a module with the device. Files: `patches` puts the device in place; `device`,
`tensor` and `streams` are what programs see; `dispatch` runs each operator, which `rules`, `determinism` and `order`
check and `counts` counts; `kernels` and `backward` compute what torch leaves to CUDA.
"""

from fakecuda.counts import Counts
from fakecuda.device import FakeCuda
from fakecuda.order import RaceError
from fakecuda.patches import fake_cuda
from fakecuda.tensor import CudaTensor

__all__ = ["Counts", "CudaTensor", "FakeCuda", "RaceError", "fake_cuda"]
