"""Addresses of shared files. Only below `uploads/` does the site take large bodies, and the web firewall let them pass
(`large_body_paths` in infra/platform/main.tf).
"""

from django.urls import path

from lyceum.shared import views

urlpatterns = [
    path("courses/<slug:slug>/files/", views.files, name="shared-files"),
    path("courses/<slug:slug>/files/<uuid:file_id>/", views.download, name="shared-file"),
    path("courses/<slug:slug>/files/<uuid:file_id>/delete/", views.delete, name="delete-shared-file"),
    path("uploads/<slug:slug>/", views.upload, name="share-file"),
]
