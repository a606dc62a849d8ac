"""What routes are given of checkpoints: those of the ledger, and the thread that makes one each day."""

from typing import Annotated

from fastapi import Depends, Request

from ledger.checkpoints import Checkpoints
from service.checkpoints.anchoring import Anchoring


async def _checkpoints(request: Request) -> Checkpoints:
    checkpoints: Checkpoints = request.app.state.checkpoints
    return checkpoints


async def _anchoring(request: Request) -> Anchoring:
    anchoring: Anchoring = request.app.state.anchoring
    return anchoring


AtCheckpoints = Annotated[Checkpoints, Depends(_checkpoints)]
AtAnchoring = Annotated[Anchoring, Depends(_anchoring)]
