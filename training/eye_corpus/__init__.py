"""Rendered infrared pictures of eyes with exact labels: the eye encoder learns from them and is measured."""

from .look import Look
from .picture import render
from .rig import Rig
from .wearer import Wearer

__all__ = ["Look", "Rig", "Wearer", "render"]
