"""Messages written without sight of the rules that judge them."""
