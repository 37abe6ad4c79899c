"""drain.py ADDRESS NAME: drains a node of a Ray cluster, as its autoscaler does before a node is taken away."""

from __future__ import annotations

import subprocess
import sys

import ray


def main(address: str, name: str) -> None:
    """Asks for it with Ray's own command, which takes the node's id."""
    ray.init(address=address, log_to_driver=False, logging_level="ERROR")
    (node,) = [each for each in ray.nodes() if each["Alive"] and each["NodeName"] == name]
    ray.shutdown()
    why = ["--reason", "DRAIN_NODE_REASON_PREEMPTION", "--reason-message", "a test takes it"]
    command = ["drain-node", "--address", address, "--node-id", node["NodeID"], *why]
    subprocess.run([sys.executable, "-m", "ray.scripts.scripts", *command], check=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
