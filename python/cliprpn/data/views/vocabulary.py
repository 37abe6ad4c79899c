"""Word lists that decide which changes of an image may make a sentence untrue: English, lower case.

Collected from RefCOCOg's validation sentences and the color terms of Berlin & Kay (1969), with the shades that occur
with them. A word is listed if the change *may* make some sentence with it untrue: rejecting a sentence costs one view,
while an untrue sentence is a wrong training label.
"""

from __future__ import annotations

from cliprpn.data.views.augmentation import Change


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


# Exchanged in a mirrored image.
MIRRORED = {
    "left": "right",
    "leftmost": "rightmost",
    "lefthand": "righthand",
    "leftside": "rightside",
    "leftward": "rightward",
    "leftwards": "rightwards",
}

# Start with "left" but are not a side. ("Upright" and "bright" do not start with "right".)
NOT_A_SIDE = frozenset({"leftover", "leftovers"})

# A word before "left" or "right" that makes it a side ("the left", "far right", "his left", "on right").
BEFORE_A_SIDE = _set(
    """a the its his her their my your our whose
    at from on to toward towards far farther farthest further furthest very extreme most"""
)

# A word before it that makes it a side or a direction, unless an adverb's continuation follows ("looking right at the
# camera", "in front right next to").
BEFORE_A_SIDE_OR_ADVERB = _set(
    """in onto back bottom front lower middle center centre outer rear top upper
    facing faces faced heading headed leaning leans looking looks moving pointing points pointed tilted tilting
    turned turning turns walking walks running runs riding driving bending staring stares"""
)

# A word after "right" that makes it an adverb: "right next to", "right at", "right behind".
AFTER_AN_ADVERB = _set(
    """about above across after against along around as at before behind below beneath beside between by down from in
    inside into near next off on onto outside through to under underneath where when"""
)

# A word after it that makes it a side ("left side", "right arm", "left-most").
AFTER_A_SIDE = _set(
    """most side sides hand corner edge end half portion part third section facing
    arm arms hands leg legs foot feet knee shoulder elbow wrist ear eye cheek paw wing wheel"""
)

# A word after it that excludes a side, whatever precedes: "right-handed", "the right way up", "left over", "left open",
# "right angle".
NEVER_A_SIDE = _set(
    """angle angles angled handed hander handers over overs way ways now away kind size time amount answer order place
    field fielder alone open empty out unattended uneaten untouched blank up there here"""
)
# The same for two words: "right side up".
NEVER_PHRASES = (("side", "up"), ("side", "out"), ("side", "down"))

# "The man's left" is a side, "it's left" is not.
NOT_POSSESSIVE = _set("he here it she that there what where who")

# "What is left of the pizza" is not a side, although "of" follows.
WHAT_IS_LEFT = _set(
    """what is are was were be been being has have had all nothing little much bit bite slice slices piece pieces
    food rest lot not just"""
)

WRITING = """say says said saying spell spells spelled spelling read reads reading word words wording worded
    letter letters lettering lettered number numbers numbered numeral numerals digit digits text texts writing
    written write label labels labeled labelled logo logos sign signs signage inscription inscribed initials
    caption captioned titled named emblem"""
SIDES = "left right leftmost rightmost lefthand righthand leftside rightside leftward leftwards rightward rightwards"
# Colors that differ in lightness, so that a darker image may change them.
LIGHTNESS_COLORS = """black blackish white whitish offwhite gray grey grayish greyish charcoal brown brownish tan
    beige cream creamy ivory khaki pink maroon burgundy navy silver silvery gold golden blond blonde brunette"""
COLORS = f"""{LIGHTNESS_COLORS} red reddish orange orangish yellow yellowish green greenish blue bluish purple
    purplish violet lilac lavender magenta fuchsia turquoise teal aqua cyan indigo peach salmon coral rust rusty bronze
    copper brass crimson scarlet olive lime mustard ginger auburn redhead tanned ripe unripe pastel rainbow
    color colors colored colorful coloring colour colours coloured colourful multicolor multicolored multicoloured
    tricolor discolored uncolored bicolor hued tinted sepia monochrome"""

# Per change: words that may become untrue, by reason.
REJECTED_WORDS: dict[Change, dict[str, str]] = {
    "flip": {
        "writing is mirrored": WRITING,
        "clocks and compasses turn the other way": """clockwise counterclockwise anticlockwise oclock o east
            eastern west western north south northeast northwest southeast southwest port starboard""",
    },
    "crop": {
        "names a place in the image": f"""{SIDES} corner corners edge edges side sides middle mid center centre
            centered central top topmost bottom bottommost upper lower uppermost end ends rear front frontmost back
            backmost outer outermost inner innermost first last far high low picture pictures photo photos photograph
            photographs image images frame framed camera screen view viewer lens photographer screenshot shot scene""",
        "names depth or extent": """background foreground distance distant distantly close near nearby away
            closeup further farther ahead half halfway partial partially partly part parts portion portions section
            cut cropped visible seen shown showing show shows hidden obscured entire entirely full fully whole wholly
            complete completely barely only just mostly nearly almost incomplete off""",
        "counts or orders": """two three four five six seven eight nine ten dozen pair couple trio both several
            many multiple few group bunch row line series second third fourth fifth sixth single alone lone each
            every other others another""",
        "compares": """than bigger larger smaller closer nearer taller shorter longer wider higher older younger
            lighter darker thicker thinner fatter fuller more most less least""",
        "names a neighboring object": """next beside besides behind between among amongst amid beneath below under
            underneath above over opposite across along alongside around surrounded adjacent against by facing faces
            toward towards past following leading leads followed chasing watching watches looking looks staring
            stares opposing near outside beyond from""",
    },
    "light": {
        "names lightness": """light lights lighted lightly lit unlit dark darkened darkly darkness dim dimly
            bright brightly brightness shiny shining shines glossy glow glowing glows gleaming glare shade shaded
            shady shadow shadows shadowed shadowy silhouette silhouetted sunlit sunlight sunny sun sunset sunrise
            night nighttime day daylight pale faded fading transparent translucent reflective neon overexposed
            underexposed lighter lightest darker darkest brighter brightest dull vivid""",
        "a color of a certain lightness": LIGHTNESS_COLORS,
    },
    "chroma": {
        "names a color": COLORS,
        "names the strength of a color": "pale faded vivid dull neon bright brightly brighter brightest",
    },
    "blur": {
        "names sharpness": """blur blurs blurred blurry blurring focus focused focussed unfocused sharp sharply
            sharpest clear clearly clearer clearest fuzzy hazy foggy misty smudged pixelated grainy detailed""",
        "writing is blurred": WRITING,
    },
}

# Words ending in -est that are not superlatives.
NOT_SUPERLATIVE = _set(
    """armrest backrest best chest contest crest digest everest footrest forest guest harvest headrest honest interest
    midwest modest northwest protest request southwest"""
)
