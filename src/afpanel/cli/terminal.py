"""Text for a terminal: what a file says must not steer it."""


def visible(text: str) -> str:
    """Spell out characters that a terminal would act on, or not show, but for the ends of lines.

    >>> visible("Kinh in Hà Nội")
    'Kinh in Hà Nội'
    >>> print(visible("\\x1b[2Jok \\u202etxt"))
    \\x1b[2Jok \\u202etxt
    """
    return "".join(c if c.isprintable() or c == "\n" else ascii(c)[1:-1] for c in text)
