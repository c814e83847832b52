"""What the maintainers of the book run; `make help` lists it."""
