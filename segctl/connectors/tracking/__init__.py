"""Tracking records of tag managers and CDPs as messages of one vocabulary: events, and what identifies a person."""

from __future__ import annotations

from importlib import import_module

from segctl.connectors.tracking.base import Fault, LeftOut, Message, Outcome, Shape

SHAPES = {
    "segment": "segctl.connectors.tracking.segment:SHAPE",
    "ga4": "segctl.connectors.tracking.ga4:SHAPE",
    "ga4_mp": "segctl.connectors.tracking.ga4_mp:SHAPE",
    "ga360": "segctl.connectors.tracking.ga360:SHAPE",
    "snowplow": "segctl.connectors.tracking.snowplow:SHAPE",
    "gtm": "segctl.connectors.tracking.gtm:SHAPE",
    "tealium": "segctl.connectors.tracking.tealium:SHAPE",
}

__all__ = ["SHAPES", "Fault", "LeftOut", "Message", "Outcome", "Shape", "shape_of"]


def shape_of(name: str) -> Shape:
    """The shape of that name, as a source declares it under `tracking`."""
    module, attribute = SHAPES[name].split(":")
    shape: Shape = getattr(import_module(module), attribute)
    return shape
