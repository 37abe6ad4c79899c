"""Reads, copies, computes and writes at the same time, in order and with bounded memory."""
