"""The colours of a drawn grid: calm fills, one accent for what moves, and a perceptually even ramp for values."""

import numpy as np
from numpy.typing import NDArray

Colour = tuple[int, int, int]

PAPER: Colour = (226, 223, 214)  # the thin lines between cells
FLOOR: Colour = (251, 250, 246)
WALL: Colour = (54, 60, 73)
FORBIDDEN: Colour = (246, 182, 100)
TARGET: Colour = (112, 170, 232)
ICE: Colour = (219, 241, 248)
SHEEN: Colour = (176, 222, 238)
WIND: Colour = (196, 206, 214)
START: Colour = (122, 132, 126)
AGENT: Colour = (214, 69, 93)
TRAIL: Colour = (240, 168, 180)  # where a trajectory begins; it ends in AGENT
INK: Colour = (24, 27, 34)
WHITE: Colour = (255, 255, 255)
WARNING: Colour = (232, 128, 12)  # the frame of a forbidden cell whose fill shows its value
PORTALS: tuple[Colour, ...] = (
    (130, 80, 190),
    (0, 140, 120),
    (196, 84, 26),
    (30, 100, 200),
    (170, 40, 120),
    (96, 110, 20),
)

# Nine stops at equal distances along a curve in OKLab, lightness .97 to .42, so that equal steps of value look equal
# and the order survives in grey.
RAMP: tuple[Colour, ...] = (
    (0xFA, 0xF6, 0xDF),
    (0xC7, 0xEC, 0xC5),
    (0x92, 0xDB, 0xBA),
    (0x61, 0xC6, 0xB9),
    (0x3A, 0xAD, 0xBC),
    (0x26, 0x93, 0xBD),
    (0x2D, 0x77, 0xB9),
    (0x3D, 0x59, 0xAB),
    (0x48, 0x3C, 0x92),
)


def heat(fraction: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Colour fractions 0 (pale) to 1 (deep) with `RAMP`: [...] -> [..., 3]."""
    stops = np.linspace(0.0, 1.0, len(RAMP))
    channels = [np.interp(fraction, stops, channel) for channel in zip(*RAMP, strict=True)]
    colours: NDArray[np.uint8] = np.rint(np.stack(channels, axis=-1)).astype(np.uint8)
    return colours


def mix(one: Colour, other: Colour, share: float) -> Colour:
    """Blend two colours: `share` of the other, the rest of the one."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return red, green, blue


def ink_on(background: Colour) -> Colour:
    """Choose dark or white ink, whichever has the higher WCAG contrast with the background."""
    light = luminance(background) + 0.05
    return INK if light * light > (luminance(INK) + 0.05) * 1.05 else WHITE


def luminance(colour: Colour) -> float:
    """Relative luminance of an sRGB colour, 0 (black) to 1 (white), as WCAG 2 defines it."""
    channel = np.asarray(colour) / 255
    linear = np.where(channel <= 0.04045, channel / 12.92, ((channel + 0.055) / 1.055) ** 2.4)
    return float(linear @ (0.2126, 0.7152, 0.0722))
