"""Week 5: alignment, from a model of text to one that does what is asked."""
