"""The text that a board answers when it is asked who it is, as C++."""

__all__ = ("identifier_source",)

#: Characters of the identifier memory, without the closing NUL.
_LONGEST = 63


def identifier_source(text: str) -> str:
    """The header that defines what the identifier memory holds.

    Raises
    ------
    ValueError
        It doesn't fit, or isn't plain ASCII.
    """
    if len(text) > _LONGEST or not text.isascii() or not text.isprintable():
        raise ValueError(f"An identifier has at most {_LONGEST} printable ASCII characters, not {text!r}.")
    codes = ", ".join(str(ord(character)) for character in text)
    return f"namespace lab {{\nextern const char kIdentifier[] = {{{codes}{', ' if codes else ''}0}};\n}}\n"
