"""Week 4: generation, from the next token to a model that others can use."""
