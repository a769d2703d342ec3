"""From tokens and splits to fitted weights."""
