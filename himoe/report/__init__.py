"""From scores to one page."""
