"""What may not be said, to the assistant or by it: checks with a verdict each, and the levels that choose among them."""
