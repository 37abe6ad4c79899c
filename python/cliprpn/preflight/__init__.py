"""Checks of `cliprpn preflight`: whether this machine, the weights and the data work, on a small part of a trial."""
