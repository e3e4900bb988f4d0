"""The kernel's face: cell magic, line magics and the board handle."""
