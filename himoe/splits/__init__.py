"""Which trials are trained on, validated on, tested on."""
