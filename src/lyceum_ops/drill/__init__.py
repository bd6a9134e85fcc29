"""`./lyceum drill restore`: backups are restored beside the live stores, compared, tried by a learner, and removed.

    manifest.py   what a store holds, as counts and checksums; and what is missing or other in a copy
    postgres.py   the manifest of a database, and what must hold in a restored one
    items.py      the manifests of a table of DynamoDB, of a folder, of a bucket with its versions
    stores.py     what a store has to do: take part in a drill without writing over anything live
    copies.py     what was made goes again, and what an earlier run left
    drill.py      the drill itself, whatever the stores are
    report.py     what it found, as lines, JSON and Markdown
    amazon/       the stores of an environment on AWS
    release.py    tables of then, brought to the release that is live
    live.py       who may go to its live database, and the ways there

Why a difference means loss and not a later write: docs/decisions/0026. On one machine the same drill runs on stores of
lyceum_lab/drill.
"""
