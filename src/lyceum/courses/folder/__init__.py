"""A course is a folder: reading one, finding everything wrong with it, loading it.

The work has two halves so that nothing is half loaded. `reading` is pure: it turns a folder into dataclasses and
collects every fault with file and line, and touches neither database nor content store. `loading` takes what was read
without a fault and brings media, then rows, in line with it.
"""
