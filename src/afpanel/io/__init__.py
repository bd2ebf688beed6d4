"""Files: reading inputs, the stores in between, and writing what is published."""
