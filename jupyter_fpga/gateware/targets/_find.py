"""A target by its name: one of the lab's own, or any board that LiteX knows."""

from jupyter_fpga.gateware.errors import DesignError

from ._litex import PREFIX, litex_target
from ._target import Target

__all__ = ("find_target",)


def find_target(name: str) -> Target:
    """The target that ``name`` means.

    Parameters
    ----------
    name
        A name in :data:`TARGETS`, or ``litex:`` and the name of a platform of the package ``litex_boards``.

    Raises
    ------
    DesignError
        ``unknown_target``: there is none of that name; ``unsupported_target``: LiteX knows the board, but the lab can't
        use it.
    """
    if name.startswith(PREFIX):
        return litex_target(name.removeprefix(PREFIX))
    from . import TARGETS

    if name not in TARGETS:
        raise DesignError(
            f"There is no target {name!r}; `jupyter fpga targets` lists what there is, and {PREFIX}NAME is any "
            "platform of LiteX.",
            code="unknown_target",
        )
    return TARGETS[name]
