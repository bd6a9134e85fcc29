"""How wide a text is in Helvetica or Arial, which share their widths, without a font at hand.

Widths are Adobe's Helvetica metrics, in thousandths of the font's size, from the space to the tilde.
"""

from __future__ import annotations

_WIDTHS = (
    278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278, 556, 556, 556, 556, 556, 556, 556,
    556, 556, 556, 278, 278, 584, 584, 584, 556, 1015, 667, 667, 722, 722, 667, 611, 778, 722, 278, 500, 667, 556, 833,
    722, 778, 667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 278, 278, 278, 469, 556, 333, 556, 556, 500, 556,
    556, 278, 556, 556, 222, 222, 500, 222, 833, 556, 556, 556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334,
    260, 334, 584,
)  # fmt: skip
_OTHER = 600  # dashes, arrows, dots
_BOLD = 1.08


def width(text: str, size: float, *, bold: bool = False) -> float:
    """Pixels that one line of text takes."""
    units = sum(_WIDTHS[ord(c) - 32] if 32 <= ord(c) < 127 else _OTHER for c in text)
    return units * size / 1000 * (_BOLD if bold else 1)
