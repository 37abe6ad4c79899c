"""Trains cliprpn-tiny: `python -m cliprpn.tiny --scenes DIR --out DIR`."""
