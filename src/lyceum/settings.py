"""What the platform is made of and where it keeps things.

Everything that differs between a laptop and a server comes from the environment and has a default that needs no
server and no account: SQLite, files under `var/`, no mail. The same code runs in both; only these addresses change.

| variable | default | meaning |
|---|---|---|
| LYCEUM_VAR_DIR | `<repository>/var` | base of every default below |
| DATABASE_URL | SQLite in the var directory | student data |
| DATABASE_PASSWORD_SECRET | none | ARN in Secrets Manager of a PostgreSQL password that may change meanwhile |
| CONTENT_URL | `file://<var>/content` | course materials: `file:///folder` or `s3://bucket` |
| PROGRESS_URL | `database:` | course progress: `database:` or `dynamodb://table` |
| SHARED_FILES_DIR | `<var>/shared` | files that students share |
| SECRET_KEY | made once, kept in the var directory | must be given when DATABASE_URL is, unless LYCEUM_DEBUG |
| ALLOWED_HOSTS | this machine | names the site answers to, with commas |
| SECURE | 0 | 1 behind TLS: secure cookies, HSTS, redirects to https |
| TRUSTED_PROXIES | 0 | proxies in front that set X-Forwarded-For; rate limits count by the address they report |
| EMAIL_URL | none | `smtp://user:password@host:587`; with it addresses are verified and passwords can be reset |
| EMAIL_FROM | `Lyceum <no-reply@localhost>` | sender of that mail |
| COLLECTED_STATIC | 0 | 1 serves what `collectstatic` left in `<var>/static`, with names that change with the content |
| LYCEUM_DEBUG | 0 | 1 shows tracebacks to everyone: never on a server |
"""

from pathlib import Path
from typing import Any

import dj_database_url
from django.core.exceptions import ImproperlyConfigured
from django.urls import reverse_lazy

from lyceum import environment

BASE_DIR = Path(__file__).resolve().parents[2]
VAR_DIR = Path(environment.text("LYCEUM_VAR_DIR", str(BASE_DIR / "var"))).absolute()

# Under a name of its own: other tools read DEBUG and give it values that are no flag.
DEBUG = environment.flag("LYCEUM_DEBUG")
SECURE = environment.flag("SECURE")
ALLOWED_HOSTS = environment.names("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]")

DATABASE_URL = environment.text("DATABASE_URL")
SECRET_KEY = environment.text("SECRET_KEY")
if not SECRET_KEY:
    if DATABASE_URL and not DEBUG:
        raise ImproperlyConfigured(
            "SECRET_KEY is not set: with a database of its own the platform needs a secret that all its servers share."
        )
    SECRET_KEY = environment.kept_secret(VAR_DIR / "secret-key")

# --- Applications and the path of a request -------------------------------------------------------------------------

INSTALLED_APPS = [
    "lyceum.web",
    "lyceum.accounts",
    "lyceum.courses",
    "lyceum.content",
    "lyceum.progress",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
]

MIDDLEWARE = [
    # Before everything that looks at the host: a load balancer asks by address.
    "lyceum.web.middleware.HealthMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "lyceum.web.middleware.ContentSecurityPolicyMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "lyceum.web.middleware.BodyLimitMiddleware",
    "lyceum.web.middleware.ApiRefusalMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
]

ROOT_URLCONF = "lyceum.urls"
WSGI_APPLICATION = "lyceum.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# --- Where things are kept ------------------------------------------------------------------------------------------

DATABASES: dict[str, Any] = {
    "default": dj_database_url.parse(
        DATABASE_URL or f"sqlite:///{VAR_DIR / 'lyceum.sqlite3'}", conn_max_age=60, conn_health_checks=True
    )
}
DATABASE_PASSWORD_SECRET = environment.text("DATABASE_PASSWORD_SECRET")
if DATABASE_PASSWORD_SECRET and DATABASES["default"]["ENGINE"] == "django.db.backends.postgresql":
    DATABASES["default"]["ENGINE"] = "lyceum.postgresql"
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    Path(DATABASES["default"]["NAME"]).parent.mkdir(parents=True, exist_ok=True)
    DATABASES["default"]["OPTIONS"] = {
        # Take the write lock at BEGIN: a transaction that reads and then writes would fail at once instead of waiting.
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-8000;",
    }

# In the database, so that a rate limit counts the requests of every server and survives a restart.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "cache",
        "OPTIONS": {"MAX_ENTRIES": 20_000},
    }
}

CONTENT_URL = environment.text("CONTENT_URL", (VAR_DIR / "content").as_uri())
PROGRESS_URL = environment.text("PROGRESS_URL", "database:")
SHARED_FILES_DIR = Path(environment.text("SHARED_FILES_DIR", str(VAR_DIR / "shared"))).absolute()

# --- Accounts -------------------------------------------------------------------------------------------------------

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = reverse_lazy("account_login")
LOGIN_REDIRECT_URL = reverse_lazy("my-courses")
LOGOUT_REDIRECT_URL = reverse_lazy("home")

EMAIL_URL = environment.text("EMAIL_URL")
MAIL_IS_SENT = bool(EMAIL_URL)
DEFAULT_FROM_EMAIL = environment.text("EMAIL_FROM", "Lyceum <no-reply@localhost>")
EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
if EMAIL_URL:
    globals().update(environment.mail(EMAIL_URL))

ACCOUNT_ADAPTER = "lyceum.accounts.adapter.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_SIGNUP_FORM_CLASS = "lyceum.accounts.forms.SignupForm"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_USER_MODEL_EMAIL_FIELD = "email"
ACCOUNT_USER_DISPLAY = "lyceum.accounts.selectors.display_name"
ACCOUNT_EMAIL_VERIFICATION = "mandatory" if MAIL_IS_SENT else "none"
ACCOUNT_EMAIL_SUBJECT_PREFIX = "Lyceum: "
ACCOUNT_SESSION_REMEMBER = True
# Says the same of a known and an unknown address wherever mail can carry the difference. Without mail signing up has
# to say that an address is taken; the limit on sign-ups below is then all that slows a search for accounts.
ACCOUNT_PREVENT_ENUMERATION = True
# The key of login_failed is the email together with the client's address (lyceum.accounts.adapter), so that nobody is
# locked out by wrong passwords from elsewhere. login_failed_anywhere counts the email alone, against guessing from
# many addresses; it must stay well above what login_failed allows one address in an hour.
ACCOUNT_RATE_LIMITS = {
    "login": "30/m/ip",
    "login_failed": "20/m/ip,5/300s/key,20/h/key",
    "login_failed_anywhere": "50/h/key",
    "signup": "5/m/ip",
}
ALLAUTH_TRUSTED_PROXY_COUNT = environment.count("TRUSTED_PROXIES", 0)

# --- Defence --------------------------------------------------------------------------------------------------------

SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 14 * 24 * 3600
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "lyceum.web.errors.csrf_failure"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE
SECURE_SSL_REDIRECT = SECURE
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if SECURE else None
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if SECURE else 0
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "strict-origin-when-cross-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

API_MAX_BODY_BYTES = 64 * 1024
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 1000

# --- Static files ---------------------------------------------------------------------------------------------------

STATIC_URL = "static/"
COLLECTED_STATIC = environment.flag("COLLECTED_STATIC")
STATIC_ROOT = VAR_DIR / "static" if COLLECTED_STATIC else None
WHITENOISE_USE_FINDERS = not COLLECTED_STATIC
WHITENOISE_AUTOREFRESH = DEBUG
WHITENOISE_MAX_AGE = 60
WHITENOISE_ALLOW_ALL_ORIGINS = False
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": (
            "whitenoise.storage.CompressedManifestStaticFilesStorage"
            if COLLECTED_STATIC
            else "django.contrib.staticfiles.storage.StaticFilesStorage"
        )
    },
}

# --- Language, time and the log -------------------------------------------------------------------------------------

LANGUAGE_CODE = "en-gb"
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {
        "stderr": {"class": "logging.StreamHandler", "formatter": "line"},
        "nowhere": {"class": "logging.NullHandler"},
    },
    "root": {"handlers": ["stderr"], "level": "WARNING"},
    "loggers": {
        "lyceum": {"level": "INFO"},
        "django": {"handlers": ["stderr"], "level": "WARNING", "propagate": False},
        # A wrong host, a stale form or a missing page is the visitor's doing; it need not fill the log. An empty list
        # of handlers would not silence it: Python then writes to stderr by itself.
        "django.security.DisallowedHost": {"handlers": ["nowhere"], "propagate": False},
        "django.security.csrf": {"level": "ERROR"},
        "django.request": {"handlers": ["stderr"], "level": "ERROR", "propagate": False},
    },
}
