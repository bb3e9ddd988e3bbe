"""The images: built, looked through, and run as a cluster runs them."""
