"""What routes are given of inspection: what looks for red flags."""

from typing import Annotated

from fastapi import Depends, Request

from service.inspection.flag_service import FlagService


async def _flag_service(request: Request) -> FlagService:
    flag_service: FlagService = request.app.state.flag_service
    return flag_service


AtFlagService = Annotated[FlagService, Depends(_flag_service)]
