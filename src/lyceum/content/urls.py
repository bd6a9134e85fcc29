"""Addresses of content kept in a folder; with a bucket they answer 404."""

from django.urls import path

from lyceum.content import views

urlpatterns = [path("<path:key>", views.content, name="content")]
