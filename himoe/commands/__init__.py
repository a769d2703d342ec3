"""``python -m himoe COMMAND``: questions that need no workflow."""
