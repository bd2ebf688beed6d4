"""The rules of genetics and disclosure, on arrays. Nothing here knows a file."""
