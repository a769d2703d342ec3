"""What people take home: a trained model in a folder of its own, recordings of their own, predictions of these."""
