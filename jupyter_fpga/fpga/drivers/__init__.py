"""How the lab reaches a board."""
