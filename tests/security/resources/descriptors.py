"""Which descriptors it was born with."""

import os

found = []
for number in range(3, 65536):
    try:
        os.fstat(number)
    except OSError:
        continue
    found.append(number)
print(found, sorted(os.environ))
