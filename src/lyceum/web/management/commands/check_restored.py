"""Tells whether a learner can sign in to restored stores and go on where they were; for a copy, never for what is live.

A learner who has progress is chosen, given a new password (nobody knows the old one; that it is a password is looked
at), signed in through the real form, and shown the lesson: the page has to resume where the progress store says. The
lesson's media and a shared file have to be there. It writes to the database, and therefore refuses one that no drill
has marked: the table `lyceum_drill` with the drill's number exists in a copy alone.
"""

import hashlib
import re
import secrets
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.contrib.auth.hashers import is_password_usable
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection
from django.test import Client, override_settings

from lyceum.accounts.models import User
from lyceum.content import get_store as get_content
from lyceum.courses.models import Enrolment, Lesson
from lyceum.progress.domain import LessonKey, LessonRecord
from lyceum.progress.stores import get_store as get_progress
from lyceum.shared.models import SharedFile
from lyceum.shared.storage import get_storage

MARK = "lyceum_drill"
# As many enrolments are asked for progress, the newest first.
LOOKED_AT = 500
CHUNK = 1024 * 1024


class Command(BaseCommand):
    help = "Sign a learner in to restored stores and let them go on; refuses whatever is no copy of a drill."
    requires_system_checks: Any = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--drill", required=True, help="The drill's number, with which it marked the database.")
        parser.add_argument("--without-files", action="store_true", help="The shared files are not within reach.")

    def handle(self, *args: Any, **options: Any) -> None:
        self._require_copy(str(options["drill"]))
        user, lesson, record = self._learner()
        host = "restored.lyceum.internal"
        hosts = override_settings(ALLOWED_HOSTS=[host], EMAIL_BACKEND="django.core.mail.backends.dummy.EmailBackend")
        hosts.enable()
        try:
            client = Client(headers={"host": host}, raise_request_exception=True)
            self._sign_in(client, user)
            said = self._resume(client, lesson, record)
            shared = "" if options["without_files"] else self._shared()
        finally:
            hosts.disable()
        self.stdout.write(f"A learner signed in{said}{self._media(lesson)}{shared}.")

    def _require_copy(self, number: str) -> None:
        if MARK not in connection.introspection.table_names():
            raise CommandError("This database is no copy of a drill: nothing was looked at, nothing changed.")
        with connection.cursor() as cursor:
            cursor.execute("SELECT number FROM lyceum_drill")
            if [row[0] for row in cursor.fetchall()] != [number]:
                raise CommandError(f"This database is a copy of another drill than {number}.")

    def _learner(self) -> tuple[User, Lesson | None, LessonRecord]:
        """Who was last seen in the middle of a video, as the restored stores tell; else anybody who is enrolled."""
        best: tuple[int, Enrolment, Lesson, LessonRecord] | None = None
        enrolments = Enrolment.objects.filter(user__is_active=True).select_related("user", "course")[:LOOKED_AT]
        for enrolment in enrolments:
            for lesson, record in _videos(enrolment):
                if best is None or record.touched_at_ms > best[0]:
                    best = (record.touched_at_ms, enrolment, lesson, record)
        if best:
            return best[1].user, best[2], best[3]
        user = next((one.user for one in enrolments), None) or User.objects.filter(is_active=True).first()
        if user is None:
            raise CommandError("Nobody has an account in what was restored.")
        return user, None, LessonRecord()

    def _sign_in(self, client: Client, user: User) -> None:
        if not is_password_usable(user.password):
            raise CommandError("The learner's password did not come back.")
        password = secrets.token_urlsafe(24)
        user.set_password(password)
        user.save(update_fields=["password"])
        secure = bool(settings.SESSION_COOKIE_SECURE)
        answer = client.post(
            "/accounts/login/", {"login": user.email, "password": password}, follow=True, secure=secure
        )
        if answer.status_code != 200 or client.session.get("_auth_user_id") != str(user.pk):
            raise CommandError(f"The learner could not sign in: the page answered {answer.status_code}.")

    def _resume(self, client: Client, lesson: Lesson | None, record: LessonRecord) -> str:
        if lesson is None:
            return "; nobody had any progress in a video to go on with"
        secure = bool(settings.SESSION_COOKIE_SECURE)
        answer = client.get(lesson.get_absolute_url(), secure=secure)
        if answer.status_code != 200:
            raise CommandError(f"The learner's lesson answered {answer.status_code}.")
        shown = re.search(r'data-resume="([0-9.]*)"', answer.content.decode())
        kept = (record.position_ms or 0) / 1000
        if not shown or not shown[1] or float(shown[1]) != kept:
            raise CommandError(
                f"The lesson does not go on where the learner was: {shown[1] if shown else 'no player'}, kept {kept}."
            )
        return f" and goes on at {kept:g} s"

    def _media(self, lesson: Lesson | None) -> str:
        if lesson is None:
            return ""
        if not get_content().exists(lesson.media_key):
            raise CommandError("The video of the learner's lesson did not come back.")
        return ", with its video"

    def _shared(self) -> str:
        """One shared file, byte for byte."""
        found = SharedFile.objects.order_by("-uploaded_at").first()
        if found is None:
            return "; nobody had shared a file"
        storage, digest = get_storage(), hashlib.sha256()
        with storage.open(course_id=found.course_id, file_id=found.pk) as file:
            while chunk := storage.read(file, CHUNK):
                digest.update(chunk)
        if digest.hexdigest() != found.sha256:
            raise CommandError("A shared file is not what was shared.")
        return ", and a shared file is whole"


def _videos(enrolment: Enrolment) -> Iterator[tuple[Lesson, LessonRecord]]:
    """The learner's videos that go on in the middle."""
    records = get_progress().course(user_id=enrolment.user_id, course_id=enrolment.course_id)
    wanted = {pk: record for pk, record in records.items() if record.position_ms}
    for lesson in Lesson.objects.filter(pk__in=wanted, course=enrolment.course_id, kind="video").select_related(
        "course"
    ):
        record = get_progress().lesson(LessonKey(enrolment.user_id, enrolment.course_id, lesson.pk))
        ends_at = (lesson.duration_seconds or 0) * 1000 - 5000
        if record.position_ms and record.position_ms < ends_at:
            yield lesson, record
