"""Documents that are made from what they describe, so that they cannot drift from it.

tables.py             rows of YAML, by area
pointers.py           what a row points at, and whether that is there
design.py             docs/design.md from docs/design.yaml: requirement, decision, module, and the test that shows it
well_architected.py   docs/well-architected.md from its YAML: pillar, control, resource, and the test that shows it
threat_model.py       docs/explanation/threat-model.md from its YAML: part, kind, threat, and the test that answers it
reference/            docs/reference from the code: commands, settings, Terraform, the API, alarms
site/                 docs/ as a site
"""
