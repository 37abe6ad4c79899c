"""A simulated CUDA device for tests on machines without one.

Its tensors report `cuda:0` and hold their numbers on the CPU, so that losses, gradients and predictions are those of
the CPU. It raises where CUDA raises: operands on different devices, a generator of another device, an index on CUDA
into a CPU tensor, `numpy()` without `cpu()`, statistics before CUDA is initialized, too little memory. It finds races
between streams, and host memory that is read or changed before a copy is done (see `streams.py`). And it counts
launches and host synchronizations, with the line of cliprpn that causes each.

What it cannot find: kernels that are missing or nondeterministic on CUDA, other rounding.

    with fake_cuda() as cuda:
        model.to("cuda:0")
        ...
    print(cuda.counts.table())

`python -m fakecuda -m MODULE ARGS` runs a module with the device.
"""

from fakecuda.counts import Counts
from fakecuda.device import FakeCuda
from fakecuda.patches import fake_cuda
from fakecuda.tensor import CudaTensor

__all__ = ["Counts", "CudaTensor", "FakeCuda", "fake_cuda"]
