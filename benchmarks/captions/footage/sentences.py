# SPDX-License-Identifier: Apache-2.0
"""What the captions say: sentences in six languages, and sentences that differ in one letter."""

import random

SENTENCES = (
    "We leave at seven, not later.",
    "I never saw the letter.",
    "Nobody told me about the bridge.",
    "The train to Lisbon is delayed by 25 minutes.",
    "Where did you put the other key?",
    "It was raining when we arrived.",
    "Listen: there is someone at the door!",
    "You said 40 euros, I paid 60.",
    "My brother works in a bakery.",
    "That was the last boat today.",
    "Please don't wake the children.",
    "We have walked 12 miles since noon.",
    "What colour was the car?",
    "He sold his house in 1987.",
    "Turn left behind the church.",
    "I can't hear you, the wind is too loud.",
    "They always come back in spring.",
    "Is this seat taken?",
    "The museum closes at half past five.",
    "She has read every book in here.",
    "Two coffees and a glass of water, please.",
    "Our garden was much bigger once.",
    "Don't forget to feed the rabbit.",
    "The bicycle belongs to my neighbour.",
    "Stop! Don't go any further.",
    "How long have you been waiting?",
    "I will call you on Thursday.",
    "Good evening, and welcome back.",
    "The snow has covered everything.",
    "We found it under the stairs.",
    "Nothing has changed in this street.",
    "Yes, of course I remember.",
    "Wir müssen bis 18 Uhr zurück sein.",
    "Das Wetter war schöner als gestern.",
    "Hast du die Schlüssel gefunden?",
    "Früher stand hier eine große Mühle.",
    "Er wohnt über der Bäckerei.",
    "Der Weg führt durch den Wald.",
    "Nous étions à la gare à midi.",
    "Où est la clé de la cave ?",
    "C'est déjà l'été, et il fait froid.",
    "Il a vécu près de la forêt.",
    "Mañana será otro día.",
    "¿Dónde está la estación?",
    "El niño perdió su sombrero.",
    "Hace años que no llueve aquí.",
    "Non c'è più tempo, andiamo.",
    "La città era piena di gente.",
    "Perché non me l'hai detto?",
    "O comboio já partiu.",
    "Amanhã não há aulas.",
    "A chuva parou às três horas.",
)
MIDDLE_LETTERS = "aeiourstnlmdc"


def sentences(part: str) -> tuple[str, ...]:
    """Return the sentences of a part; none is in both."""
    return SENTENCES[part == "test" :: 2]


def with_one_letter_changed(dice: random.Random, text: str) -> str:
    """Return the sentence with another letter in the middle of a word."""
    places = [
        index
        for index in range(1, len(text) - 1)
        if all(letter.isalpha() for letter in text[index - 1 : index + 2])
        and text[index].islower()
        and text[index].isascii()
    ]
    index = dice.choice(places)
    letter = dice.choice([other for other in MIDDLE_LETTERS if other != text[index]])
    return f"{text[:index]}{letter}{text[index + 1 :]}"
