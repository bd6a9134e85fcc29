"""Where allauth meets this platform: what a new account takes from the sign-up form, when mail can be sent, and whose
failed sign-ins count against whom.
"""

import logging
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core.internal import ratelimit
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest

from lyceum.accounts.models import User

logger = logging.getLogger(__name__)


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth is published without types
    def save_user(self, request: HttpRequest, user: User, form: Any, commit: bool = True) -> User:
        user.display_name = form.cleaned_data.get("display_name", "").strip()
        user.role = User.Role.STUDENT
        saved: User = super().save_user(request, user, form, commit)
        return saved

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """A letter that cannot be sent costs the visitor that letter, and neither the page nor what the form did.

        The sentence is the same whoever is written to, so that it tells nobody who has an account.
        """
        if not settings.MAIL_IS_SENT:
            return
        try:
            super().send_mail(template_prefix, email, context)
        except OSError:  # of smtplib and of lyceum.accounts.mail
            logger.exception("A letter was not sent: %s", template_prefix)
            if self.request is not None:
                messages.error(self.request, "We could not send you a letter just now. Try again in some minutes.")

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Counts a try that may fail; raises ValidationError when there were too many.

        The tight limit comes first, so that what it refuses does not count against the email everywhere.
        """
        super().pre_authenticate(request, **credentials)
        self._anywhere_usage = ratelimit.consume(request, **self._anywhere(request, credentials))
        if not self._anywhere_usage:
            raise self.validation_error("too_many_login_attempts")

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: Any) -> str:
        """With the client's address: counted by email alone, anybody could lock anybody out."""
        return f"{super()._get_login_attempts_cache_key(request, **credentials)}:{ratelimit.get_ip(request)}"

    def _rollback_login_failed_rl_usage(self) -> None:
        super()._rollback_login_failed_rl_usage()
        if usage := getattr(self, "_anywhere_usage", None):
            usage.rollback()

    def _delete_login_attempts_cached_email(self, request: HttpRequest, **credentials: Any) -> None:
        super()._delete_login_attempts_cached_email(request, **credentials)
        ratelimit.clear(request, **self._anywhere(request, credentials))

    def _anywhere(self, request: HttpRequest, credentials: dict[str, Any]) -> dict[str, str]:
        key = super()._get_login_attempts_cache_key(request, **credentials)
        return {"app": "allauth.account", "action": "login_failed_anywhere", "key": key}
