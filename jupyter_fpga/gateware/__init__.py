"""What a design becomes: elaborated, synthesized, and compiled. Runs inside the sandbox."""
