"""The stages of the panel, each a function from files to files. Paths and scheduling are not theirs."""
