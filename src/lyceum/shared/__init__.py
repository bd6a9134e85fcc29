"""Files that the people of a course share among each other, in one file tree that every server sees."""
