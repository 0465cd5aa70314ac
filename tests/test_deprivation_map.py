"""The colours of two figures at once, told apart by every eye, and the legend's classes on their way to the browser and
back."""

import json
from itertools import combinations
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from streamlit.testing.v1 import AppTest

from cspmap.views import palettes
from cspmap.views.map import AreaStyle, Legend, LegendClass, LegendGrid, MapView, encode_view
from cspmap.views.palettes import OUTLINE, SPECIAL, bivariate_palette, contrast_ratio, faded_palette, text_on

# Linear RGB as seen without red or without green receptors: Viénot, Brettel & Mollon (1999); without blue ones:
# Machado, Oliveira & Fernandes (2009), "A physiologically-based model for simulation of color vision deficiency".
EYES: dict[str, Any] = {
    "usual": np.eye(3),
    "protan": ((0.11238, 0.88762, 0.0), (0.11238, 0.88762, 0.0), (0.00401, -0.00401, 1.0)),
    "deutan": ((0.29275, 0.70725, 0.0), (0.29275, 0.70725, 0.0), (-0.02234, 0.02234, 1.0)),
    "tritan": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.303900)),
}


def see(colour: str, eye: str) -> NDArray[np.float64]:
    """A colour in OKLab as an eye sees it."""
    linear = np.clip(np.array(EYES[eye]) @ palettes._linear_rgb(colour), 0, 1)
    return np.array(palettes._to_oklab("#" + "".join(f"{palettes._encode(value):02X}" for value in linear)))


def find_least_distance(colours: tuple[str, ...], eye: str) -> float:
    seen = [see(colour, eye) for colour in colours]
    return min(float(np.linalg.norm(one - other)) for one, other in combinations(seen, 2))


@pytest.mark.parametrize("eye", list(EYES))
def test_nine_colours_are_told_apart_by_every_eye(eye: str) -> None:
    """A step of 0.02 in OKLab is about the least that is noticed side by side."""
    assert find_least_distance(bivariate_palette(), eye) > 0.12
    assert find_least_distance(faded_palette(), eye) > 0.04


@pytest.mark.parametrize("palette", [bivariate_palette(), faded_palette()])
def test_outline_and_numbers_stand_out_from_every_class(palette: tuple[str, ...]) -> None:
    assert len(set(palette)) == 9
    assert min(contrast_ratio(OUTLINE, colour) for colour in palette) >= 3
    assert min(contrast_ratio(text_on(colour), colour) for colour in palette) >= 4.5
    assert not set(palette) & {look.fill for look in SPECIAL.values()}


def test_both_figures_darken_the_first_palette() -> None:
    lightness = np.array([palettes._to_oklab(colour)[0] for colour in bivariate_palette()]).reshape(3, 3)
    assert (np.diff(lightness, axis=0) < 0).all()
    assert (np.diff(lightness, axis=1) < 0).all()


def test_the_second_palette_fades_with_the_first_figure() -> None:
    chroma = np.array([np.hypot(*palettes._to_oklab(colour)[1:]) for colour in faded_palette()]).reshape(3, 3)
    assert (np.diff(chroma, axis=1) > 0).all()


def test_a_legend_without_a_square_is_sent_as_ever() -> None:
    classes = (LegendClass("#FFEEAA", "few"), LegendClass("#225588", "many"))
    view = MapView("Luton", "x.json", (AreaStyle("E1", 0),), Legend("Crimes", "Two classes.", classes))
    assert json.loads(encode_view(view))["legend"].keys() == {"title", "rule", "classes"}
    grid = LegendGrid(1, "more deprived", "higher rate", (1, 0), (1,), "7-1")
    view = MapView("Luton", "x.json", (AreaStyle("E1", 0),), Legend("Crimes", "Two classes.", classes, grid))
    assert json.loads(encode_view(view))["legend"]["grid"] == {
        "side": 1,
        "across": "more deprived",
        "up": "higher rate",
        "sizes": [1, 0],
        "inks": ["#000000", "#FFFFFF"],
        "shown": [1],
        "answers": "7-1",
    }


def show_message() -> None:
    import streamlit as st

    from cspmap.views.map import take_message

    st.write(str(take_message(key="map", classes=range(9))))


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ({"shown": [8, 1, 9, "x"], "nonce": "5-1"}, "LegendEvent(shown=(1, 8), nonce='5-1')"),
        ({"area": "E1", "nonce": "5-2"}, "MapEvent(area='E1')"),
        ("hostile", "None"),
    ],
)
def test_messages_are_taken_once(value: Any, told: str) -> None:
    app = AppTest.from_function(show_message)
    app.session_state["map"] = value
    assert app.run().markdown[0].value == told
    assert app.run().markdown[0].value == "None"
