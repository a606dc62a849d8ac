"""Every fault that the books are promised to survive, tried on the real service, each beside a control that must fail.

`__main__.py` runs the rows, one file each; `trial.py` says what a row is and what it finds. `crowd.py` are the clients,
who keep a journal before and after each request; `judge.py` compares that with the log when all is over. `service.py`
starts, kills and freezes copies of the service, `altered.py` is the service with one guard taken away, `tracing.py` is
strace, which records or spoils what a process writes. What is started here is ended here, by its number; nothing
listens beyond this machine.
"""
