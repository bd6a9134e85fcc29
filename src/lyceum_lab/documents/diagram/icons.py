"""The icons by what they stand for: draw.io's own AWS shape for the .drawio, a drawing of ours for the .svg.

AWS's artwork is not copied here: the .drawio names the shapes that draw.io carries (mxgraph.aws4), and the .svg has
plain glyphs of ours (icons.toml) in the colour of AWS's category. A service is a filled tile, a resource of one a bare
glyph, as AWS draws them.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

from lyceum_lab.documents.diagram.style import CATEGORIES


@dataclass(frozen=True)
class Icon:
    """`shape` is the name in mxgraph.aws4; `service` whether it is a tile; `glyph` an SVG path, 24 by 24, stroked."""

    shape: str
    category: str
    service: bool
    glyph: str
    size: tuple[int, int] = (1, 1)  # as draw.io proposes the shape, if it is not square

    @property
    def colour(self) -> str:
        return CATEGORIES[self.category]


ICONS = {name: Icon(**icon) for name, icon in tomllib.loads(Path(__file__).with_name("icons.toml").read_text()).items()}
