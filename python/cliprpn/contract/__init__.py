"""The contract's models, generated from src/contract/schema."""
