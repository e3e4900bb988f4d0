"""The Wishbone link of a board: many requests in flight, never a hang."""
