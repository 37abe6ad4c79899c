"""autograd.backward in Python: torch's engine asks the CUDA driver for its contexts, the nodes of a graph do not."""

from __future__ import annotations

import heapq
from collections import Counter
from itertools import count
from typing import Any

import torch
from torch import Tensor

from fakecuda.graphs import check_leaf_stream

Gradients = dict[Any, list[Tensor | None]]


def backward(
    tensors: Tensor | tuple[Tensor, ...],
    grad_tensors: Tensor | None = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    grad_variables: None = None,
    inputs: None = None,
) -> None:
    """Replaces torch.autograd.backward for one tensor on the simulated device; hooks of tensors are not called.

    Nodes run in the engine's order: the latest first, so that gradients are summed in the same order.

    Raises:
        RuntimeError: the tensor has no graph, or is no scalar and has no gradient.
        NotImplementedError: options that cliprpn does not use.
    """
    (root,) = (tensors,) if isinstance(tensors, Tensor) else tensors
    if create_graph or inputs is not None:
        raise NotImplementedError("create_graph and inputs are not simulated on a CUDA device")
    if root.grad_fn is None:
        raise RuntimeError("element 0 of tensors does not require grad and does not have a grad_fn")
    if grad_tensors is None and root.numel() != 1:
        raise RuntimeError("grad can be implicitly created only for scalar outputs")
    waiting = _count_uses(root.grad_fn)
    order = count()
    ready = [(0, next(order), root.grad_fn)]
    with torch.no_grad():
        first = torch.ones_like(root) if grad_tensors is None else grad_tensors
        gradients: Gradients = {root.grad_fn: _slots(root.grad_fn)}
        gradients[root.grad_fn][root.output_nr] = first
        taken: set[int] = set()
        while ready:
            _, _, node = heapq.heappop(ready)
            given = gradients.pop(node)
            if hasattr(node, "variable"):
                check_leaf_stream(node)
                _accumulate(node.variable, given[0], taken)
                continue
            outputs = node(*given) if any(grad is not None for grad in given) else None
            outputs = outputs if isinstance(outputs, tuple) else (outputs,) * len(node.next_functions)
            for grad, (following, slot) in zip(outputs, node.next_functions, strict=True):
                if following is None:
                    continue
                _add(gradients.setdefault(following, _slots(following)), following, slot, grad)
                waiting[following] -= 1
                if waiting[following] == 0:
                    heapq.heappush(ready, (-following._sequence_nr(), next(order), following))


def _count_uses(root: Any) -> Counter[Any]:
    """How many gradients each node of the graph gets."""
    uses: Counter[Any] = Counter()
    seen, todo = {root}, [root]
    while todo:
        for node, _ in todo.pop().next_functions:
            if node is not None:
                uses[node] += 1
                if node not in seen:
                    seen.add(node)
                    todo.append(node)
    return uses


def _slots(node: Any) -> list[Tensor | None]:
    return [None] * len(node._input_metadata)


def _add(slots: list[Tensor | None], node: Any, slot: int, grad: Tensor | None) -> None:
    """Adds a gradient, in the shape and type of the tensor that it belongs to.

    Raises:
        RuntimeError: it is on another device.
    """
    if grad is None:
        return
    expected = node._input_metadata[slot]
    if grad.device != expected.device:
        raise RuntimeError(
            f"Function returned a gradient on {grad.device}, but expected one on {expected.device} ({node.name()})"
        )
    if grad.shape != expected.shape:
        grad = grad.sum_to_size(expected.shape)
    if grad.dtype != expected.dtype:
        grad = grad.to(expected.dtype)
    before = slots[slot]
    slots[slot] = grad if before is None else before + grad


def _accumulate(leaf: Tensor, grad: Tensor | None, taken: set[int]) -> None:
    """Sets or adds to a leaf's gradient, which has the leaf's strides: fused optimizers rely on them.

    Args:
        taken: gradients that are some leaf's already, by address; another leaf needs a copy.
    """
    if grad is None:
        return
    if leaf.grad is not None:
        leaf.grad.add_(grad)
    elif _same_layout(grad, leaf) and id(grad.allocation) not in taken:
        taken.add(id(grad.allocation))
        leaf.grad = grad.detach()
    else:
        leaf.grad = torch.empty_like(leaf).copy_(grad)


def _same_layout(grad: Tensor, leaf: Tensor) -> bool:
    """As torch compares them: the stride of a dimension of size 1 does not matter."""
    pairs = zip(grad.shape, grad.stride(), leaf.stride(), strict=True)
    return all(one == other for size, one, other in pairs if size != 1)
