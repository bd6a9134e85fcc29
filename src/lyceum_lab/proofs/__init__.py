"""Proofs: each takes one promise of the infrastructure, tries it on the emulated AWS, and says what it found.

report.py   promises kept and broken, counted in one closing line
cloud.py    an emulated account of the proof's own, bootstrapped, with a deployer
iam.py      the deployer's rights, decided call by call: enough, no way up, nothing idle
apply.py    dev and prod applied, changed and destroyed with the code that operates AWS
network/    who reaches whom, read back from the applied state, held against a list of its own
"""
