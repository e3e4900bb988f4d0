import sys
from pathlib import Path

# The model of the board is shared by the tests here and by nobody else.
sys.path.insert(0, str(Path(__file__).parent))
