"""Who uses the platform: one account per person, signed in by email, with one role."""
