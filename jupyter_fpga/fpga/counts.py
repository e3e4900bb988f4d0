"""What the lab counts since it was started."""

from collections import Counter

__all__ = ("Counts",)


class Counts:
    """Numbers that only grow."""

    def __init__(self) -> None:
        self.jobs: Counter[tuple[str, str]] = Counter()
        self.stream_frames: Counter[str] = Counter()
        self.stream_words: Counter[str] = Counter()

    def job(self, type_: str, status: str) -> None:
        """A job ended."""
        self.jobs[type_, status] += 1

    def frames(self, owner: str, frames: int, words: int) -> None:
        """Frames of a stream were carried out."""
        self.stream_frames[owner] += frames
        self.stream_words[owner] += words
