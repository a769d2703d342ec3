"""From files of others to tokens."""
