"""OSC bundles: byte for byte what python-osc makes, split where they grow too long."""

from __future__ import annotations

import numpy as np
import pytest
from pythonosc.osc_bundle import OscBundle
from pythonosc.osc_bundle_builder import IMMEDIATELY, OscBundleBuilder
from pythonosc.osc_message_builder import OscMessageBuilder

from rtgraph.nodes.sink.osc_bundle import BundleTemplate, Message


def by_python_osc(messages):
    bundle = OscBundleBuilder(IMMEDIATELY)
    for address, args in messages:
        message = OscMessageBuilder(address)
        for arg in args:
            message.add_arg(arg, OscMessageBuilder.ARG_TYPE_FLOAT if isinstance(arg, float) else None)
        bundle.add_content(message.build())
    return bundle.build().dgram


def test_golden_bytes_of_the_specification():
    """/oscillator/4/frequency 440.0 is the example of the OSC 1.0 specification, here as its bundle's element."""
    template = BundleTemplate([Message("/oscillator/4/frequency", "f")])
    message = b"/oscillator/4/frequency\0,f\0\0" + bytes([0x43, 0xDC, 0, 0])
    assert template.fill(np.array([440.0])) == [
        b"#bundle\0" + bytes(7) + b"\1" + bytes([0, 0, 0, 32]) + message
    ]


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_same_bytes_as_python_osc(seed):
    random = np.random.default_rng(seed)
    template = BundleTemplate(
        [
            Message("/VMC/Ext/OK", "i", (1,)),
            Message("/a", "f"),
            Message("/bone", "sfff", ("LeftEye",)),
            Message("/flag", "B"),
            Message("/mixed/long", "fBsBif", ("four", -7)),
            Message("/VMC/Ext/Blend/Apply", ""),
        ]
    )
    floats = random.standard_normal(6).astype(np.float32)
    flags = random.random(3) < 0.5
    x, b = floats.tolist(), flags.tolist()
    assert template.fill(floats, flags) == [
        by_python_osc(
            [
                ("/VMC/Ext/OK", [1]),
                ("/a", [x[0]]),
                ("/bone", ["LeftEye", *x[1:4]]),
                ("/flag", [b[0]]),
                ("/mixed/long", [x[4], b[1], "four", b[2], -7, x[5]]),
                ("/VMC/Ext/Blend/Apply", []),
            ]
        )
    ]


@pytest.mark.parametrize("limit", [64, 100, 1472])
def test_bundles_keep_to_the_limit_and_to_the_order(limit):
    template = BundleTemplate([Message(f"/number/{i}", "f") for i in range(100)], limit)
    datagrams = template.fill(np.arange(100))
    assert all(len(d) <= limit for d in datagrams)
    received = [m for d in datagrams for m in OscBundle(bytes(d))]
    assert [(m.address, m.params) for m in received] == [(f"/number/{i}", [float(i)]) for i in range(100)]
    if limit == 1472:
        assert len(datagrams) == 2


def test_a_message_that_fits_nowhere():
    with pytest.raises(ValueError, match=r"/list has 2012 bytes; a datagram 1472"):
        BundleTemplate([Message("/list", "f" * 400)])
