"""Every address of the site, in one list."""

from allauth.account.decorators import secure_admin_login
from django.conf import settings
from django.contrib import admin
from django.urls import include, path
from django.views.generic import TemplateView

from lyceum.api import api

# Signing in to the administration goes through the same page, with the same rate limits, as signing in to the site.
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]
admin.site.site_header = admin.site.site_title = "Lyceum administration"
admin.site.index_title = "What the platform keeps"

# A page that promises a letter which nobody sends is worse than one that says so.
without_mail = [
    path(address, TemplateView.as_view(template_name="account/without_mail.html"))
    for address in ("accounts/password/reset/", "accounts/email/")
    if not settings.MAIL_IS_SENT
]

urlpatterns = [
    path("", include("lyceum.courses.urls")),
    path("", include("lyceum.progress.urls")),
    path("", include("lyceum.shared.urls")),
    *without_mail,
    path("accounts/", include("allauth.account.urls")),
    path("content/", include("lyceum.content.urls")),
    path("api/v1/", api.urls),
    path("manage/", admin.site.urls),
]

handler400 = "lyceum.web.errors.bad_request"
handler403 = "lyceum.web.errors.forbidden"
handler404 = "lyceum.web.errors.not_found"
handler500 = "lyceum.web.errors.server_error"
