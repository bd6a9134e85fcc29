"""Starts the platform: asks Secrets Manager for its secrets, then becomes the web server. Run by systemd.

With `selftest` it becomes `manage.py selftest --release` instead: what install.sh asks before anything is started.

The secrets stand in the server's environment and nowhere else: in no file, no argument, no log. A password that is
changed later the platform fetches by itself, when a login fails (lyceum.postgresql).
"""

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

RELEASE = Path(__file__).resolve().parents[1]
NEEDED = (
    "AWS_REGION", "LYCEUM_DATABASE_ADDRESS", "LYCEUM_DATABASE_PORT", "LYCEUM_DATABASE_NAME",
    "LYCEUM_DATABASE_SECRET_ARN", "LYCEUM_SECRET_KEY_ARN",
)  # fmt: skip
ROLE = "lyceum_app"  # what the servers work as (manage.py grant_application_role)
CONFIGURATION_IS_WRONG = 78  # EX_CONFIG


class Refused(Exception):
    """The platform cannot be started; the message says why, and holds no secret."""


def secret(arn: str, region: str) -> str:
    """The text that Secrets Manager keeps under `arn`."""
    import boto3
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError, ClientError

    patience = Config(connect_timeout=5, read_timeout=10, retries={"total_max_attempts": 3, "mode": "standard"})
    try:
        found = boto3.client("secretsmanager", region_name=region, config=patience).get_secret_value(SecretId=arn)
    except ClientError as error:
        raise Refused(f"Secrets Manager answers {error.response['Error']['Code']} to {arn}") from error
    except BotoCoreError as error:
        raise Refused(f"Secrets Manager was not reached for {arn}: {error}") from error
    if not (text := found.get("SecretString", "")):
        raise Refused(f"the secret {arn} is empty")
    return str(text)


def environment(settings: Mapping[str, str], password: str, secret_key: str) -> dict[str, str]:
    """The web server's environment: the settings, where the release lies, and what opens the database."""
    mode = settings.get("LYCEUM_DATABASE_SSLMODE", "require")
    return {
        **{name: value for name, value in settings.items() if name != "NOTIFY_SOCKET"},
        "DATABASE_URL": f"postgresql://{ROLE}:{quote(password, safe='')}@{settings['LYCEUM_DATABASE_ADDRESS']}"
        f":{settings['LYCEUM_DATABASE_PORT']}/{settings['LYCEUM_DATABASE_NAME']}"
        # A database that says nothing must make the server unhealthy, not mute.
        f"?sslmode={mode}&connect_timeout=5",
        "DATABASE_PASSWORD_SECRET": settings["LYCEUM_DATABASE_SECRET_ARN"],
        "SECRET_KEY": secret_key,
        "COLLECTED_STATIC": "1",
        "LYCEUM_VAR_DIR": str(RELEASE),
        "PYTHONPATH": str(RELEASE / "src"),
        "PYTHONUNBUFFERED": "1",
    }


def watch() -> None:
    """Leave a child behind that tells systemd whether the platform answers. Before anything large is imported."""
    if "NOTIFY_SOCKET" in os.environ and os.fork() == 0:
        import watchdog  # beside this file

        watchdog.run(os.environ)


def main(words: list[str]) -> None:
    testing = words == ["selftest"]
    if missing := [name for name in NEEDED if not os.environ.get(name)]:
        raise Refused(f"{missing[0]} is not set")
    if not testing:
        watch()
    region = os.environ["AWS_REGION"]
    password, secret_key = (
        secret(os.environ[name], region) for name in ("LYCEUM_DATABASE_SECRET_ARN", "LYCEUM_SECRET_KEY_ARN")
    )
    program = [RELEASE / "manage.py", "selftest", "--release"] if testing else [RELEASE / "instance" / "serve.py"]
    os.execve(  # noqa: S606 - to become the server is the point
        sys.executable,
        [sys.executable, *map(str, program)],
        environment(os.environ, password, secret_key),
    )


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except Refused as why:
        print(f"lyceum: the platform is not started: {why}", file=sys.stderr, flush=True)
        sys.exit(CONFIGURATION_IS_WRONG)
