"""What a run is: its settings, checked before any job."""
