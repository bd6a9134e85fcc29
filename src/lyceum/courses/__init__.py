"""What is taught: courses, their sections and lessons, and who is enrolled."""
