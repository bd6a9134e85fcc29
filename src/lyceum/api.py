"""The REST API at /api/v1/: what scripts on this site's pages talk to. Its description is at /api/v1/openapi.json.

Whoever is signed in to the site is signed in here, with the same protection against forged requests. Every error is
`{"code": …, "detail": …}`: a word for programs and a sentence for people.
"""

from django.http import Http404, HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, ValidationError
from ninja.security import django_auth

from lyceum.progress.api import router as progress
from lyceum.web import errors

api = NinjaAPI(title="Lyceum", version="1", auth=django_auth, docs_url=None, urls_namespace="api-v1")


@api.exception_handler(ValidationError)
def _malformed(request: HttpRequest, error: ValidationError) -> HttpResponse:
    places = ", ".join(sorted({".".join(str(part) for part in item["loc"][1:]) or "body" for item in error.errors}))
    return api.create_response(
        request,
        {"code": "malformed", "detail": f"The request does not fit the description of the API at: {places}."},
        status=422,
    )


@api.exception_handler(AuthenticationError)
def _nobody(request: HttpRequest, error: AuthenticationError) -> HttpResponse:
    return api.create_response(request, {"code": "signed-out", "detail": "Sign in first."}, status=401)


@api.exception_handler(Http404)
def _missing(request: HttpRequest, error: Http404) -> HttpResponse:
    return api.create_response(
        request, {"code": "not-found", "detail": "There is nothing here that you may see."}, status=404
    )


@api.exception_handler(HttpError)
def _refused(request: HttpRequest, error: HttpError) -> HttpResponse:
    # ninja raises a 403 for one thing only, a request without this site's token, and gives it no type of its own.
    if error.status_code == 403:
        return errors.csrf_failure(request)
    return api.create_response(
        request, {"code": f"http-{error.status_code}", "detail": str(error)}, status=error.status_code
    )


api.add_router("", progress)
