"""`python -m cliprpn.worker`: a warm process that runs attempts, below any launcher."""
