"""Releases: which artifact the servers run, changed without a pause and taken back the same way (docs/decisions/0008).

    published.py   the artifacts in the bucket of releases: complete, unaltered, written once
    servers.py     the group, the versions of its launch template, and its instance refreshes
    lock.py        one release at a time in an environment
    ledger.py      what ran when, and under whose identity
    release.py     ./lyceum release and ./lyceum rollback
    history.py     ./lyceum releases

All of it goes by the names that infra/ gives (lyceum-<env>-…) and asks AWS alone: no Terraform, no state.
"""
