"""Checks of the built HTML book, in a browser and without one."""
