"""Week 2: the decoder, from a table of embeddings to a whole language model."""
