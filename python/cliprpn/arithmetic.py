"""How numbers are computed: one policy for feature maps, embeddings, training, evaluation and `ground`.

float32 is IEEE single precision on every device: TF32, whose mantissa has 10 bits, is never used. What is faster and
less exact is a setting (`training.precision`).
"""

from __future__ import annotations

import os
import re

import torch

from cliprpn.errors import CliprpnError

WORKSPACE = "CUBLAS_WORKSPACE_CONFIG"
# With one of these, cuBLAS always takes the same algorithm for the same shapes (NVIDIA's cuBLAS documentation, "Results
# reproducibility"); with any other value, streams may share workspaces in different ways.
DETERMINISTIC_WORKSPACES = (":4096:8", ":16:8")


def fix_arithmetic() -> None:
    """Sets what holds for the whole process; call it before CUDA is initialized, which reads the environment.

    Also before each trial: a custom fusion of an earlier one may have set something else, and a trial gives the same
    bits in a process that has run others as in a new one.
    """
    os.environ.setdefault(WORKSPACE, DETERMINISTIC_WORKSPACES[0])
    # Also by the older name: torch raises an error where code of others reads that flag after the newer names were set.
    torch.backends.cudnn.allow_tf32 = False
    torch.backends.cudnn.fp32_precision = "ieee"
    torch.backends.cuda.matmul.fp32_precision = "ieee"
    for kind in ("matmul", "conv", "rnn"):
        getattr(torch.backends.mkldnn, kind).fp32_precision = "ieee"
    # Benchmarks choose an algorithm by its time, so another run may choose another one.
    torch.backends.cudnn.benchmark = False
    # Deterministic mode would fill each new tensor, in a kernel of its own. Ours are written before they are read.
    vars(torch.utils)["deterministic"].fill_uninitialized_memory = False
    torch.set_default_dtype(torch.float32)
    torch.set_flush_denormal(False)
    torch.set_grad_enabled(True)
    if torch.get_default_device().type != "cpu":
        torch.set_default_device(None)


def use_deterministic(deterministic: bool, device: torch.device) -> None:
    """Makes every later operation deterministic, or an error (see `describe_nondeterminism`); or neither.

    Raises:
        CliprpnError: bad_input, if the environment forbids it.
    """
    found = os.environ.get(WORKSPACE)
    if deterministic and device.type == "cuda" and found not in DETERMINISTIC_WORKSPACES:
        raise CliprpnError(
            "bad_input",
            f"training.deterministic: expected the environment variable {WORKSPACE} to be "
            f"{' or '.join(DETERMINISTIC_WORKSPACES)} or unset, found {found!r}; unset it, or set "
            "training.deterministic to false",
        )
    torch.use_deterministic_algorithms(deterministic)


def prefer_deterministic() -> None:
    """Makes later operations deterministic where they can be; for networks that others wrote."""
    torch.use_deterministic_algorithms(True, warn_only=True)


def describe_nondeterminism(error: BaseException) -> str | None:
    """What to do about an operation that torch refused because it is not deterministic; None for other errors."""
    if not isinstance(error, RuntimeError):
        return None
    named = re.match(r"(\S.{0,100}?) does not have a deterministic implementation", str(error))
    if named is None:
        return None
    return (
        f"{named[1]} has no deterministic implementation on this device, and training.deterministic is true; use "
        "another operation, or set training.deterministic to false: another run may then differ in the last digits"
    )


def nondeterminism_notes(deterministic: bool, device: torch.device) -> list[str]:
    """Why another run of the same trial may differ, one sentence; empty if it may not."""
    if not deterministic:
        return [
            f"training.deterministic is false, so another run on {device.type} may differ in the last digits."
        ]
    if device.type == "mps":
        return [
            "torch does not know all operations of mps that are not deterministic, so another run may differ in the "
            "last digits although training.deterministic is true."
        ]
    return []


def arithmetic_key(device: torch.device) -> dict[str, str]:
    """What the arithmetic adds to the key of cached values: nothing for float32 on a CPU, else the kind of device.

    Sums in another order differ in the last digits, so values of a GPU are not used on a CPU, nor the reverse.
    """
    return {} if device.type == "cpu" else {"device": device.type, "precision": "float32"}
