"""What face and eye nodes exchange: the element types of their ports."""

from __future__ import annotations

from rtgraph import TensorType
from rtgraph.models.expression import EMOTIONS, EYE_STATE, FRAME, REGIONS

#: What a mixer, a sender, a file and the avatar take.
ExpressionFrame = TensorType(
    "ExpressionFrame", "float32", (len(FRAME),), doc="[61] ARKit-52 weights 0..1, then 9 angles in radians"
)
Confidence = TensorType("Confidence", "float32", (len(REGIONS),), doc="[6] 0..1 by region of the face")
ExpressionLatent = TensorType(
    "ExpressionLatent", "float32", (64,), doc="[64] zero mean, unit variance, free of identity"
)
Hidden = TensorType("Hidden", "float32", (256,), doc="[256] from the online encoder to the denoiser")
Emotion = TensorType("Emotion", "float32", (len(EMOTIONS),), doc="[8] weights 0..1 of the emotions")

#: Timestamped at the middle of the exposure.
EyeImage = TensorType("EyeImage", "uint8", (None, None), doc="[height, width] infrared, upright, one eye")
EyeFeatures = TensorType("EyeFeatures", "float32", (160,), doc="[160] left 80, right 80")
EyeState = TensorType(
    "EyeState",
    "float32",
    (len(EYE_STATE),),
    doc="[14] left, then right: gaze yaw, pitch (radians), lid (1 open), squint, wide, pupil mm, confidence",
)

#: What a head looks like in a frame: of face.avatar_decoder.
Vertices = TensorType("Vertices", "float32", (None, 3), doc="[V, 3] metres, glTF axes")
Normals = TensorType("Normals", "float32", (None, 3), doc="[V, 3] unit")
Splats = TensorType(
    "Splats",
    "float32",
    (None, 14),
    doc="[G, 14] mean 3 (metres), rotation w x y z, scale 3 (metres), linear RGB 3, opacity",
)
