"""Who records in the demo's clubs, who inspects them and who reports on them; all can log in."""

from datetime import date
from random import Random

from service.access.principals import Principal, Role, Scope
from service.demo.places import PROVINCE, Club

IN_CARE_OF_HEALTH = date(2025, 3, 1)
"""Since when the care for the elderly is with Sở Y tế; Sở Lao động - Thương binh và Xã hội was dissolved."""

CHAIR, TREASURER, MEMBER = 1, 2, 3
"""The board's numbers on the roll: the first two to join, and they stay. After them comes somebody of no office."""


class Board:
    """A club's own principals. In a badly kept club the chair keeps the box, too."""

    def __init__(self, club: Club, random: Random) -> None:
        here = Scope(funds=(club.code,))
        self.chair = principal(random, f"Chủ nhiệm CLB {club.commune}", "chair", here, {club.code: CHAIR})
        self.treasurer = principal(random, f"Thủ quỹ CLB {club.commune}", "treasurer", here, {club.code: TREASURER})
        self.member = Principal(
            id=f"member-{MEMBER}",
            name=f"Thành viên số {MEMBER} CLB {club.commune}",
            roles=frozenset({"member"}),
            scope=here,
            members={club.code: MEMBER},
        )


class Province:
    """The principals of the province."""

    def __init__(self, random: Random, today: date) -> None:
        province = Scope(province=PROVINCE)
        self.admin = principal(random, "Quản trị hệ thống", "admin", Scope(everything=True))
        self.inspector = principal(
            random,
            f"Cán bộ kiểm tra, {'Sở Y tế' if today >= IN_CARE_OF_HEALTH else 'Sở LĐTBXH'}",
            "inspector",
            province,
        )
        self.reporter = principal(random, "Bộ phận tổng hợp, Hội Người cao tuổi tỉnh", "reporter", province)


def principal(random: Random, name: str, role: Role, scope: Scope, members: dict[str, int] | None = None) -> Principal:
    """A principal with an id as the service gives them, but drawn from the seed."""
    return Principal(
        id=f"p{random.randbytes(6).hex()}", name=name, roles=frozenset({role}), scope=scope, members=members or {}
    )
