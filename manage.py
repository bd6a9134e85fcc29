#!/usr/bin/env python
"""Django's command line for the platform: `python manage.py prepare`, `load_course`, `create_user` and so on."""

import os
import sys
from pathlib import Path


def main() -> None:
    sys.path.insert(0, str(Path(__file__).resolve().parent / "src"))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "lyceum.settings")
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line  # once the settings' name is known

    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        sys.exit(f"FAILED settings: {error}")


if __name__ == "__main__":
    main()
