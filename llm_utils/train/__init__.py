"""Week 3: from raw text to batches, and from batches to a trained model."""
