"""Programs for a server in the place of Amazon's own, which Debian's registry does not have.

Each is one file that is copied onto the server: Debian 12's Python and python3-boto3 are all it may import.
"""

from pathlib import Path

FOLDER = Path(__file__).resolve().parent
