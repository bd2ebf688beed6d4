"""The nouns of the panel: cohorts, cells, groups, regions, and the arrays of its stores."""
