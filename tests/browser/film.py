"""Animations for the documentation: what a page shows while a test goes its way."""

import io
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any, Self

from PIL import Image
from playwright.sync_api import Locator, Page

#: Seconds that a picture is seen at least: more pictures make the file larger, and nobody sees them.
SHORTEST = 1 / 12
#: Seconds from picture to picture at least: a simulated board needs the processor, too.
_PAUSE = 0.15
#: A caret that blinks would be most of a film.
_NO_CARET = ".cm-cursorLayer { visibility: hidden !important }"


@dataclass
class _Scene:
    """Pictures with the times at which they were taken, s."""

    at_most: float
    at_least: float
    shots: list[tuple[float, bytes]] = field(default_factory=list)

    def frames(self) -> Iterator[tuple[bytes, float]]:
        """Pictures in order and how long each is seen, s; a long scene is fast motion."""
        length = self.shots[-1][0] - self.shots[0][0]
        pace = min(1.0, self.at_most / length) if length else 1.0
        for (begin, shot), (end, _) in pairwise(self.shots):
            yield shot, (end - begin) * pace
        yield self.shots[-1][1], max(SHORTEST, self.at_least)


class Film:
    """With ``MAKE_PICTURES=1`` a film of a part of a page; without, nothing but what the test does.

    Pictures are taken when the browser has drawn something, and kept if they differ from the one before. What happens
    outside scenes is cut.

    Parameters
    ----------
    page, view
        The page, and the part of it that is filmed; it stays where it is.
    path
        Where the animated WebP is written at the end.
    """

    def __init__(self, page: Page, view: Locator, path: Path) -> None:
        self.runs = bool(os.environ.get("MAKE_PICTURES"))
        self._page = page
        self._view = view
        self._path = path
        self._scenes: list[_Scene] = []
        self._open = False

    def __enter__(self) -> Self:
        if self.runs:
            self._page.add_style_tag(content=_NO_CARET)
            self._clip = self._view.bounding_box()
            self._browser = self._page.context.new_cdp_session(self._page)
            self._browser.on("Page.screencastFrame", self._drawn)
            # These pictures only say that there is something new: they are not as sharp as the screen.
            self._browser.send("Page.startScreencast", {"format": "jpeg", "quality": 1, "maxWidth": 8, "maxHeight": 8})
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if self.runs:
            self._browser.remove_listener("Page.screencastFrame", self._drawn)
            self._browser.detach()
            if kind is None:
                self._develop()

    @contextmanager
    def scene(self, *, at_most: float = 60, at_least: float = 0) -> Iterator[None]:
        """Film what happens meanwhile.

        Parameters
        ----------
        at_most
            How long it may last in the film, s; what takes longer is shown faster.
        at_least
            How long its last picture stays, s.
        """
        if not self.runs:
            yield
            return
        self._scenes.append(_Scene(at_most, at_least))
        self._shoot()
        self._open = True
        try:
            yield
        finally:
            self._open = False
        self._shoot()

    def way(self, begin: int, end: int, step: int) -> list[int]:
        """Values on the way from one to another when that is filmed, otherwise only the last."""
        return [*range(begin, end, step), end] if self.runs else [end]

    def _shoot(self) -> None:
        self._shot_at = time.monotonic()
        self._scenes[-1].shots.append((self._shot_at, self._page.screenshot(clip=self._clip)))

    def _drawn(self, event: dict[str, Any]) -> None:
        if self._open and time.monotonic() - self._shot_at > _PAUSE:
            self._shoot()
        self._browser.send("Page.screencastFrameAck", {"sessionId": event["sessionId"]})

    def _develop(self) -> None:
        """Write the film."""
        pictures: list[Image.Image] = []
        seconds: list[float] = []
        for scene in self._scenes:
            scene.shots.sort(key=lambda shot: shot[0])
            for shot, shown in scene.frames():
                picture = Image.open(io.BytesIO(shot)).convert("RGB")
                if pictures and pictures[-1].tobytes() == picture.tobytes():
                    seconds[-1] += shown
                elif pictures and seconds[-1] < SHORTEST:
                    pictures[-1] = picture
                    seconds[-1] += shown
                else:
                    pictures.append(picture)
                    seconds.append(shown)
        self._path.parent.mkdir(exist_ok=True)
        pictures[0].save(
            self._path,
            save_all=True,
            append_images=pictures[1:],
            duration=[round(1000 * shown) for shown in seconds],
            lossless=True,
            method=6,
            minimize_size=True,
        )
