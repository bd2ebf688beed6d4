"""The command line: one module per command, each no more than options and one call of a stage."""
