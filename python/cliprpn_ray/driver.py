"""Starts and ends actors, and says what becomes of them."""

from __future__ import annotations

import contextlib
import os
import platform
import queue
import time
from concurrent.futures import Future
from typing import Any

import ray
from ray.exceptions import RayError

from cliprpn_ray import slot
from cliprpn_ray.channel import Channel
from cliprpn_ray.explain import explain_options, explain_silence
from cliprpn_ray.nodes import list_nodes

# How often the cluster's nodes are listed.
LOOK_EVERY_S = 1.0


class _EndError(Exception):
    """What ends the driver, for people."""


class Driver:
    """
    Args:
        channel: what it takes requests from, and sends messages to.
        setup: a `RaySetup`.
    """

    def __init__(self, channel: Channel, setup: dict[str, Any]) -> None:
        self._channel, self._actor, self._worker = channel, setup["actor"], setup["worker"]
        ray.cloudpickle.register_pickle_by_value(slot)
        self._slot = ray.remote(slot.Slot)
        self._actors: dict[str, Any] = {}
        self._names: dict[str, str] = {}
        self._seen: dict[str, Any] = {}

    def run(self) -> str | None:
        """Works until the end of stdin.

        Returns:
            What is wrong, for people; None if it has done its work.
        """
        try:
            self._work()
        except _EndError as error:
            return str(error)
        return None

    def _work(self) -> None:
        self._with_options([])  # What Ray refuses is told before anything runs.
        versions = {"ray": ray.__version__, "python": platform.python_version()}
        self._channel.send({"type": "connected", **versions, **self._nodes()})
        look_at = time.monotonic() + LOOK_EVERY_S
        while True:
            try:
                event = self._channel.events.get(timeout=max(0.0, look_at - time.monotonic()))
            except queue.Empty:
                self._look()
                look_at = time.monotonic() + LOOK_EVERY_S
                continue
            if event is None:
                break
            self._handle(event)
        for id in list(self._actors):
            self._end(id)
        ray.shutdown()

    def _handle(self, event: Any) -> None:
        if isinstance(event, tuple):
            id, step, future = event
            self._step(id, step, future)
        elif event["type"] == "end":
            if event["id"] in self._actors:
                self._end(event["id"])
                self._send_end(event["id"], "lost", "it was ended")
        elif event["type"] == "leave":
            if event["id"] in self._actors:  # Its end is an event of the call that runs the worker.
                self._actors[event["id"]].leave.remote()
        else:
            for id in event["ids"]:
                self._start(id, event["without_nodes"])

    def _start(self, id: str, without_nodes: list[str]) -> None:
        try:
            self._actors[id] = self._with_options(without_nodes).remote()
        except (TypeError, ValueError, RayError) as error:
            raise _EndError(explain_options(ray.__version__, error)) from error
        self._call(id, "look", self._worker["probe_file"], self._worker["probe"])

    def _with_options(self, without_nodes: list[str]) -> Any:
        """The class of actors, which none of these nodes may have."""
        labels = dict(self._actor["label_selector"])
        if without_nodes:
            labels["ray.io/node-id"] = f"!in({','.join(without_nodes)})"
        try:
            return self._slot.options(
                num_cpus=self._actor["num_cpus"],
                num_gpus=self._actor["num_gpus"],
                resources=self._actor["resources"],
                label_selector=labels,
                scheduling_strategy="SPREAD",
                max_concurrency=2,  # It can be asked to leave while its worker runs.
                # Retries of Ray's would start workers that nobody knows.
                max_restarts=0,
                max_task_retries=0,
            )
        except (TypeError, ValueError) as error:
            raise _EndError(explain_options(ray.__version__, error)) from error

    def _call(self, id: str, method: str, *args: object) -> None:
        """The result comes as an event."""
        future: Future[Any] = getattr(self._actors[id], method).remote(*args).future()
        future.add_done_callback(lambda done: self._channel.events.put((id, method, done)))

    def _step(self, id: str, method: str, future: Future[Any]) -> None:
        """A call of an actor has returned."""
        if id not in self._actors:
            return  # It was ended meanwhile.
        try:
            result = future.result()
        except RayError as error:
            self._end(id)
            is_preempted = getattr(error, "preempted", False)
            self._send_end(id, "preempted" if is_preempted else "lost", _first_lines(error))
            return
        if method == "run":
            self._end(id)
            self._send_end(id, "crashed" if result else "left", result and f"its process {result}")
            return
        node = self._name(result["node_id"])
        self._channel.send({"type": "placed", "id": id, "node": node, **result})
        if not result["is_shared"]:
            self._end(id)
            self._send_end(id, "left", "")
            return
        log_file = os.path.join(self._worker["log_folder"], f"{id}.log")
        command = [*self._worker["command"], "--label", f"ray:{id}@{node}"]
        self._call(id, "run", command, self._worker["env"], log_file)

    def _end(self, id: str) -> None:
        actor = self._actors.pop(id)
        with contextlib.suppress(RayError):
            ray.kill(actor)

    def _send_end(self, id: str, how: str, reason: str) -> None:
        self._channel.send({"type": "ended", "id": id, "how": how, "reason": reason})

    def _name(self, node_id: str) -> str:
        if node_id not in self._names:  # It is new.
            self._look()
        return self._names.get(node_id, node_id[:8])

    def _look(self) -> None:
        """Says what nodes there are, if that has changed."""
        before = self._seen
        if self._nodes() != before:
            self._channel.send({"type": "nodes", **self._seen})

    def _nodes(self) -> dict[str, Any]:
        """The nodes that are alive, and what of the cluster is free."""
        try:
            nodes, free = list_nodes()
        except (RayError, RuntimeError, ValueError, OSError) as error:
            raise _EndError(explain_silence(error)) from error
        self._names.update({node["id"]: node["name"] for node in nodes})
        self._seen = {"nodes": nodes, "free": free}
        return self._seen


def _first_lines(error: RayError) -> str:
    """Ray's reason, in one line, without the ids that it repeats."""
    lines = [line.strip() for line in str(error).splitlines()]
    told = [
        line for line in lines if line and not line.startswith(("class_name:", "actor_id:", "namespace:"))
    ]
    return " ".join(told)[:500]
