"""Measurements of the product on real engines and the real model. Not part of what is installed."""
