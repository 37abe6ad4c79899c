"""What TypeScript calls: JSON text in, JSON text out; exceptions become error envelopes."""
