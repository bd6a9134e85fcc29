"""Reading settings from the environment, so that `settings.py` reads as a list of decisions.

A value that cannot be understood stops the start with one sentence that names the variable, what was given and what
is allowed.
"""

import os
import re
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

TRUE = {"1", "true", "yes", "on"}
FALSE = {"", "0", "false", "no", "off"}


def text(name: str, default: str = "") -> str:
    """The variable without surrounding blanks; an empty one counts as not given."""
    return os.environ.get(name, "").strip() or default


def flag(name: str) -> bool:
    given = text(name).lower()
    if given in TRUE:
        return True
    if given in FALSE:
        return False
    raise ImproperlyConfigured(f"{name}={given!r} is neither yes nor no: use 1 or 0.")


def count(name: str, default: int) -> int:
    given = text(name, str(default))
    if not given.isdecimal():
        raise ImproperlyConfigured(f"{name}={given!r} is not a whole number.")
    return int(given)


def choice(name: str, allowed: list[str]) -> str:
    """One of the words; the first when none is given."""
    given = text(name, allowed[0])
    if given not in allowed:
        raise ImproperlyConfigured(f"{name}={given!r} is none of {', '.join(allowed)}.")
    return given


def names(name: str, default: str) -> list[str]:
    return [part.strip() for part in text(name, default).split(",") if part.strip()]


def kept_secret(path: Path) -> str:
    """The secret in `path`, made at random (mode 600) when there is none yet.

    Several processes may start at once: the first to link its file wins and all read the same secret.
    """
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        mine = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
        descriptor = os.open(mine, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(48))
        try:
            os.link(mine, path)
        except FileExistsError:
            pass
        finally:
            mine.unlink()
    kept = path.read_text().strip()
    if len(kept) < 32:
        raise ImproperlyConfigured(f"{path} holds no usable secret: delete it and a new one is made.")
    return kept


def mail(url: str) -> Mapping[str, Any]:
    """Django's EMAIL_* settings from `smtp://user:password@host:port` (`smtps://` for TLS from the first byte) or
    `ses://configuration-set`.
    """
    parts = urlsplit(url)
    if parts.scheme == "ses" and re.fullmatch(r"[A-Za-z0-9_-]{0,64}", parts.netloc) and not parts.path.strip("/"):
        return {"EMAIL_BACKEND": "lyceum.accounts.mail.SesBackend", "SES_CONFIGURATION_SET": parts.netloc}
    if parts.scheme not in {"smtp", "smtps"} or not parts.hostname:
        raise ImproperlyConfigured(
            "EMAIL_URL must look like smtp://user:password@host:587, smtps://…:465 or ses://configuration-set."
        )
    secure = parts.scheme == "smtps"
    return {
        "EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
        "EMAIL_HOST": parts.hostname,
        "EMAIL_PORT": parts.port or (465 if secure else 587),
        "EMAIL_HOST_USER": unquote(parts.username or ""),
        "EMAIL_HOST_PASSWORD": unquote(parts.password or ""),
        "EMAIL_USE_SSL": secure,
        "EMAIL_USE_TLS": not secure and bool(parts.username),
        "EMAIL_TIMEOUT": 10,
    }
