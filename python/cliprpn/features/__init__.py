"""Features of the frozen CLIP: computed once, stored as memory-mapped arrays, shared by all trials."""
