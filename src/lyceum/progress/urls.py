"""Addresses of the pages' own helpers; the API is mounted elsewhere."""

from django.urls import path

from lyceum.progress import views

urlpatterns = [
    path("lessons/<uuid:lesson_id>/captions/<str:language>.vtt", views.captions, name="lesson-captions"),
]
