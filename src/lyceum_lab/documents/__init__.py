"""Documents that are made from what they describe, so that they cannot drift from it.

design.py   docs/design.md from docs/design.yaml: requirement, decision, module, and the test that shows it
"""
