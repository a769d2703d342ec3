"""From fitted weights to scores."""
