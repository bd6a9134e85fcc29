"""Declared servers that boot: a Debian root in the place of Amazon's image, and machines that start from it."""
