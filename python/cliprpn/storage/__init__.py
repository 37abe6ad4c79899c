"""Files that survive a kill: atomic writes, locks, caches; and files of weights and specs."""
