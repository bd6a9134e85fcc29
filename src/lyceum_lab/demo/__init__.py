"""`./lyceum demo`: the film of the demonstration, made from docs/demo/storyboard.yaml by doing what it says.

storyboard.py   what is typed, clicked, awaited and said, and when: the film's length, chapters and captions follow
terminal.py     records a real shell on a real pseudo-terminal
browser.py      records a real browser on the rehearsal
record.py       goes through the scenes on one rehearsal; an expectation that is not met ends it, by the scene's name
takes.py        what was recorded: bytes, pictures and movements, each with its second
pacing.py       how recorded time becomes the film's: live, waits cut, or lapsed; whatever is not live is marked
stage.py        draws takes, captions and marks as pictures of 1920 × 1080; stage/ is the page it draws on
film.py         the video with its chapters, the captions beside it, the contact sheet
make.py         the command

Nothing is staged: what is seen ran while it was recorded, and said what the storyboard expects of it. The captions'
times are the storyboard's and not the recording's, so that the same storyboard makes the same film, second by second.
"""
