"""Word ids to probabilities, without torch."""
