"""Checkpoints for whoever does not want to trust the server: made, listed, and proved with a few hashes each."""

import asyncio
import base64
import logging
from collections.abc import Sequence
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Query, Response
from fastapi.responses import PlainTextResponse

from ledger.checkpoints import NO_END, Checkpoints, Made, Overtaken
from ledger.checkpoints.notes import Checkpoint, Signer
from ledger.events import check_code
from ledger.refusals import FundsChanged
from service.access.places import AtPlaces
from service.access.principals import Place, Principal
from service.access.roles import ANCHORERS, FIGURE_READERS, admitted
from service.checkpoints.dependencies import AtCheckpoints
from service.checkpoints.signing import BadKey, signer_of
from service.http.answers import in_json
from service.http.body import Nothing
from service.http.fields import Cursor, FundCode, Limit, PathNumber
from service.http.parsing import StrictRoute
from service.http.refusals import CheckpointKeyUnusable, CursorInvalid
from service.http.state import AppState, AtState

log = logging.getLogger("microfund")
router = APIRouter(prefix="/v1", route_class=StrictRoute)

FIGURES: Final = [Depends(admitted(FIGURE_READERS))]
KEY_RETRY_SECONDS: Final = 60
"""A key is put right by a person, not by waiting."""
TRIES: Final = 20
"""How often a checkpoint is tried while other processes make theirs."""


@router.post(
    "/checkpoints",
    status_code=201,
    response_class=PlainTextResponse,
    responses={200: {"description": "The latest one: nothing was recorded since", "content": {"text/plain": {}}}},
)
async def make_checkpoint(
    state: AtState,
    checkpoints: AtCheckpoints,
    places: AtPlaces,
    principal: Annotated[Principal, Depends(admitted(ANCHORERS))],
    body: Nothing,
) -> Response:
    """Have the heads of all funds signed now. Answers the signed note, 201 if it is new, and 200 with the latest one if
    no fund has recorded anything since: asking twice makes one, so that no Idempotency-Key is needed, and none is read.

    Nothing is signed that no longer is what was signed before (409).
    """
    try:
        made = await asyncio.to_thread(made_now, state, checkpoints)
    except FundsChanged as refusal:
        changed = refusal.facts["funds"]
        assert isinstance(changed, tuple)
        # A fund that is gone has no place any more; whoever may see all, or has it named, hears of it.
        where = {fund: await places.place_of(fund) or Place("", None, "") for fund in changed}
        seen = [fund for fund, place in where.items() if principal.scope.holds(fund, place)]
        raise FundsChanged(count=len(changed), funds=tuple(seen)) from None
    location = {"Location": f"/v1/checkpoints/{made.checkpoint.number}"}
    return PlainTextResponse(made.note, 201 if made.is_new else 200, location)


def made_now(state: AppState, checkpoints: Checkpoints) -> Made:
    """A checkpoint of this moment, or the latest if nothing is new; tried again while others make theirs."""
    signer = _signer(state, checkpoints)
    for _ in range(TRIES):
        try:
            return checkpoints.make(signer, state.now())
        except Overtaken:
            continue
    return checkpoints.make(signer, state.now())


def _signer(state: AppState, checkpoints: Checkpoints) -> Signer:
    """The key that the service signs with. Raises `CheckpointKeyUnusable`."""
    try:
        return signer_of(state.settings, checkpoints)
    except BadKey as error:
        log.warning("no checkpoint is made: %s", error)
        raise CheckpointKeyUnusable(retry_after=KEY_RETRY_SECONDS) from None


def _key(state: AppState, checkpoints: Checkpoints) -> str | None:
    try:
        return str(_signer(state, checkpoints).key)
    except CheckpointKeyUnusable:
        return None


@router.get("/checkpoints", dependencies=FIGURES)
async def list_checkpoints(
    state: AtState, checkpoints: AtCheckpoints, cursor: Cursor | None = None, limit: Limit = 100
) -> Response:
    """The checkpoints, newest first, and the public key that the service signs with now; null while it has none that
    can be used."""
    before = _number(cursor)
    made = await asyncio.to_thread(lambda: checkpoints.listed(before=before, most=limit + 1))
    items = [_shown(one.checkpoint) for one in made[:limit]]
    more = str(made[limit - 1].checkpoint.number) if len(made) > limit else None
    key = await asyncio.to_thread(_key, state, checkpoints)
    return _json({"key": key, "items": items, "next": more})


@router.get("/checkpoints/key", dependencies=FIGURES, response_class=PlainTextResponse)
async def checkpoint_key(state: AtState, checkpoints: AtCheckpoints) -> Response:
    """The public key: `name+id+key`. Keep a copy of it where the server cannot reach."""
    signer = await asyncio.to_thread(_signer, state, checkpoints)
    return PlainTextResponse(f"{signer.key}\n")


@router.get("/checkpoints/{number}", dependencies=FIGURES, response_class=PlainTextResponse)
async def one_checkpoint(checkpoints: AtCheckpoints, number: PathNumber) -> Response:
    """A checkpoint as a signed note, to mail or to print."""
    made = await asyncio.to_thread(checkpoints.one, number)
    return PlainTextResponse(made.note)


@router.get("/checkpoints/{number}/consistency", dependencies=FIGURES)
async def consistency(
    checkpoints: AtCheckpoints, number: PathNumber, since: Annotated[PathNumber, Query(alias="from")]
) -> Response:
    """What shows that this checkpoint's tree is that of an earlier one with leaves appended (RFC 9162, 2.1.4)."""
    old, new, proof = await asyncio.to_thread(checkpoints.consistency, number, since)
    return _json({"from": _shown(old.checkpoint), "to": _shown(new.checkpoint), "proof": _in_base64(proof)})


@router.get("/funds/{fund}/checkpoints/{number}", dependencies=FIGURES)
async def inclusion(checkpoints: AtCheckpoints, fund: FundCode, number: PathNumber) -> Response:
    """All that is needed to check without the server that a checkpoint vouches for the fund's head: its leaf, the
    hashes beside it in the tree (RFC 9162, 2.1.3), and the signed note."""
    found = await asyncio.to_thread(checkpoints.inclusion, fund, number)
    leaf = found.leaf
    return _json(
        {
            "fund": leaf.fund,
            "version": leaf.version,
            "head": leaf.head,
            "check_code": check_code(leaf.head),
            "checkpoint": number,
            "leaf": leaf.text(),
            "index": found.place,
            "proof": _in_base64(found.proof),
            "note": found.made.note,
        }
    )


def _shown(checkpoint: Checkpoint) -> dict[str, Any]:
    return checkpoint._asdict() | {"root": base64.b64encode(checkpoint.root).decode()}


def _in_base64(hashes: Sequence[bytes]) -> list[str]:
    return [base64.b64encode(one).decode() for one in hashes]


def _number(cursor: str | None) -> int:
    if cursor is None:
        return NO_END
    if not (cursor.isascii() and cursor.isdecimal() and len(cursor) < 18):
        raise CursorInvalid
    return int(cursor)


def _json(content: Any) -> Response:
    return in_json(content)
