"""Boards: the state machine, board sessions, jobs, drivers and the Wishbone link."""
