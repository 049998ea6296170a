"""Networks and their training, with torch."""
