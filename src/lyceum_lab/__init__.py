"""Trying Lyceum without AWS: the emulator, the rehearsal on one machine, the proofs. Production never needs it."""
