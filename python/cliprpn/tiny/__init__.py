"""How cliprpn-tiny was trained: `python -m cliprpn.tiny --scenes DIR --out DIR`."""
