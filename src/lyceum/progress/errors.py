"""Everything that can be wrong with a request about progress, each with a machine code and a human sentence.

    ProgressError
    ├── ReportRefusedError        400  the report can never become acceptable: a player drops it
    │   ├── MalformedReportError       malformed-report
    │   ├── BadAnchorError             bad-anchor
    │   ├── AnchorExpiredError         anchor-expired
    │   ├── FromTheFutureError         from-the-future
    │   └── ImplausibleError           implausible
    ├── OtherLearnerError         403  other-learner: the page was opened by another account; a player keeps the report
    ├── LessonNotFoundError       404  lesson-not-found
    ├── NotEnrolledError          403  not-enrolled
    ├── WrongKindError            409  wrong-kind
    └── StoreUnavailableError     503  store-unavailable: nothing is wrong with the request, send it again later

Sentences are shown to learners: they name no internals and repeat no input.
"""


class ProgressError(Exception):
    """An expected failure. `code` is stable and for programs, `status` is the HTTP status, str() is for people."""

    code = "progress-error"
    status = 400


class ReportRefusedError(ProgressError):
    """Sending the same report again cannot help."""


class MalformedReportError(ReportRefusedError):
    code = "malformed-report"


class BadAnchorError(ReportRefusedError):
    code = "bad-anchor"


class AnchorExpiredError(ReportRefusedError):
    code = "anchor-expired"


class FromTheFutureError(ReportRefusedError):
    code = "from-the-future"


class ImplausibleError(ReportRefusedError):
    code = "implausible"


class OtherLearnerError(ProgressError):
    code = "other-learner"
    status = 403


class LessonNotFoundError(ProgressError):
    code = "lesson-not-found"
    status = 404


class NotEnrolledError(ProgressError):
    code = "not-enrolled"
    status = 403


class WrongKindError(ProgressError):
    code = "wrong-kind"
    status = 409


class StoreUnavailableError(ProgressError):
    code = "store-unavailable"
    status = 503
