"""The functions that TypeScript calls: JSON text in, JSON text out; exceptions become error envelopes."""
