"""Pages of the catalogue, courses and lessons. Each asks a selector or calls a service, and shows the answer."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import BadRequest, PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from lyceum.accounts.models import User
from lyceum.content import get_store
from lyceum.content.types import is_shown
from lyceum.courses import markdown, selectors, services
from lyceum.courses.models import Course, Lesson
from lyceum.progress import services as progress_services
from lyceum.progress.errors import ProgressError

COURSES_A_PAGE = 24
LONGEST_SEARCH = 100


def _signed_in(request: HttpRequest) -> User:
    """The user behind `login_required`, as a type."""
    if not isinstance(request.user, User):
        raise PermissionDenied("Sign in first.")
    return request.user


def _search(request: HttpRequest, name: str) -> str:
    given = request.GET.get(name, "").strip()
    if "\x00" in given:
        raise BadRequest("no text")
    return given[:LONGEST_SEARCH]


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    words, topic = _search(request, "q"), _search(request, "topic")
    courses = selectors.catalogue(user=request.user, words=words, topic=topic)
    return render(
        request,
        "courses/home.html",
        {
            "words": words,
            "topic": topic,
            "topics": selectors.topics(user=request.user, selected=topic),
            "page": Paginator(courses, COURSES_A_PAGE).get_page(request.GET.get("page")),
        },
    )


@login_required
@require_safe
def my_courses(request: HttpRequest) -> HttpResponse:
    user = _signed_in(request)
    return render(
        request,
        "courses/my_courses.html",
        {"views": selectors.enrolled_courses(user=user), "taught": selectors.taught_courses(user=user)},
    )


@require_safe
def course(request: HttpRequest, slug: str) -> HttpResponse:
    found = get_object_or_404(Course.objects.visible_to(request.user).prefetch_related("instructors"), slug=slug)
    view = selectors.course_view(user=request.user, course=found)
    return render(
        request,
        "courses/course.html",
        {"view": view, "outline": view.outline(), "description": markdown.render(found.description_md)},
    )


@require_POST
def enrol(request: HttpRequest, slug: str) -> HttpResponse:
    found = get_object_or_404(Course.objects.visible_to(request.user), slug=slug)
    if not isinstance(request.user, User):
        return _to_sign_in(request, found.get_absolute_url(), "Sign in or sign up first, then enrol.")
    if services.enrol(user=request.user, course=found):
        messages.success(request, f"You are enrolled in {found.title}.")
    return redirect(found)


def _to_sign_in(request: HttpRequest, back_to: str, sentence: str) -> HttpResponse:
    messages.info(request, sentence)
    return redirect_to_login(back_to)


@require_safe
def lesson(request: HttpRequest, slug: str, lesson_slug: str) -> HttpResponse:
    found = get_object_or_404(Course.objects.visible_to(request.user), slug=slug)
    shown = get_object_or_404(Lesson.objects.select_related("section", "course"), course=found, slug=lesson_slug)
    if not isinstance(request.user, User):
        return _to_sign_in(request, shown.get_absolute_url(), "Sign in to open this lesson.")
    view = selectors.course_view(user=request.user, course=found)
    if not view.open:
        messages.info(request, "Enrol in the course first; then its lessons are open to you.")
        return redirect(found)
    previous, following = view.neighbours(shown)
    progress = view.progress.lessons.get(shown.pk) if view.progress else None
    context = {
        "view": view,
        "lesson": shown,
        "outline": view.outline(shown),
        "place": view.lessons.index(shown) + 1,
        "previous": previous,
        "following": following,
        "completed": progress is not None and progress.completed,
        "body": markdown.render(shown.body_md),
    }
    if shown.kind == Lesson.Kind.VIDEO:
        context["player"] = progress_services.player(user=request.user, lesson=shown)
    elif shown.kind == Lesson.Kind.DOCUMENT:
        context |= _document(shown)
    response = render(request, "courses/lesson.html", context)
    # It holds addresses that expire, and whose lesson it is.
    response["Cache-Control"] = "private, no-store"
    return response


def _document(shown: Lesson) -> dict[str, str]:
    store, ending = get_store(), shown.media_key.rpartition("/")[2].partition(".")[2]
    return {
        "media_url": store.url(shown.media_key) if is_shown(shown.media_type) else "",
        "download_url": store.url(shown.media_key, download_name=f"{shown.slug}.{ending}" if ending else shown.slug),
        "media_format": (ending or shown.media_type.rpartition("/")[2]).upper()[:12],
    }


@require_POST
def complete_lesson(request: HttpRequest, slug: str, lesson_slug: str) -> HttpResponse:
    found = get_object_or_404(Course.objects.visible_to(request.user), slug=slug)
    done = get_object_or_404(Lesson.objects.select_related("section", "course"), course=found, slug=lesson_slug)
    if not isinstance(request.user, User):
        return _to_sign_in(request, done.get_absolute_url(), "Sign in to open this lesson.")
    view = selectors.course_view(user=request.user, course=found)
    if not view.enrolled:
        messages.info(request, "Enrol in the course first; then its lessons are open to you.")
        return redirect(found)
    try:
        progress_services.mark_complete(user=request.user, lesson=done)
    except ProgressError as error:
        messages.error(request, str(error))
        return redirect(done)
    _, following = view.neighbours(done)
    messages.success(request, f"“{done.title}” is complete.")
    return redirect(following or found)
