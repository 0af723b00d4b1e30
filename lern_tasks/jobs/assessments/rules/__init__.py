"""Pure: what an attempt scores, and what counts."""
