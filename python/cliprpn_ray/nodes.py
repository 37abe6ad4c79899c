"""The nodes of the cluster, as Ray lists them."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any

import ray


def list_nodes() -> tuple[list[dict[str, Any]], dict[str, float]]:
    """The nodes that are alive, and what of the cluster is free.

    Returns:
        A `RayNode` for each node, and `RayAmounts` without those of nodes that are drained, where nothing starts.

    Raises:
        RayError, RuntimeError, ValueError, OSError: the cluster does not answer.
    """
    alive = [node for node in ray.nodes() if node["Alive"]]
    names = [_name_of(node) for node in alive]
    numbers = Counter(names)
    draining = _draining()
    nodes = [
        {
            "id": node["NodeID"],
            "name": name if numbers[name] == 1 else f"{name}/{node['NodeID'][:6]}",
            "total": _amounts(node["Resources"]),
            "is_draining": node["NodeID"] in draining,
        }
        for node, name in zip(alive, names, strict=True)
    ]
    if not draining:
        return nodes, _amounts(ray.available_resources())
    free: defaultdict[str, float] = defaultdict(float)
    for id, amounts in ray._private.state.available_resources_per_node().items():
        for name, amount in amounts.items() if id not in draining else ():
            free[name] += amount
    return nodes, _amounts(free)


def _draining() -> set[str]:
    """Ids of the nodes that are about to be taken away: preempted, scaled down, or ended by SIGTERM.

    Ray has no public function for it; Ray Train and Ray Serve ask in this way. Should another version of Ray lack it,
    workers on such a node end with the node, which Ray calls preempted, too: only their checkpoints are older.
    """
    try:
        ask = ray._private.state.state.get_draining_nodes
    except AttributeError:
        return set()
    return set(ask())


def _name_of(node: dict[str, Any]) -> str:
    """A name that somebody gave to the node, else that of its machine."""
    name, address = node.get("NodeName", ""), node["NodeManagerAddress"]
    return str(name if name not in ("", address) else node.get("NodeManagerHostname") or address)


def _amounts(resources: dict[str, float]) -> dict[str, float]:
    """Without what Ray adds for itself, such as memory, which changes all the time."""
    return {
        name: amount
        for name, amount in resources.items()
        if name not in ("memory", "object_store_memory") and not name.startswith("node:")
    }
