"""A file as large as all its disk, of nothing but a hole; and one that is larger."""

import os

with open("sparse", "wb") as file:
    file.truncate(64 << 20)
    size = os.fstat(file.fileno()).st_size
    try:
        file.truncate(65 << 20)
    except OSError as error:
        print(size, error.strerror)
