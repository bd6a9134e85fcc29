"""`./lyceum docs`: docs/ as a site that asks nothing of anybody else.

source.py       what is built: docs/ as it stands, with links that lead out of it made to lead somewhere
navigation.py   where each page stands: tutorial, how-to, reference, explanation; a page that stands nowhere is refused
build.py        built by MkDocs from mkdocs.yml, with every warning an error; served on 127.0.0.1
"""
