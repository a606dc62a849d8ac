"""Sending less: a village's network carries some ten kilobytes a second."""

import gzip

from fastapi import Request, Response


def compressed(request: Request, response: Response) -> Response:
    """A response as small as the asker can read it. Only for what is the same whatever was asked: beside something of
    an asker's choice, how well it compresses would tell what is in it."""
    response.headers.add_vary_header("Accept-Encoding")
    if "gzip" in request.headers.get("accept-encoding", ""):
        response.body = gzip.compress(bytes(response.body), mtime=0)
        response.headers["Content-Encoding"] = "gzip"
        response.headers["Content-Length"] = str(len(response.body))
    return response
