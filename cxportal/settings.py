"""Every setting, read from the environment only; an unknown value refuses to start."""

import re
from pathlib import Path
from zoneinfo import ZoneInfo, available_timezones

import environ
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

from cxportal import environment, timetable

BASE_DIR = Path(__file__).resolve().parent.parent
environ.Env.read_env(BASE_DIR / ".env")
env = environment.env

DEMO = environment.flag("DEMO", "1")
DEBUG = False
STATE_DIR = (BASE_DIR / env.str("STATE_DIR", "var")).resolve()
HOST: str = env.str("HOST", "127.0.0.1")
PORT = environment.number("PORT", 8000, 65535)
MAIL_PORT = environment.number("MAIL_PORT", 8025, 65535)
_HOST = f"[{HOST}]" if ":" in HOST else HOST
PUBLIC_BASE_URL: str = env.str("PUBLIC_BASE_URL", f"http://{_HOST}:{PORT}").rstrip("/")
if not re.fullmatch(r"https?://[^\s/]+(/[^\s?#]*)?", PUBLIC_BASE_URL):
    raise ImproperlyConfigured("PUBLIC_BASE_URL must be an http or https address.")
SECURE = PUBLIC_BASE_URL.startswith("https://")
ALLOWED_HOSTS: list[str] = env.list(
    "ALLOWED_HOSTS", default=["127.0.0.1", "localhost", "[::1]", _HOST] if DEMO else []
)
TRUSTED_PROXIES = environment.number("TRUSTED_PROXIES", 0, 10)
SECRET_KEY: str = env.str("SECRET_KEY", "")
if not SECRET_KEY:
    if not DEMO:
        raise ImproperlyConfigured("SECRET_KEY is needed when DEMO=0 (50 characters or more).")
    SECRET_KEY = environment.kept_secret(STATE_DIR / "secret_key")
if not DEMO:
    if len(SECRET_KEY) < 50 or len(set(SECRET_KEY)) < 5 or "insecure" in SECRET_KEY:
        raise ImproperlyConfigured("SECRET_KEY is too short or a known example.")
    if not ALLOWED_HOSTS or "*" in ALLOWED_HOSTS:
        raise ImproperlyConfigured("ALLOWED_HOSTS must name the hosts when DEMO=0, without *.")
    if not SECURE:
        raise ImproperlyConfigured("PUBLIC_BASE_URL must be https when DEMO=0.")

BANK_NAME_ZH: str = env.str("BANK_NAME_ZH", "云汀银行")
BANK_NAME_EN: str = env.str("BANK_NAME_EN", "Yunting Bank")

INSTALLED_APPS = [
    "cxportal.apps.AdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_filters",
    "import_export",
    "django_htmx",
    "csp",
    "bank",
    "clients",
    "surveys",
    "metrics",
    "care",
    "cxportal",
]
MIDDLEWARE = [
    "cxportal.middleware.request_id",
    "cxportal.middleware.security_headers",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "cxportal.middleware.known_methods",
    "cxportal.middleware.database_outage",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]
ROOT_URLCONF = "cxportal.urls"
WSGI_APPLICATION = "cxportal.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "bank.context.bank",
            ],
            "builtins": ["django.templatetags.i18n", "django.templatetags.static"],
        },
    }
]

DATABASES = {
    "default": environment.database(
        env.str("DATABASE_URL", f"sqlite:///{STATE_DIR}/db.sqlite3"), root=BASE_DIR
    )
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_USER_MODEL = "bank.User"
AUTHENTICATION_BACKENDS = ["bank.backends.RoleBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
] + [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    }
]
LOGIN_URL = "bank:login"
LOGIN_REDIRECT_URL = "overview"
LOGOUT_REDIRECT_URL = "bank:login"

# Sessions live in the database: answering and signing in work with the broker away.
SESSION_ENGINE = "django.contrib.sessions.backends.db"
SESSION_COOKIE_AGE = 8 * 3600
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE
# Cookies do not tell ports apart: two installations on one host must not share a session.
_COOKIE = "__Host-" if SECURE else f"p{PORT}-"
SESSION_COOKIE_NAME = f"{_COOKIE}session"
CSRF_COOKIE_NAME = f"{_COOKIE}csrf"
LANGUAGE_COOKIE_NAME = f"{_COOKIE}language"
LANGUAGE_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_SAMESITE = "Lax"
LANGUAGE_COOKIE_SECURE = SECURE
CSRF_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "cxportal.views.errors.csrf_failure"
SECURE_SSL_REDIRECT = False if DEMO else environment.flag("SECURE_SSL_REDIRECT", "1")
# Whoever asks for health asks this server itself, not through the proxy that ends TLS.
SECURE_REDIRECT_EXEMPT = [r"^health/"]
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if TRUSTED_PROXIES else None
SECURE_HSTS_SECONDS = 63072000 if SECURE else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = SECURE
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
DATA_UPLOAD_MAX_MEMORY_SIZE = 2_621_440
DATA_UPLOAD_MAX_NUMBER_FIELDS = 1000
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "style-src": [SELF],
        "script-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}

LANGUAGE_CODE = "zh-hans"
LANGUAGES = [("zh-hans", _("Chinese")), ("en", _("English"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
FORMAT_MODULE_PATH = "cxportal.formats"
USE_I18N = True
USE_TZ = True
TIME_ZONE = environment.choice("TIME_ZONE", "Asia/Shanghai", available_timezones())
ZONE = ZoneInfo(TIME_ZONE)

STATIC_URL = "/static/"
STATIC_ROOT = STATE_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
MEDIA_ROOT = STATE_DIR / "media"

# In demo mode the embedded broker listens on a socket of our own, never on a port.
_SOCKET = STATE_DIR / "broker.sock"
BROKER_URL: str = env.str("BROKER_URL", "")
if BROKER_URL and not BROKER_URL.startswith(("redis://", "rediss://", "redis+socket://")):
    raise ImproperlyConfigured("BROKER_URL must start with redis:// or rediss://.")
CELERY_BROKER_URL = BROKER_URL or f"redis+socket://{_SOCKET}"
_CACHE = environment.cache_of(CELERY_BROKER_URL)
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": _CACHE,
        "OPTIONS": {"socket_timeout": 2, "socket_connect_timeout": 2},
    }
}
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TASK_TIME_LIMIT = 120
CELERY_TASK_SOFT_TIME_LIMIT = 100
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = 5
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 600,
    "socket_timeout": 10,
    "socket_connect_timeout": 3,
    "max_retries": 1,
    "interval_start": 0,
}
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_TASK_ROUTES = {"surveys.tasks.send_due": {"queue": "mail"}}
# Schedules by the clock mean the reporting zone.
CELERY_TIMEZONE = TIME_ZONE
CELERY_BEAT_SCHEDULE_FILENAME = str(STATE_DIR / "beat-schedule")
CELERY_BEAT_SCHEDULE = {
    "beat-heart": {
        "task": "cxportal.tasks.heartbeat",
        "schedule": 5,
        "options": {"expires": 5},
    },
    **timetable.beat(),
}

MAIL_FROM: str = env.str("MAIL_FROM", "cx@bank.example")
if not re.fullmatch(r"[^\s@<>,;]+@[^\s@<>,;]+", MAIL_FROM):
    raise ImproperlyConfigured("MAIL_FROM must be one e-mail address, such as cx@bank.example.")
EMAIL_URL: str = env.str("EMAIL_URL", f"smtp://127.0.0.1:{MAIL_PORT}")
if not EMAIL_URL.startswith("smtp://"):
    raise ImproperlyConfigured("EMAIL_URL must start with smtp://.")
# The relay's own log, where this machine has it: it knows what became of a lost mail.
RELAY_LOG: str = env.str("RELAY_LOG", "")
# A silent relay must not hold a worker. A mail takes at most twice this time, once up to its
# body and once for the verdict, and the lease of a delivery outlives that: else it goes twice.
EMAIL_TIMEOUT = 20
SEND_LEASE_SECONDS = 45

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "bank.api.access.KeyAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["bank.api.access.MayUse"],
    "DEFAULT_THROTTLE_CLASSES": ["bank.api.access.KeyThrottle"],
    "DEFAULT_PAGINATION_CLASS": "bank.api.lists.Pages",
    "DEFAULT_PARSER_CLASSES": ["bank.api.bodies.SafeJSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "bank.api.resources.explain",
    "COERCE_DECIMAL_TO_STRING": True,
    "UNAUTHENTICATED_USER": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "cxportal",
    "DESCRIPTION": "Client relations of a bank that lends to companies and projects.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["bank.api.access.MayUse"],
    "SWAGGER_UI_DIST": "SIDECAR",
    "ENUM_NAME_OVERRIDES": {
        "ClientKind": "clients.models.Client.Kind",
        "CaseKind": "clients.models.CaseKind",
        "QuestionnaireKind": "surveys.models.Questionnaire.Kind",
        "EntryKind": "surveys.api.replies.KINDS",
        "ClientStatus": "clients.models.Client.Status",
        "CampaignStatus": "surveys.models.Campaign.Status",
    },
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
}
# Tables are staged by our own engine; the page only shows and confirms.
IMPORT_EXPORT_USE_TRANSACTIONS = True

LOG_LEVEL = environment.choice(
    "LOG_LEVEL", "INFO", {"DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"}
)
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": "cxportal.logs.JsonLines"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json"}},
    "root": {"handlers": ["stderr"], "level": LOG_LEVEL},
    "loggers": {
        "django": {"handlers": [], "level": LOG_LEVEL, "propagate": True},
        # A line for each ring of the clock says nothing; what a task did, it logs itself.
        "celery.worker.strategy": {"level": "WARNING"},
        "celery.app.trace": {"level": "WARNING"},
    },
}
