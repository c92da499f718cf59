# SPDX-License-Identifier: Apache-2.0
"""The register of places: the picture of each, and the activities in it."""

from collections.abc import Callable
from dataclasses import dataclass

from trireel_drawings.figures.activities import Act
from trireel_drawings.painting.canvas import Pen
from trireel_drawings.places import home, outdoor, public, work
from trireel_drawings.places.gym import GYM_ACTS, gym
from trireel_drawings.places.vocabulary import TAGS


@dataclass(frozen=True)
class Place:
    """One kind of place."""

    tag: str
    """Name of the place, one of TAGS."""
    backdrop: Callable[[Pen], None]
    """Function that paints the place without people."""
    acts: dict[str, Act]
    """Functions that paint people, by the description of what they do."""


PLACES: dict[str, Place] = {
    place.tag: place
    for place in (
        Place("kitchen", home.kitchen, home.KITCHEN_ACTS),
        Place("living room", home.living_room, home.LIVING_ROOM_ACTS),
        Place("office", work.office, work.OFFICE_ACTS),
        Place("meeting room", work.meeting_room, work.MEETING_ROOM_ACTS),
        Place("classroom", work.classroom, work.CLASSROOM_ACTS),
        Place("restaurant", public.restaurant, public.RESTAURANT_ACTS),
        Place("cafe", public.cafe, public.CAFE_ACTS),
        Place("grocery store", public.grocery_store, public.GROCERY_ACTS),
        Place("gym", gym, GYM_ACTS),
        Place("warehouse", work.warehouse, work.WAREHOUSE_ACTS),
        Place("parking lot", outdoor.parking_lot, outdoor.PARKING_ACTS),
        Place("city street", outdoor.city_street, outdoor.STREET_ACTS),
        Place("park", outdoor.park, outdoor.PARK_ACTS),
        Place("shopping mall", public.shopping_mall, public.MALL_ACTS),
        Place("beach", outdoor.beach, outdoor.BEACH_ACTS),
        Place("sports field", outdoor.sports_field, outdoor.FIELD_ACTS),
        Place("hallway", public.hallway, public.HALLWAY_ACTS),
        Place("lobby", public.lobby, public.LOBBY_ACTS),
        Place("bathroom", home.bathroom, home.BATHROOM_ACTS),
        Place("bedroom", home.bedroom, home.BEDROOM_ACTS),
    )
}
"""All places by tag, in the order of TAGS."""

PAIRS: tuple[tuple[str, str], ...] = tuple(
    (tag, description) for tag in TAGS for description in PLACES[tag].acts
)
"""Every (tag, description) that can be drawn."""
