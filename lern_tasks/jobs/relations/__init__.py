"""A published course becomes the relation keys that other jobs count by."""
