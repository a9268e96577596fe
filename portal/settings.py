"""The only settings module. Defaults run on a laptop with no services and no credentials.

Every difference between machines is an environment variable, read here through django-environ and listed in
`.env.example`. Production refuses the laptop defaults: see `portal/checks.py`.
"""

from __future__ import annotations

import sys
from datetime import date
from pathlib import Path
from urllib.parse import unquote, urlsplit

import environ
import structlog
from django.urls import reverse_lazy

from portal import embedded, redaction

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()
environ.Env.read_env(BASE_DIR / ".env")

# --- Core -----------------------------------------------------------------------------------------------------

# "sandbox" speaks to loopback only, "live" refuses loopback; nothing in between (portal/checks.py).
MODE = env.str("MODE", default="sandbox")
SANDBOX = MODE == "sandbox"
DEBUG = env.bool("DEBUG", default=False)
DEV_SECRET_KEY = "laptop-only-secret-key-that-live-mode-refuses"  # noqa: S105 - the check makes it fatal in live mode
SECRET_KEY = env.str("SECRET_KEY", default=DEV_SECRET_KEY)
SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", default=[])
VAR_DIR = Path(env.str("VAR_DIR", default=str(BASE_DIR / "var")))
WEB_PORT = env.int("WEB_PORT", default=8000)
SANDBOX_PORT = env.int("SANDBOX_PORT", default=8100)
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["127.0.0.1", "localhost", "testserver"])
PUBLIC_URL = env.str("PUBLIC_URL", default=f"http://127.0.0.1:{WEB_PORT}")
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
ROOT_URLCONF = "portal.urls"
WSGI_APPLICATION = "portal.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
# W004: addresses are unique without regard to case by a constraint on lower(email), which the check does not see.
SILENCED_SYSTEM_CHECKS = ["account.W001", "auth.W004"]

INSTALLED_APPS = [
    "unfold",
    "unfold.contrib.filters",
    "portal.late.Admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.sessions",
    "django.contrib.messages",
    "portal.static_files.StaticFiles",
    "django.contrib.postgres",
    "django.forms",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "allauth.idp.oidc",
    "rest_framework",
    "django_htmx",
    "django_celery_beat",
    "django_structlog",
    "pgtrigger",
    "pghistory",
    "portal",
    "investors",
    "orders",
    "payments",
    "brokers",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "portal.views.ContentPolicy",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "portal.scope.ScopeMiddleware",
    "portal.views.KeptByNobody",
    "portal.gateway.patience.PatienceMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "allauth.usersessions.middleware.UserSessionsMiddleware",
    "portal.views.StaffNetworks",
    "portal.views.SecondFactorForStaff",
    "portal.views.AdminContentPolicy",
    "portal.views.RequestLog",
    "portal.looking.LookMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "portal.views.brand",
            ],
        },
    }
]
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"

# --- Language and time ----------------------------------------------------------------------------------------

LANGUAGE_CODE = "en-in"
TIME_ZONE = "Asia/Kolkata"
USE_I18N = True
USE_TZ = True
USE_THOUSAND_SEPARATOR = True
FORMAT_MODULE_PATH = ["portal.formats"]

# --- Brand: a distributor re-brands without touching a template -------------------------------------------------

BRAND = {
    "name": env.str("BRAND_NAME", default="Kalpavriksh"),
    "legal_name": env.str("BRAND_LEGAL_NAME", default="Kalpavriksh Distribution Private Limited"),
    "arn": env.str("BRAND_ARN", default="ARN-000000"),
    "arn_valid_until": env.str("BRAND_ARN_VALID_UNTIL", default="2028-03-31"),
    "euin": env.str("BRAND_EUIN", default="E000000"),
    "email": env.str("BRAND_EMAIL", default="help@portal.example"),
    "phone": env.str("BRAND_PHONE", default="+91 80 0000 0000"),
    "address": env.str("BRAND_ADDRESS", default="12 Residency Road, Bengaluru 560025"),
    "grievance_email": env.str("BRAND_GRIEVANCE_EMAIL", default="grievance@portal.example"),
    "sandbox": SANDBOX,
}
# The last day on which new business may be taken (AMFI: an ARN is valid for three years); empty: not watched.
ARN_VALID_UNTIL = date.fromisoformat(BRAND["arn_valid_until"]) if BRAND["arn_valid_until"] else None

# --- Database ---------------------------------------------------------------------------------------------------

DATABASE_URL = env.str("DATABASE_URL", default="")
DATABASE_IS_EMBEDDED = not DATABASE_URL
if DATABASE_IS_EMBEDDED:
    DATABASE_URL = embedded.database_url(VAR_DIR)
# What a fresh connection may see below row-level security: "all" for workers and commands, "none" for web processes,
# where `portal.scope.ScopeMiddleware` opens it per request.
DB_SCOPE = env.str("DB_SCOPE", default="all")
# Commands on the machine may give roles alone; through a web process two people are needed (reliability.md P34).
CONSOLE = "on" if DB_SCOPE == "all" else "off"


def _database(url: str) -> dict[str, object]:
    """A DATABASES entry from a URL. Socket directories arrive percent-encoded in the place of the host."""
    parts = urlsplit(url)
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": unquote(parts.netloc.rsplit("@", 1)[-1].rsplit(":", 1)[0]),
        "PORT": parts.port or "",
        "CONN_MAX_AGE": env.int("DB_CONN_MAX_AGE", default=600),
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {
            "options": f"-c portal.scope={DB_SCOPE} -c portal.console={CONSOLE}"
            " -c statement_timeout=60000 -c lock_timeout=10000",
            # Whoever waits learns soon that there is no database (`portal/unavailable.py`).
            "connect_timeout": 10,
            # A statement that a connection has run five times is planned once and for all: planning took longer than
            # running. Behind a pooler that lends connections by transaction, both must be off (the scope forbids one).
            "server_side_binding": True,
            "prepare_threshold": 5,
        },
        "TEST": {"NAME": env.str("TEST_DATABASE_NAME", default=None)},
    }


DATABASES = {"default": _database(DATABASE_URL)}

# --- Queue and cache --------------------------------------------------------------------------------------------

REDIS_URL = env.str("REDIS_URL", default="")
QUEUE_DIR = VAR_DIR / "queue"
CELERY_BROKER_URL = REDIS_URL or "filesystem://localhost"
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS: dict[str, object] = (
    {"visibility_timeout": 3600, "socket_connect_timeout": 2}
    if REDIS_URL
    else {
        "data_folder_in": str(QUEUE_DIR / "messages"),
        "data_folder_out": str(QUEUE_DIR / "messages"),
        "control_folder": str(QUEUE_DIR / "control"),
        "polling_interval": 0.05,
    }
)
# Doorbells that ring within so many seconds wake the workers by one message; 0 sends one for each.
BELL_GATHER_S = env.float("BELL_GATHER_S", default=0.05)
CELERY_TIMEZONE = TIME_ZONE
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_TIME_LIMIT = 600
CELERY_TASK_PUBLISH_RETRY = False
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_BEAT_SCHEDULER = "django_celery_beat.schedulers:DatabaseScheduler"
CELERY_BEAT_MAX_LOOP_INTERVAL = 2
CELERY_BEAT_SCHEDULE = {
    "recover money operations": {"task": "portal.recover", "schedule": 5.0},
    "work the inbox": {"task": "portal.work_inbox", "schedule": 10.0},
    "poll open orders": {"task": "orders.poll", "schedule": 20.0},
    "watch money that stands still": {"task": "payments.watch_money", "schedule": 60.0},
    "expect and announce SIP instalments": {"task": "orders.sip_days", "schedule": 60.0 if SANDBOX else 900.0},
    "beat is alive": {"task": "portal.heartbeat", "schedule": 30.0},
    "fetch AMFI NAVs": {
        "task": "orders.ingest_navs",
        "schedule": env.float("NAV_FETCH_EVERY_S", default=60.0 if SANDBOX else 900.0),
    },
    "sync schemes with FP": {"task": "orders.sync_schemes", "schedule": 86_400.0},
    "sync shares with NSE": {"task": "orders.sync_securities", "schedule": 86_400.0},
    "closing prices from NSE": {"task": "orders.refresh_prices", "schedule": 3600.0},
    # Looks every hour, and computes a month when there is a new day, a new file of NAVs or a new rate.
    "expect commission": {"task": "orders.expect_commission", "schedule": 3600.0},
    "match lines of commission statements": {"task": "orders.match_commission", "schedule": 3600.0},
    "tell of new versions of baskets": {"task": "orders.tell_of_versions", "schedule": 300.0},
    "remind of shares that should have arrived": {"task": "orders.remind_of_arrivals", "schedule": 1800.0},
    "codes of shares at brokers": {"task": "brokers.refresh_codes", "schedule": 86_400.0},
    "follow the sandbox clock": {"task": "portal.follow_sandbox_clock", "schedule": 5.0},
    "forget sessions at brokers": {"task": "brokers.forget_sessions", "schedule": 600.0},
    "look after files": {"task": "investors.sweep_files", "schedule": 86_400.0},
    "re-check KYC": {"task": "investors.recheck_kyc", "schedule": 3600.0},
    "watch birthdays of minors": {"task": "investors.watch_birthdays", "schedule": 86_400.0},
    "find possible doubles": {"task": "investors.find_doubles", "schedule": 3600.0},
    # Looks every hour and compares once a day, so that a lost message or a provider in trouble costs an hour.
    "compare everything with FP": {"task": "portal.reconcile", "schedule": 3600.0},
    "compare after a restore": {"task": "portal.compare_after_restore", "schedule": 20.0},
    "anchor of the audit chain": {"task": "portal.anchor", "schedule": 3600.0},
    "forget old provider calls": {"task": "portal.purge_journal", "schedule": 86_400.0},
    "watch the ARNs of partners": {"task": "portal.watch_arns", "schedule": 86_400.0},
    "forget unused invitations": {"task": "investors.forget_invites", "schedule": 86_400.0},
    "forget old webhooks": {"task": "portal.forget_webhooks", "schedule": 86_400.0},
    "forget old calls of partners": {"task": "portal.forget_calls", "schedule": 86_400.0},
}
if not SANDBOX:
    CELERY_BEAT_SCHEDULE.pop("follow the sandbox clock")

CACHES = {
    "default": (
        {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": REDIS_URL,
            "OPTIONS": {"socket_connect_timeout": 1, "socket_timeout": 2},
        }
        if REDIS_URL
        else {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "portal_cache"}
    )
}

# --- People signing in ------------------------------------------------------------------------------------------

AUTH_USER_MODEL = "portal.User"
AUTHENTICATION_BACKENDS = ["portal.accounts.Backend"]
LOGIN_URL = reverse_lazy("account_login")
LOGIN_REDIRECT_URL = reverse_lazy("home")
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_EMAIL_VERIFICATION_BY_CODE_ENABLED = True
ACCOUNT_EMAIL_VERIFICATION_SUPPORTS_RESEND = True
# Only a new account could be given another address here, so offering it would tell who has one: one signs up again.
ACCOUNT_EMAIL_VERIFICATION_SUPPORTS_CHANGE = False
ACCOUNT_LOGIN_BY_CODE_ENABLED = ACCOUNT_LOGIN_BY_CODE_SUPPORTS_RESEND = True
ACCOUNT_PASSWORD_RESET_BY_CODE_ENABLED = True
# One address a login: a new one takes the place of the old when it has proved itself.
ACCOUNT_CHANGE_EMAIL = True
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_DEFAULT_HTTP_PROTOCOL = urlsplit(PUBLIC_URL).scheme
# The number of proxies in front of us whose X-Forwarded-For may be believed: 0 on a laptop.
ALLAUTH_TRUSTED_PROXY_COUNT = env.int("TRUSTED_PROXY_COUNT", default=0)
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_ISSUER = BRAND["name"]
MFA_ADAPTER = "portal.accounts.MfaAdapter"
ACCOUNT_ADAPTER = "portal.accounts.AccountAdapter"
ACCOUNT_FORMS = {
    "signup": "portal.sign_in_forms.SignUp",
    "login": "portal.sign_in_forms.LogIn",
    "request_login_code": "portal.sign_in_forms.RequestLoginCode",
    "confirm_login_code": "portal.sign_in_forms.ConfirmLoginCode",
    "confirm_email_verification_code": "portal.sign_in_forms.ConfirmEmailCode",
    "confirm_password_reset_code": "portal.sign_in_forms.ConfirmResetCode",
    "reset_password": "portal.sign_in_forms.ResetPassword",
    "reset_password_from_key": "portal.sign_in_forms.NewPassword",
    "change_password": "portal.sign_in_forms.ChangePassword",
    "set_password": "portal.sign_in_forms.SetPassword",
    "reauthenticate": "portal.sign_in_forms.Reauthenticate",
    "add_email": "portal.sign_in_forms.AddEmail",
}
# Browsers offer passkeys on http only for localhost; live mode is https and leaves this off.
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = SANDBOX
USERSESSIONS_TRACK_ACTIVITY = False
# Not in the cache: a Redis that is away would close every page, and one that comes back would revive ended sessions.
SESSION_ENGINE = "portal.sessions"
SESSION_COOKIE_AGE = 60 * 60 * 12
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
# The networks from which the admin answers (`10.0.0.0/8,203.0.113.7`), as trusted proxies see them; empty: everywhere.
STAFF_NETWORKS = env.list("STAFF_NETWORKS", default=[])
# Staff must have a second factor before the admin opens. The demo's staff have none, so that a newcomer can look.
STAFF_SECOND_FACTOR = env.bool("STAFF_SECOND_FACTOR", default=not SANDBOX)

# --- Security ---------------------------------------------------------------------------------------------------

HTTPS = urlsplit(PUBLIC_URL).scheme == "https"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SECURE_SSL_REDIRECT = HTTPS
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if ALLAUTH_TRUSTED_PROXY_COUNT else None
CSRF_FAILURE_VIEW = "portal.typed.csrf_failure"
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
# Lax: the cookie does not travel on the POST that brings the browser back from a bank; that page needs no session.
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        "object-src": ["'none'"],
        "base-uri": ["'self'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
    }
}
DEV_FIELD_KEY = "bGFwdG9wLW9ubHkta2V5LW9mLXRoaXMtcG9ydGFsISE="
# Newest first. The first key encrypts, all of them decrypt: that is how keys rotate with no downtime.
FIELD_KEYS = env.list("FIELD_KEYS", default=[DEV_FIELD_KEY])
DEV_INDEX_KEY = "laptop-only-blind-index-key"
# Keys of the blind index, newest first; looked up under each, written under the first.
INDEX_KEYS = env.list("INDEX_KEYS", default=[DEV_INDEX_KEY])
DATA_UPLOAD_MAX_MEMORY_SIZE = 1_000_000
DATA_UPLOAD_MAX_NUMBER_FIELDS = 500
# No upload is ever written to a disk in clear.
FILE_UPLOAD_HANDLERS = ["portal.files.upload.InMemory"]

# --- Files ------------------------------------------------------------------------------------------------------

STATIC_URL = "static/"
STATIC_ROOT = VAR_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static" / "dist"]
MEDIA_ROOT = env.str("MEDIA_ROOT", default=str(VAR_DIR / "media"))
TESTING = "pytest" in sys.modules
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    # What investors send us, encrypted (portal/files/vault.py); no address leads here.
    "private": {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {
            "location": f"{MEDIA_ROOT}/private",
            "file_permissions_mode": 0o600,
            "directory_permissions_mode": 0o700,
        },
    },
    "staticfiles": {
        "BACKEND": (
            "django.contrib.staticfiles.storage.StaticFilesStorage"
            if TESTING or DEBUG
            else "portal.static_files.HashedStorage"
        )
    },
}
WHITENOISE_USE_FINDERS = TESTING or DEBUG

# --- E-mail -----------------------------------------------------------------------------------------------------

# In the sandbox every message lands in a folder, and /outbox/ shows it.
OUTBOX_DIR = VAR_DIR / "outbox"
EMAIL_FILE_PATH = str(OUTBOX_DIR)
EMAIL_BACKEND = env.str(
    "EMAIL_BACKEND",
    default=f"django.core.mail.backends.{'filebased' if SANDBOX else 'smtp'}.EmailBackend",
)
EMAIL_HOST = env.str("EMAIL_HOST", default="localhost")
EMAIL_PORT = env.int("EMAIL_PORT", default=25)
EMAIL_HOST_USER = env.str("EMAIL_HOST_USER", default="")
EMAIL_HOST_PASSWORD = env.str("EMAIL_HOST_PASSWORD", default="")
EMAIL_USE_TLS = env.bool("EMAIL_USE_TLS", default=False)
EMAIL_TIMEOUT = 10
# A class with `send(to, text)` that speaks to a provider of text messages; empty: there is no such channel.
SMS_SENDER = env.str("SMS_SENDER", default="portal.notices.senders.SmsInOutbox" if SANDBOX else "")
# Who is told by e-mail when something broke (portal/error_mail.py); nobody by default.
ERROR_MAILS_TO = env.list("ERROR_MAILS_TO", default=[])
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default=f"{BRAND['name']} <{BRAND['email']}>")

# --- Providers: the same names for each; defaults point at the local sandbox -------------------------------------

SANDBOX_URL = env.str("SANDBOX_URL", default=f"http://127.0.0.1:{SANDBOX_PORT}")
# The address of this server as FP is told (`server_ip`); empty leaves the field out.
SERVER_IP = env.str("SERVER_IP", default="127.0.0.1" if SANDBOX else "")
PROVIDER_CONNECT_TIMEOUT_S = env.float("PROVIDER_CONNECT_TIMEOUT_S", default=3.0)
PROVIDER_READ_TIMEOUT_S = env.float("PROVIDER_READ_TIMEOUT_S", default=10.0)
PROVIDER_CA_FILE = env.str("PROVIDER_CA_FILE", default="")
# Where the newest link of the audit chain is written once a day; best a folder that lies on another machine.
AUDIT_ANCHOR_DIR = Path(env.str("AUDIT_ANCHOR_DIR", default=str(VAR_DIR / "anchors")))
# Rows of the journal about reads are written together, so many seconds late at most; 0 writes each at once.
JOURNAL_GATHER_S = env.float("JOURNAL_GATHER_S", default=0.25)
# How long calls to providers are kept; never less than 180 days (portal/checks.py).
JOURNAL_DAYS = env.int("JOURNAL_DAYS", default=400)
FP_BASE_URL = env.str("FP_BASE_URL", default=f"{SANDBOX_URL}/fp")
FP_TENANT = env.str("FP_TENANT", default="sandbox")
FP_API_KEY_ID = env.str("FP_API_KEY_ID", default="sandbox")
FP_SECRET = env.str("FP_SECRET", default="sandbox-secret")
# The document's formula encodes the payload before signing, Cybrilla's own code does not (providers.md 7 #1).
FP_BASE64_PAYLOAD_FIRST = env.bool("FP_BASE64_PAYLOAD_FIRST", default=False)
# "tenant" or "api_key_id": the document names both (providers.md 7 #2).
FP_AUTHORIZATION_PRINCIPAL = env.str("FP_AUTHORIZATION_PRINCIPAL", default="tenant")
# Does somebody at the desk look at a fresh KYC before it goes to FP?
KYC_DESK_APPROVES = env.bool("KYC_DESK_APPROVES", default=False)
FP_ORDER_GATEWAY = env.str("FP_ORDER_GATEWAY", default="RTA")
FP_CALLS_PER_SECOND = env.int("FP_CALLS_PER_SECOND", default=100 if SANDBOX else 25)
AMFI_BASE_URL = env.str("AMFI_BASE_URL", default=f"{SANDBOX_URL}/amfi" if SANDBOX else "https://www.amfiindia.com")
# The history lives on another host than the day, and takes a scheme only in our sandbox.
AMFI_HISTORY_BASE_URL = env.str(
    "AMFI_HISTORY_BASE_URL", default=AMFI_BASE_URL if SANDBOX else "https://portal.amfiindia.com"
)
AMFI_HISTORY_BY_SCHEME = env.bool("AMFI_HISTORY_BY_SCHEME", default=SANDBOX)
AMFI_CALLS_PER_SECOND = env.int("AMFI_CALLS_PER_SECOND", default=50 if SANDBOX else 1)
# More calls than this in a minute that move money at one provider close its gate (portal/gates.py).
MONEY_CALLS_PER_MINUTE = env.int("MONEY_CALLS_PER_MINUTE", default=6_000 if SANDBOX else 600)
NSE_BASE_URL = env.str("NSE_BASE_URL", default=f"{SANDBOX_URL}/nse" if SANDBOX else "https://nsearchives.nseindia.com")
NSE_CALLS_PER_SECOND = env.int("NSE_CALLS_PER_SECOND", default=50 if SANDBOX else 1)
# Where an investor may be sent to pay: FP's `token_url` must lie here. Also the form targets that the CSP allows.
PAYMENT_PAGE_ORIGINS = env.list("PAYMENT_PAGE_ORIGINS", default=[SANDBOX_URL] if SANDBOX else [])
CONTENT_SECURITY_POLICY["DIRECTIVES"]["form-action"] += PAYMENT_PAGE_ORIGINS
PROVIDER_BASE_URLS = {
    "fp": FP_BASE_URL,
    "amfi": AMFI_BASE_URL,
    "amfi history": AMFI_HISTORY_BASE_URL,
    "nse": NSE_BASE_URL,
}

# --- Stock brokers: those named in BROKERS are switched on; live mode has none until it is told ------------------

BROKERS = env.list("BROKERS", default=["smallcase", "odin", "5paisa"] if SANDBOX else [])
SMALLCASE_BASE_URL = env.str(
    "SMALLCASE_BASE_URL", default=f"{SANDBOX_URL}/smallcase" if SANDBOX else "https://gatewayapi.smallcase.com"
)
# The script of smallcase's window, and the one origin that it may load from; the page of the window alone allows it.
SMALLCASE_SDK_URL = env.str(
    "SMALLCASE_SDK_URL",
    default=f"{SANDBOX_URL}/smallcase/scdk/2.0.0/scdk.js"
    if SANDBOX
    else "https://gateway.smallcase.com/scdk/2.0.0/scdk.js",
)
SMALLCASE_SDK_ORIGIN = "{0.scheme}://{0.netloc}".format(urlsplit(SMALLCASE_SDK_URL))
SMALLCASE_GATEWAY = env.str("SMALLCASE_GATEWAY", default="gatewaydemo")
# Newest first: the first signs and is sent, all are accepted in what comes back, so that they rotate with no gap.
SMALLCASE_SECRETS = env.list("SMALLCASE_SECRETS", default=["sandbox-secret"])
SMALLCASE_API_SECRETS = env.list("SMALLCASE_API_SECRETS", default=["sandbox-api-secret"])
# Not in the public documents (providers.md 1.3, 1.4).
SMALLCASE_ORDERS_PATH = env.str("SMALLCASE_ORDERS_PATH", default="/v1/{gateway}/engine/orders/sst")
SMALLCASE_BASKET_NAME_KEY = env.str("SMALLCASE_BASKET_NAME_KEY", default="name")
SMALLCASE_BASKET_LOGO_KEY = env.str("SMALLCASE_BASKET_LOGO_KEY", default="logo")
SMALLCASE_CALLS_PER_SECOND = env.int("SMALLCASE_CALLS_PER_SECOND", default=100 if SANDBOX else 10)

# ODIN's hosts differ by broker: live mode has no default. The second is where the browser goes.
ODIN_BASE_URL = env.str("ODIN_BASE_URL", default=f"{SANDBOX_URL}/odin" if SANDBOX else "")
ODIN_WEB_URL = env.str("ODIN_WEB_URL", default=ODIN_BASE_URL)
ODIN_APP_TOKEN = env.str("ODIN_APP_TOKEN", default="sandbox-app-token")
ODIN_OMEX_TOKEN = env.str("ODIN_OMEX_TOKEN", default="sandbox-omex-token")
# The document's example and its footnotes disagree on both names (providers.md 2.5, 7 #32).
ODIN_QUANTITY_KEY = env.str("ODIN_QUANTITY_KEY", default="orgQTY")
ODIN_GTD_KEY = env.str("ODIN_GTD_KEY", default="ordGTD")
# ODIN asks us about each login that it begins for us. Off only for a broker whose ODIN does not.
ODIN_TWO_WAY_AUTH = env.bool("ODIN_TWO_WAY_AUTH", default=True)
ODIN_CALLS_PER_SECOND = env.int("ODIN_CALLS_PER_SECOND", default=100 if SANDBOX else 10)

FIVEPAISA_BASE_URL = env.str(
    "FIVEPAISA_BASE_URL", default=f"{SANDBOX_URL}/5paisa" if SANDBOX else "https://Openapi.5paisa.com"
)
FIVEPAISA_LOGIN_URL = env.str(
    "FIVEPAISA_LOGIN_URL", default=FIVEPAISA_BASE_URL if SANDBOX else "https://dev-openapi.5paisa.com"
)
FIVEPAISA_APP_KEY = env.str("FIVEPAISA_APP_KEY", default="sandbox-app-key")
FIVEPAISA_ENCRYPTION_KEY = env.str("FIVEPAISA_ENCRYPTION_KEY", default="sandbox-encry-key")
FIVEPAISA_USER_ID = env.str("FIVEPAISA_USER_ID", default="sandbox-user")
# Documents and SDK name different versions of the same calls (providers.md 4.2): `OrderBook=V3,Holding=V3` overrides.
_VERSIONS = """PlaceOrderRequest=V1 ModifyOrderRequest=V1 CancelOrderRequest=V1 OrderStatus=V2 OrderBook=V4 TradeBook=V1
    NetPositionNetWise=V2 Holding=V4 Margin=V4 MarketSnapshot=v1 MarketFeed=V1 MarketDepth=V3"""
FIVEPAISA_VERSIONS = dict(each.split("=") for each in _VERSIONS.split()) | env.dict("FIVEPAISA_VERSIONS", default={})
# `ExchOrderID` in the SDK, `ExchangeOrderID` in the document (providers.md 4.3).
FIVEPAISA_CANCEL_KEY = env.str("FIVEPAISA_CANCEL_KEY", default="ExchOrderID")
FIVEPAISA_CALLS_PER_SECOND = env.int("FIVEPAISA_CALLS_PER_SECOND", default=100 if SANDBOX else 5)
# Origins to which a form of ours may lead: a broker's pages, and where those redirect to (browsers check that too).
BROKER_PAGE_ORIGINS = env.list("BROKER_PAGE_ORIGINS", default=[])
_PAGES = {"odin": ODIN_WEB_URL, "5paisa": FIVEPAISA_LOGIN_URL}
CONTENT_SECURITY_POLICY["DIRECTIVES"]["form-action"] += BROKER_PAGE_ORIGINS + [
    "{0.scheme}://{0.netloc}".format(urlsplit(url)) for name, url in _PAGES.items() if name in BROKERS and url
]
# The code (BRK-...) of the distributor's own linked 5paisa account, whose session reads prices for everybody; without
# one the session of the investor who looks is used, where there is one.
MARKET_FEED_ACCOUNT = env.str("MARKET_FEED_ACCOUNT", default="")
_BROKER_URLS = {"smallcase": SMALLCASE_BASE_URL, "odin": ODIN_BASE_URL, "5paisa": FIVEPAISA_BASE_URL}
PROVIDER_BASE_URLS |= {name: url for name, url in _BROKER_URLS.items() if name in BROKERS}
# The pace that all processes keep together, shown to operations.
PROVIDER_CALLS_PER_SECOND = {
    "fp": FP_CALLS_PER_SECOND, "amfi": AMFI_CALLS_PER_SECOND, "smallcase": SMALLCASE_CALLS_PER_SECOND,
    "odin": ODIN_CALLS_PER_SECOND, "5paisa": FIVEPAISA_CALLS_PER_SECOND,
}  # fmt: skip

# --- Partner API (endpoints stand in each app's `api`; nothing is open by default) --------------------------------

REST_FRAMEWORK = {
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAdminUser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
}

# How often partners may ask one investor for approval within a day: nobody is asked until they give in.
APPROVALS_A_DAY = env.int("APPROVALS_A_DAY", default=10)
# May webhooks of partners go to this machine? For the demo's receivers; live mode refuses it (portal/checks.py).
WEBHOOK_LOOPBACK = env.bool("WEBHOOK_LOOPBACK", default=SANDBOX)

# --- Admin ------------------------------------------------------------------------------------------------------

# Our accent (static/src/css/tokens.css) as the steps that Unfold asks for; `base` is our ink on warm paper.
# fmt: off
_STEPS = ("50", "100", "200", "300", "400", "500", "600", "700", "800", "900", "950")
_ACCENT = ("#f4f5fb", "#eceef8", "#d5daf0", "#b3bef8", "#a3aeea", "#8f9be0",
           "#2c3779", "#262f69", "#1f2860", "#191f4a", "#11152f")
_PAPER = ("#f9f9f7", "#f1f0ec", "#e4e3dd", "#cfced0", "#989eae", "#636876",
          "#4d5260", "#343948", "#1f2330", "#171a22", "#11131a")
# fmt: on
UNFOLD = {
    "SITE_TITLE": f"{BRAND['name']} operations",
    "SITE_HEADER": f"{BRAND['name']} operations",
    "SITE_SUBHEADER": "Sandbox: no real money moves" if SANDBOX else "Live",
    "SITE_URL": "/",
    "SITE_SYMBOL": "potted_plant",
    # Each page of ours shows the audit log of its object; Django's own log of edits would be a second truth.
    "SHOW_HISTORY": False,
    "SHOW_VIEW_ON_SITE": False,
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": "portal.admin.favicon"}],
    "ENVIRONMENT": "portal.views.admin_environment",
    "DASHBOARD_CALLBACK": "portal.admin.dashboard",
    "STYLES": ["portal.admin.stylesheet"],
    "SIDEBAR": {"show_search": False, "navigation": "portal.admin.navigation"},
    "BORDER_RADIUS": "8px",
    "COLORS": {
        "primary": dict(zip(_STEPS, _ACCENT, strict=True)),
        "base": dict(zip(_STEPS, _PAPER, strict=True)),
    },
}

# --- Logging ----------------------------------------------------------------------------------------------------

LOG_LEVEL = env.str("LOG_LEVEL", default="INFO")
LOG_JSON = env.bool("LOG_JSON", default=not SANDBOX)
_before_rendering: list[structlog.typing.Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.processors.add_log_level,
    structlog.processors.TimeStamper(fmt="iso"),
]

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {
            "()": structlog.stdlib.ProcessorFormatter,
            "foreign_pre_chain": _before_rendering,
            # Tracebacks become text first (without the values of variables), then everything is redacted, then written.
            "processors": [
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                redaction.log_processor,
                structlog.processors.JSONRenderer() if LOG_JSON else structlog.dev.ConsoleRenderer(colors=False),
            ],
        }
    },
    "handlers": {
        "console": {"class": "logging.StreamHandler", "formatter": "line"},
        "mail": {"()": "portal.error_mail.ErrorMail", "formatter": "line"},
    },
    "root": {"handlers": ["console", "mail"], "level": LOG_LEVEL},
    "loggers": {
        # Without Django's own handlers: its mail of errors shows what was posted.
        "django": {"handlers": [], "level": "INFO"},
        "django.server": {"handlers": ["console"], "level": "WARNING", "propagate": False},
        "django_structlog": {"level": env.str("REQUEST_LOG_LEVEL", default="WARNING")},
        "kombu": {"level": "WARNING"},
    },
}
structlog.configure(
    processors=[
        structlog.stdlib.filter_by_level,
        *_before_rendering,
        structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
    ],
    logger_factory=structlog.stdlib.LoggerFactory(),
    cache_logger_on_first_use=True,
)

if TESTING:
    PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    if not REDIS_URL:
        CELERY_BROKER_URL, CELERY_BROKER_TRANSPORT_OPTIONS = "memory://", {}
