"""The WSGI entry point that a server such as granian loads: `lyceum.wsgi:application`."""

import os

from django.core.wsgi import get_wsgi_application

from lyceum import environment
from lyceum.web import logs

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "lyceum.settings")
in_json = environment.text("LOG_FORMAT") == "json"
try:
    application = get_wsgi_application()
except Exception as error:
    if in_json:
        logs.cannot_start(error)
    raise
if in_json:
    logs.capture_the_rest()
