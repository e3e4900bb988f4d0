"""A line that loses, doubles, invents and delays bytes."""

import random
from collections import Counter


class Line:
    """Spoils what passes by, one fault at a time, far enough apart for one batch not to have two of them.

    Parameters
    ----------
    checked
        What is on the line has checks: every kind of fault may come, anywhere. Else only those that must be noticed.
    """

    def __init__(self, seed: int, every: int, *, checked: bool = False) -> None:
        self.checked = checked
        self.random = random.Random(seed)
        self.every = every
        self.left = every
        self.held: list[bytes] = []
        self.faults: Counter[str] = Counter()

    def to_board(self, data: bytes) -> bytes:
        return self._pass(data, "requests")

    def to_host(self, data: bytes) -> bytes:
        if self.held:
            # What was held back comes late, before what comes now.
            late, self.held = b"".join(self.held), []
            return late + data
        return self._pass(data, "answers")

    def _pass(self, data: bytes, way: str) -> bytes:
        self.left -= len(data)
        if self.left > 0 or not data:
            return data
        self.left = self.every + self.random.randrange(self.every)
        at = self.random.randrange(len(data))
        end = at + self.random.randint(1, 8)
        if way == "requests" and not self.checked:
            # An even number of bytes more or less in a write may hide itself; see the pipeline's description.
            at = max(0, at - (len(data) - at - 1) % 2)
            end = at + self.random.randrange(1, 8, 2)
        kinds = ["lost", "doubled", "invented", "rest lost", "late", *(["changed"] if self.checked else [])]
        kind = self.random.choice(kinds)
        if kind == "late" and way == "requests":
            kind = "lost"
        self.faults[f"{way} {kind}"] += 1
        if kind == "lost":
            return data[:at] + data[end:]
        if kind == "doubled":
            return data[:end] + data[at:]
        if kind == "changed":
            return data[:at] + bytes(byte ^ self.random.randrange(1, 256) for byte in data[at:end]) + data[end:]
        if kind == "invented":
            return data[:at] + bytes(self.random.choices(range(0x10, 0x100), k=end - at)) + data[at:]
        if kind == "late":
            self.held.append(data[at:])
        return data[:at]
