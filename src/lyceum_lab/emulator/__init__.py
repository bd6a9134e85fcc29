"""An AWS account on 127.0.0.1: moto's server with a thin layer around it that names, records and completes its answers.

    server.py      the process: port, threads, clean end
    gateway.py     the way of one request: name it, guard it, answer it (stub or moto, edited), record it
    pages.py      its own pages, from outside
    signatures.py  what a presigned URL must say, recomputed
    wire.py        AWS's protocols, both directions, from botocore's models: which operation is this, what does it say
    fillers/       what moto lacks, one file per AWS service, each entry with its reason
    patches.py     the few faults of moto that can only be mended inside it
    groups.py      Auto Scaling groups that act: what their loop tells, so that the API shows what really is
    watch.py       CloudWatch that acts: metric filters count, alarms are evaluated when told and tell their topics
    trail.py       with --record-trail: CloudTrail that records what the API was asked and refused, for those alarms
    permissions.py with --enforce-iam: every call decided by the account's IAM policies (lyceum_lab.iam)
    lookup.py      what exists, as far as those decisions depend on it
    inventory.py   what exists in the emulated account, by service and type
    record.py      one JSON line per call: who called what, how it was answered; never a body, never a secret

An edited or stubbed field echoes what Terraform sent. An empty plan proves nothing about such a field, so every
filler is counted and listed (`GET /_lyceum/gaps`): green must not be over-read.
"""

ACCOUNT = "123456789012"
# The one key that exists from the start: a rehearsal's administrator. It opens nothing real.
ROOT_KEY = "AKIAREHEARSAL0000000"
ROOT_SECRET = "rehearsal"  # noqa: S105 - a secret of nothing
# What the lab's own clients add to their name: what they do is done by no customer.
LAB = "lyceum-lab"
# In the place of a machine's metadata service: the credentials of a role, by its name, for an hour.
CREDENTIALS = "/_lyceum/credentials/"
