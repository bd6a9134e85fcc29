"""The WSGI entry point that a server such as granian loads: `lyceum.wsgi:application`."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "lyceum.settings")
application = get_wsgi_application()
