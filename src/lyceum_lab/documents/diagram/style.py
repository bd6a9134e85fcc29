"""Colours and lines, once for both formats. AWS's colours are those of its architecture icons (release of 2023)."""

from __future__ import annotations

from dataclasses import dataclass

INK, GREY, RED, PAPER = "#232F3E", "#545B64", "#C7131F", "#FFFFFF"
FONT = "Helvetica, Arial, 'Liberation Sans', system-ui, sans-serif"

CATEGORIES = {
    "compute": "#ED7100",
    "storage": "#7AA116",
    "database": "#C925D1",
    "network": "#8C4FFF",
    "security": "#DD344C",
    "management": "#E7157B",
    "general": "#232F3E",
    "developer": "#C925D1",
}


@dataclass(frozen=True)
class GroupStyle:
    """Border and ground of a group; `icon` is draw.io's corner icon, none for the ones without."""

    stroke: str
    font: str
    fill: str = "none"
    icon: str = ""
    dash: str = ""
    name: str = ""  # in the legend


GROUPS = {
    "cloud": GroupStyle(INK, INK, icon="group_aws_cloud_alt", name="AWS Cloud"),
    "region": GroupStyle("#00A4A6", "#147EBA", icon="group_region", dash="3 3", name="region"),
    "vpc": GroupStyle("#8C4FFF", "#6B32D1", icon="group_vpc2", name="VPC"),
    "zone": GroupStyle("#147EBA", "#147EBA", dash="6 4", name="availability zone"),
    "public": GroupStyle("#7AA116", "#248814", "#F2F6E8", icon="group_security_group", name="public subnet"),
    "private": GroupStyle("#00A4A6", "#147EBA", "#E6F6F7", icon="group_security_group", name="private subnet"),
    "scaling": GroupStyle("#D86613", "#A84E0B", dash="6 4", icon="", name="auto scaling group"),
    "kept": GroupStyle("#7AA116", "#248814", PAPER, name="what is kept"),
    "box": GroupStyle("#8C97A5", GREY, "#F7F8FA", name="belongs together"),
    "host": GroupStyle(INK, INK, name="one machine"),
    "space": GroupStyle("#147EBA", "#147EBA", "#EEF5FB", dash="6 4", name="network namespace"),
}


@dataclass(frozen=True)
class EdgeStyle:
    """A line; `name` stands in the legend."""

    stroke: str
    name: str
    dash: str = ""
    width: float = 1.6


EDGES = {
    "call": EdgeStyle(INK, "opens a connection, sends or starts"),
    "data": EdgeStyle("#5A7D10", "copies, logs or measures"),
    "part": EdgeStyle("#6B7785", "replicates, watches or belongs to", dash="5 4"),
    "alert": EdgeStyle("#C7131F", "alerts"),
}
TONES = {  # fill, border
    "plain": ("#FFFFFF", "#8C97A5"),
    "group": ("#FFF5F6", "#DD344C"),
    "stage": ("#FBF1FC", "#C925D1"),
    "kernel": ("#EEF5FB", "#147EBA"),
    "process": ("#FFF7EF", "#ED7100"),
    "store": ("#F2F6E8", "#7AA116"),
}

# The legend's words for a category.
NAMES = {
    "compute": "compute",
    "storage": "storage, budget",
    "database": "database",
    "network": "network",
    "security": "security, mail",
    "management": "management",
    "developer": "developer tools",
}


def legend_entry(entry: str) -> tuple[str, str, str]:
    """Kind of sample, its name and its text: of a category, `edge:look` or `group:kind`."""
    kind, _, name = entry.rpartition(":")
    if kind == "edge":
        return kind, name, EDGES[name].name
    if kind == "group":
        return kind, name, GROUPS[name].name
    return "tile", name, NAMES[name]
