"""A learner's progress: what was watched, where to resume, what is completed.

Kept apart from the other data because it is written every few seconds by everyone who is watching and grows without
bound. Everything here is built so that reports may be repeated, delayed and reordered and still end in the same state.
"""
