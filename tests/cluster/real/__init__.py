"""Tests on a cluster whose pods run: the product's own images, three workshops by the script."""
