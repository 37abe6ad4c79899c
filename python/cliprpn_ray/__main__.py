"""Starts and ends actors of a Ray cluster for the process that started it: `python -m cliprpn_ray`.

Reads a `RaySetup`, then `RayRequest`s from stdin, one a line, and writes `RayMessage`s to stdout
(src/contract/schema/ray-message.schema.json). At the end of stdin it ends all actors and exits. It decides nothing.
"""

from __future__ import annotations

from cliprpn_ray.channel import Channel
from cliprpn_ray.explain import explain_missing


def main() -> int:
    channel = Channel()
    try:
        # After the channel has taken stdout: Ray prints there.
        from cliprpn_ray.connect import connect
        from cliprpn_ray.driver import Driver
    except ImportError as error:
        channel.send({"type": "failed", "message": explain_missing(error)})
        return 1
    setup = channel.receive_setup()
    if setup is None:
        return 0
    problem = connect(setup["address"], setup["connect_s"])
    if problem is not None:
        channel.send({"type": "failed", "message": problem})
        return 1
    problem = Driver(channel, setup).run()
    if problem is not None:
        channel.send({"type": "failed", "message": problem})
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
