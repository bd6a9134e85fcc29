"""The learning platform: what runs on an app server.

One Django project with an app for each concern: `accounts` (who), `courses` (what is taught), `content` (the bytes
of it), `progress` (how far each learner is) and `web` (how the site looks and defends itself). It knows nothing of
AWS beyond the addresses in its settings.
"""
