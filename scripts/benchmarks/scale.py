"""How much of everything a run does: by default, longer, or just enough to see that it works.

The default is meant for three minutes on two cores of their own; shared with others it takes as much longer.
"""

import msgspec


class Scale(msgspec.Struct, frozen=True, kw_only=True):
    """`rounds` are those at the most connections, the others take about half as many; times in seconds.

    `engines` is how many engines are read from: all sections but those that record, which always ask both.
    """

    name: str
    rounds: int
    round_seconds: float
    warm_up_seconds: float
    connections: tuple[int, ...]
    fund_sizes: tuple[int, ...]
    library_sizes: tuple[int, ...]
    large_fund: int
    flat_posts: int
    old_fund: int
    loads: int
    province_events: int
    report_events: int
    runner_events: int
    country_clubs: int
    country_members: int
    engines: int
    country_engines: int
    replay_seconds: float
    clubs_of_tutorial: int
    country_twice: bool
    read_seconds: float
    starts: int


DEFAULT = Scale(
    name="default",
    rounds=3,
    round_seconds=0.6,
    warm_up_seconds=0.2,
    connections=(1, 8, 64),
    fund_sizes=(100, 1_000, 10_000, 100_000),
    library_sizes=(100, 1_000, 10_000),
    large_fund=100_000,
    flat_posts=200,
    old_fund=12_000,
    loads=21,
    province_events=600,
    report_events=6_480,
    runner_events=1_000,
    country_clubs=8_432,
    country_members=10,
    engines=2,
    country_engines=1,
    replay_seconds=0.2,
    clubs_of_tutorial=1_024,
    country_twice=False,
    read_seconds=0.4,
    starts=2,
)
FULL = msgspec.structs.replace(
    DEFAULT,
    name="full",
    rounds=9,
    round_seconds=4.0,
    library_sizes=(100, 1_000, 10_000, 100_000),
    flat_posts=2_000,
    loads=101,
    province_events=6_000,
    runner_events=10_000,
    country_members=57,
    country_engines=2,
    country_twice=True,
    read_seconds=6.0,
    starts=7,
)
SMOKE = msgspec.structs.replace(
    DEFAULT,
    name="smoke",
    rounds=1,
    round_seconds=0.1,
    warm_up_seconds=0.05,
    connections=(4,),
    fund_sizes=(100, 300),
    library_sizes=(100, 300),
    large_fund=300,
    flat_posts=5,
    old_fund=600,
    loads=1,
    province_events=80,
    report_events=200,
    runner_events=30,
    engines=1,
    country_clubs=50,
    read_seconds=0.03,
    replay_seconds=0.02,
    clubs_of_tutorial=16,
    starts=1,
)
