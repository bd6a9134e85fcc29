"""Every address of the site, in one list."""

from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.urls import include, path

from lyceum.api import api

# Signing in to the administration goes through the same page, with the same rate limits, as signing in to the site.
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]
admin.site.site_header = admin.site.site_title = "Lyceum administration"
admin.site.index_title = "What the platform keeps"

urlpatterns = [
    path("", include("lyceum.courses.urls")),
    path("", include("lyceum.progress.urls")),
    path("accounts/", include("allauth.account.urls")),
    path("content/", include("lyceum.content.urls")),
    path("api/v1/", api.urls),
    path("manage/", admin.site.urls),
]

handler400 = "lyceum.web.errors.bad_request"
handler403 = "lyceum.web.errors.forbidden"
handler404 = "lyceum.web.errors.not_found"
handler500 = "lyceum.web.errors.server_error"
