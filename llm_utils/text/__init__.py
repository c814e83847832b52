"""Week 1: from text to tokens, and the world the book's stories come from."""
