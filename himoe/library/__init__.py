"""What ``import himoe`` offers: Hi-MoE on one's own recordings, without the workflow."""
