"""What an author learns of the questions in their workshop: how many, which found no answer, and where people stay long."""
