# SPDX-License-Identifier: Apache-2.0
"""The words of the drawn world: tags, descriptions, and other words for them."""

from typing import Final

COOKING: Final = "A person cooking at a stove"
TYPING: Final = "Someone typing on a laptop"
TALKING: Final = "People talking around a table"
PRESENTING: Final = "A person presenting in front of an audience"
EATING: Final = "People eating a meal together"
SERVING: Final = "A waiter carrying a tray of drinks"
SHOPPING: Final = "A shopper pushing a cart"
LIFTING: Final = "A person lifting weights"
RUNNING: Final = "A person running"
FORKLIFT: Final = "A forklift moving a pallet"
DRIVING: Final = "A car driving past parked cars"
TRAFFIC: Final = "Traffic moving along a busy road"
CROWD: Final = "A crowd of people walking in all directions"
WALKING: Final = "A person walking alone"
EMPTY: Final = "An empty room with nobody inside"
BALL: Final = "People playing a ball game"
RESTING: Final = "A person lying down and resting"
WASHING: Final = "Someone washing their hands at a sink"
WATCHING: Final = "Someone watching television"
CARRYING: Final = "A person carrying a large box"

TAG_SYNONYMS: dict[str, tuple[str, ...]] = {
    "kitchen": ("home kitchen", "cooking area"),
    "living room": ("lounge", "sitting room"),
    "office": ("workplace", "desk area"),
    "meeting room": ("conference room", "boardroom"),
    "classroom": ("school room", "lecture room"),
    "restaurant": ("dining room", "diner"),
    "cafe": ("coffee shop", "coffee house"),
    "grocery store": ("supermarket", "food store"),
    "gym": ("fitness studio", "weight room"),
    "warehouse": ("storage hall", "depot"),
    "parking lot": ("car park", "parking area"),
    "city street": ("road in a city", "downtown street"),
    "park": ("green park", "public garden"),
    "shopping mall": ("shopping centre", "mall"),
    "beach": ("seaside", "sandy shore"),
    "sports field": ("playing field", "stadium pitch"),
    "hallway": ("corridor", "passage"),
    "lobby": ("reception", "entrance hall"),
    "bathroom": ("washroom", "restroom"),
    "bedroom": ("sleeping room", "room with a bed"),
}
"""Other words for the place of each tag, used in training only."""

PARAPHRASES: dict[str, tuple[str, ...]] = {
    COOKING: (
        "Someone preparing food on the stove",
        "A cook with a pan",
        "Cooking food in a pan",
        "A chef frying something",
    ),
    TYPING: (
        "A person working on a laptop computer",
        "Using a notebook computer",
        "Somebody writing on a computer",
        "Working with a laptop at a desk",
    ),
    TALKING: (
        "A group in conversation at a table",
        "People discussing at a table",
        "A meeting with a lively discussion",
        "Friends chatting at a table",
    ),
    PRESENTING: (
        "A speaker giving a talk",
        "A teacher teaching a class",
        "A lecture with an audience",
        "Somebody explaining at the board",
    ),
    EATING: (
        "Guests having dinner",
        "People dining at a table",
        "Having lunch together",
        "People sitting at a table with food",
    ),
    SERVING: (
        "A server bringing drinks",
        "Someone with a tray of cups",
        "Waiting at tables",
        "A waitress serving drinks on a tray",
    ),
    SHOPPING: (
        "A customer with a shopping trolley",
        "Somebody pushing a shopping cart",
        "Shopping with a full cart",
        "A woman with a shopping cart",
    ),
    LIFTING: (
        "An athlete with a barbell",
        "Weightlifting training",
        "A man lifting a heavy barbell",
        "Strength training with weights",
    ),
    RUNNING: (
        "A runner jogging",
        "Somebody running fast",
        "Jogging outdoors",
        "A man jogging for exercise",
    ),
    FORKLIFT: (
        "A forklift truck at work",
        "A machine lifting a pallet",
        "A forklift truck carrying boxes",
        "A forklift driver at work",
    ),
    DRIVING: (
        "A car looking for a parking space",
        "A vehicle driving by parked cars",
        "A car driving slowly",
        "A single moving car between parked vehicles",
    ),
    TRAFFIC: (
        "Cars and buses driving on a road",
        "Busy road traffic",
        "Heavy car traffic",
        "Many vehicles and a bus on the street",
    ),
    CROWD: (
        "Many people walking",
        "A busy crowd passing by",
        "A lot of pedestrians",
        "Crowded with people",
    ),
    WALKING: (
        "Someone going for a walk",
        "A lone pedestrian walking",
        "A person walks",
        "One man walking by himself",
    ),
    EMPTY: (
        "Nobody is here",
        "A vacant room without people",
        "An empty place",
        "No people and no one in sight",
    ),
    BALL: (
        "A team playing with a ball",
        "Players kicking a ball",
        "A soccer match",
        "Playing football",
    ),
    RESTING: (
        "Someone sleeping",
        "A person lying on their back",
        "Somebody asleep lying down",
        "A woman resting on her back",
    ),
    WASHING: (
        "A person rinsing hands under the tap",
        "Washing hands with water",
        "Washing hands",
        "A man washing his hands with soap",
    ),
    WATCHING: (
        "A viewer in front of the TV",
        "Somebody looking at a TV screen",
        "Watching TV on the sofa",
        "A person watching a movie",
    ),
    CARRYING: (
        "Someone holding a cardboard box",
        "A worker moving a box by hand",
        "Carrying a heavy package",
        "A man with a big parcel",
    ),
}
"""Other sentences for each description, used in training only."""

TAGS: tuple[str, ...] = tuple(TAG_SYNONYMS)
DESCRIPTIONS: tuple[str, ...] = tuple(PARAPHRASES)

TAG_PROMPTS: tuple[str, ...] = (
    "{}",
    "{}",
    "a photo of a {}",
    "a photo of {}",
    "this is a photo of a {}.",
    "a picture of a {}",
    "a video of a {}",
    "a scene in a {}",
    "inside a {}",
    "the {}",
)
"""Sentences around a tag; the bare tag is the most common."""

DESCRIPTION_PROMPTS: tuple[str, ...] = (
    "{}",
    "{}",
    "{}",
    "a photo of {}",
    "this is a photo of {}.",
    "a video of {}",
    "{}.",
)
"""Sentences around a description; the bare description is the most common."""
