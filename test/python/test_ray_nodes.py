"""What the driver says of nodes, with a stand-in for Ray."""

import importlib
import sys
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest


def node(id: str, name: str, **changes: Any) -> dict[str, Any]:
    resources = {"CPU": 2.0, "memory": 1e9, f"node:{name}": 1.0}
    address = {"NodeManagerAddress": "10.0.0.1", "NodeManagerHostname": "host"}
    return {"NodeID": id, "NodeName": name, "Alive": True, "Resources": resources, **address, **changes}


def listed(monkeypatch: pytest.MonkeyPatch, nodes: list[dict[str, Any]], **parts: Any) -> Any:
    ray = ModuleType("ray")
    vars(ray).update(nodes=lambda: nodes, available_resources=lambda: {"CPU": 3.0, "memory": 1e9}, **parts)
    monkeypatch.setitem(sys.modules, "ray", ray)
    monkeypatch.delitem(sys.modules, "cliprpn_ray.nodes", raising=False)
    module = importlib.import_module("cliprpn_ray.nodes")
    del sys.modules["cliprpn_ray.nodes"]
    return module.list_nodes()


def test_nodes_that_are_drained_are_told_apart_and_nothing_of_them_is_free(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    free = {"a1": {"CPU": 1.0, "node:a": 1.0}, "b2": {"CPU": 2.0}, "c3": {"CPU": 1.0}}
    state = SimpleNamespace(
        state=SimpleNamespace(get_draining_nodes=lambda: {"b2": 0}),
        available_resources_per_node=lambda: free,
    )
    nodes = [node("a1", "a"), node("b2", "b"), node("c3", "c"), node("d4", "d", Alive=False)]
    found, amounts = listed(monkeypatch, nodes, _private=SimpleNamespace(state=state))
    assert [(each["name"], each["is_draining"]) for each in found] == [
        ("a", False),
        ("b", True),
        ("c", False),
    ]
    assert amounts == {"CPU": 2.0}


def test_a_ray_that_does_not_list_what_it_drains_drains_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    found, amounts = listed(monkeypatch, [node("a1", "")])
    assert found == [{"id": "a1", "name": "host", "total": {"CPU": 2.0}, "is_draining": False}]
    assert amounts == {"CPU": 3.0}


def test_nodes_of_one_name_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    found, _ = listed(monkeypatch, [node("aaaaaaaa", "n"), node("bbbbbbbb", "n"), node("cc", "m")])
    assert [each["name"] for each in found] == ["n/aaaaaa", "n/bbbbbb", "m"]
