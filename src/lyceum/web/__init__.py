"""How the site looks and defends itself: the base templates, the style sheet, error pages, headers and health."""
