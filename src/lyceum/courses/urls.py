"""Addresses of the catalogue, courses and lessons."""

from django.urls import path

from lyceum.courses import views

urlpatterns = [
    path("", views.home, name="home"),
    path("my-courses/", views.my_courses, name="my-courses"),
    path("courses/<slug:slug>/", views.course, name="course"),
    path("courses/<slug:slug>/enrol/", views.enrol, name="enrol"),
    path("courses/<slug:slug>/lessons/<slug:lesson_slug>/", views.lesson, name="lesson"),
    path("courses/<slug:slug>/lessons/<slug:lesson_slug>/complete/", views.complete_lesson, name="complete-lesson"),
]
