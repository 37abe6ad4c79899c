"""A Hydra app whose `--multirun` runs trials, one after the other with the basic launcher."""

from __future__ import annotations

from dataclasses import dataclass

import hydra
from hydra.core.config_store import ConfigStore
from trial import run_trial


@dataclass
class Config:
    """Of one trial."""

    folder: str = ""
    with_torch: bool = False
    seed: int = 0


ConfigStore.instance().store(name="config", node=Config)


@hydra.main(version_base=None, config_path=None, config_name="config")
def main(config: Config) -> float:
    """One trial."""
    return run_trial(config.folder, with_torch=config.with_torch)


if __name__ == "__main__":
    main()
