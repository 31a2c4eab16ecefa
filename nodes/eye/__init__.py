"""eye.*: eye cameras, what they see, and where eyes look when there are none."""

from rtgraph.nodes.eye import camera_pair, encoder, gaze_synth, mjpeg, one_euro, osc, video

__all__ = ["camera_pair", "encoder", "gaze_synth", "mjpeg", "one_euro", "osc", "video"]
