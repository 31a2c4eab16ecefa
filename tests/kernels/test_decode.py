"""The avatar decoder against its float64 reference: values, identity, broken input, state, messages."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest

from rtgraph.benchmarks.kernels.synthetic_head import synthetic_head
from rtgraph.kernels.decode import (
    DecodeState,
    Frame,
    Rig,
    arkit_drive,
    decode,
    identity,
    reference,
    sparse_shapes,
)

SIZES = [(4, 5, 0), (9, 13, 3), (17, 21, 501), (33, 40, 2_000)]  # rows, columns, Gaussians


@pytest.fixture(params=["baseline", "avx2", "avx512"])
def isa(request: pytest.FixtureRequest) -> str:
    return request.param


def make_state(rig: Rig, isa: str) -> DecodeState:
    try:
        return DecodeState(rig, isa)
    except ValueError as error:
        if "instruction set" not in str(error):
            raise
        pytest.skip(str(error))


def some_expression(rng: np.random.Generator) -> np.ndarray:
    """Weights in 0..1, a third of them zero; angles within 0.5 rad: [61] float32."""
    weights = rng.uniform(0, 1, 52) * (rng.uniform(size=52) > 0.33)
    return np.concatenate([weights, rng.uniform(-0.5, 0.5, 9)]).astype(np.float32)


def nan_frame(rig: Rig) -> Frame:
    frame = Frame.empty(rig)
    for item in fields(frame):
        getattr(frame, item.name).fill(np.nan)
    return frame


def same_turn(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The angle between rotations given as unit quaternions of either sign: [G] radians, to first order."""
    return np.minimum(np.linalg.norm(a - b, axis=1), np.linalg.norm(a + b, axis=1)) * 2


@pytest.mark.parametrize(("rows", "columns", "gaussians"), SIZES)
@pytest.mark.parametrize("seed", range(3))
def test_equals_the_float64_reference(isa: str, rows: int, columns: int, gaussians: int, seed: int) -> None:
    rig = synthetic_head(rows, columns, gaussians, seed=seed)
    expression = some_expression(np.random.default_rng(seed))
    frame = decode(make_state(rig, isa), expression, nan_frame(rig))
    truth = reference.decode(rig, expression)
    extent = np.abs(truth.vertices).max()
    np.testing.assert_allclose(frame.vertices, truth.vertices, rtol=0, atol=1e-6 * extent)
    # Directions of small triangles hang on the last bits of their corners: judge them by the corners that
    # came.
    corners = frame.vertices.astype(np.float64)
    a, b, c = (corners[rig.triangles[:, k]] for k in range(3))
    lengths = np.zeros(rig.vertices)  # what the sum of a fan's normals could be, were none to cancel
    areas = np.linalg.norm(b - a, axis=1) * np.linalg.norm(c - a, axis=1)
    for k in range(3):
        np.add.at(lengths, rig.triangles[:, k], areas)
    sums = np.zeros_like(corners)
    for k in range(3):
        np.add.at(sums, rig.triangles[:, k], np.cross(b - a, c - a))
    condition = np.maximum(1.0, lengths / np.linalg.norm(sums, axis=1))
    error = np.abs(frame.normals - reference.vertex_normals(corners, rig.triangles)).max(axis=1)
    assert (error < 1e-6 * condition).all()
    mean, rotation, scale = reference.carried_gaussians(rig, corners)
    np.testing.assert_allclose(frame.gaussian_mean, mean, rtol=0, atol=2e-6 * extent)
    np.testing.assert_allclose(frame.gaussian_scale, scale, rtol=1e-5)
    thin = (areas / np.maximum(np.linalg.norm(np.cross(b - a, c - a), axis=1), 1e-30))[rig.gaussian_triangle]
    assert (same_turn(frame.gaussian_rotation, rotation) < 3e-6 * thin).all()


def test_an_output_not_wanted_changes_nothing_else(isa: str) -> None:
    rig = synthetic_head(17, 21, 300)
    expression = some_expression(np.random.default_rng(1))
    state = make_state(rig, isa)
    whole = decode(state, expression)
    for wanted in ({"vertices"}, {"normals"}, {"gaussian_mean", "gaussian_rotation", "gaussian_scale"}):
        some = nan_frame(rig)
        some = replace(some, **{f.name: None for f in fields(some) if f.name not in wanted})
        decode(state, expression, some)
        for name in wanted:
            np.testing.assert_array_equal(getattr(some, name), getattr(whole, name))


def test_neutral_expression_gives_the_neutral_head(isa: str) -> None:
    rig = synthetic_head(17, 21, 0)
    frame = decode(make_state(rig, isa), np.zeros(61, np.float32))
    np.testing.assert_allclose(frame.vertices, rig.neutral, rtol=0, atol=1e-7)
    outward = (frame.normals * rig.neutral).sum(axis=1)
    assert (outward > 0).all()


def test_one_shape_at_a_time_moves_its_vertices_alone(isa: str) -> None:
    rig = synthetic_head(9, 13, 0)
    state = make_state(rig, isa)
    for shape in range(rig.shapes):
        expression = np.zeros(61, np.float32)
        expression[shape] = 1.0
        if shape in (15, 16, 17):
            continue  # these turn the jaw as well
        moved = decode(state, expression).vertices - rig.neutral
        expected = np.zeros_like(moved)
        entries = slice(rig.shape_start[shape], rig.shape_start[shape + 1])
        expected[rig.shape_vertex[entries]] = rig.shape_delta[entries]
        np.testing.assert_allclose(moved, expected, rtol=0, atol=1e-7)


@pytest.mark.parametrize(
    ("angle", "start", "end"),
    [
        (52, [0, 0, 1], [1, 0, 0]),  # yaw turns the face to the person's left
        (53, [0, 0, 1], [0, -1, 0]),  # pitch nods down
        (54, [1, 0, 0], [0, 1, 0]),  # roll raises the person's left side
    ],
)
def test_positive_head_angles_turn_as_documented(angle: int, start: list[int], end: list[int]) -> None:
    rig = replace(
        synthetic_head(4, 5, 0),
        neutral=np.tile(np.array(start, np.float32), (20, 1)),
        joint_pivot=np.zeros((4, 3)),
        skin_joint=np.zeros((20, 1), int),
        skin_weight=np.ones((20, 1)),
    )
    expression = np.zeros(61, np.float32)
    expression[angle] = np.pi / 2
    np.testing.assert_allclose(decode(DecodeState(rig), expression).vertices[0], end, atol=1e-6)


def test_jaw_open_lowers_the_jaw_alone_and_eyes_follow_the_head() -> None:
    rig = synthetic_head(17, 21, 0)
    rig = replace(rig, shape_delta=np.zeros_like(rig.shape_delta))
    state = DecodeState(rig)
    expression = np.zeros(61, np.float32)
    expression[17] = 1.0
    moved = decode(state, expression).vertices - rig.neutral
    jaw = (rig.skin_weight * (rig.skin_joint == 1)).sum(axis=1)
    assert moved[jaw == 1][rig.neutral[jaw == 1, 2].argmax(), 1] < -0.01  # the chin, which is in front
    np.testing.assert_allclose(moved[jaw == 0], 0, atol=1e-7)

    def turned(*angles: tuple[int, float]) -> np.ndarray:
        expression = np.zeros(61, np.float32)
        for index, angle in angles:
            expression[index] = angle
        return decode(state, expression).vertices

    eye = (rig.skin_joint[:, 0] == 2) & (jaw == 0)
    yaw = np.array([[np.cos(0.3), 0, np.sin(0.3)], [0, 1, 0], [-np.sin(0.3), 0, np.cos(0.3)]])
    assert np.abs(turned((55, 0.2)) - rig.neutral)[eye].max() > 1e-3
    np.testing.assert_allclose(turned((52, 0.3), (56, 0.2))[eye], (turned((56, 0.2)) @ yaw.T)[eye], atol=1e-6)


def test_joints_at_any_depth_and_many_shapes(isa: str) -> None:
    """Two hundred shapes need several words of bits; a chain of joints multiplies moves."""
    rng = np.random.default_rng(3)
    base = synthetic_head(9, 13, 50)
    v, shapes, joints = base.vertices, 200, 7
    deltas = rng.standard_normal((shapes, v, 3)) * 0.01 * (rng.uniform(size=(shapes, v, 1)) < 0.1)
    start, vertex, delta = sparse_shapes(deltas)
    weights = rng.uniform(0, 1, (v, 4))
    rig = replace(
        base,
        shape_start=start,
        shape_vertex=vertex,
        shape_delta=delta,
        joint_parent=np.arange(joints) - 1,
        joint_pivot=rng.standard_normal((joints, 3)) * 0.1,
        joint_drive=rng.standard_normal((joints, 6, shapes)) * 0.01,
        skin_joint=rng.integers(0, joints, (v, 4)),  # a joint may stand twice in a row
        skin_weight=weights / weights.sum(axis=1, keepdims=True),
    )
    expression = rng.uniform(0, 1, shapes).astype(np.float32)
    out = decode(make_state(rig, isa), expression, nan_frame(rig)).vertices
    np.testing.assert_allclose(out, reference.decode(rig, expression).vertices, rtol=0, atol=1e-6)


def test_a_rig_without_shapes_triangles_or_a_full_block(isa: str) -> None:
    rig = Rig(
        neutral=np.eye(3),
        triangles=np.zeros((0, 3), int),
        shape_start=[0],
        shape_vertex=np.zeros(0, int),
        shape_delta=np.zeros((0, 3)),
        joint_parent=[-1],
        joint_pivot=np.zeros((1, 3)),
        joint_drive=np.zeros((1, 6, 1)),
        skin_joint=np.zeros((3, 1), int),
        skin_weight=np.ones((3, 1)),
    )
    frame = decode(make_state(rig, isa), np.ones(1, np.float32), nan_frame(rig))
    np.testing.assert_array_equal(frame.vertices, np.eye(3))
    np.testing.assert_array_equal(frame.normals, [[0, 0, 1]] * 3)


def test_flat_triangles_give_finite_frames(isa: str) -> None:
    rig = synthetic_head(9, 13, 200)
    neutral = rig.neutral.copy()
    neutral[rig.triangles[:40].ravel()] = neutral[rig.triangles[0, 0]]
    rig = replace(rig, neutral=neutral)
    frame = decode(make_state(rig, isa), np.zeros(61, np.float32), nan_frame(rig))
    truth = reference.decode(rig, np.zeros(61))
    flat = np.flatnonzero(truth.gaussian_scale.max(axis=1) == 0)
    assert len(flat) > 5
    for item in fields(frame):
        assert np.isfinite(getattr(frame, item.name)).all(), item.name
    np.testing.assert_allclose(frame.gaussian_rotation[flat], rig.gaussian_rotation[flat], atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(frame.normals, axis=1), 1.0, rtol=1e-6)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e30, -1001.0])
def test_a_broken_expression_is_replaced_by_the_last_good_one(isa: str, bad: float) -> None:
    rig = synthetic_head(9, 13, 20)
    rng = np.random.default_rng(4)
    state = make_state(rig, isa)
    good, broken = some_expression(rng), some_expression(rng)
    broken[rng.integers(61)] = bad
    neutral = decode(state, np.zeros(61, np.float32)).vertices
    np.testing.assert_array_equal(decode(state, broken).vertices, neutral)
    whole = decode(state, good)
    after = decode(state, broken)
    for item in fields(whole):
        np.testing.assert_array_equal(getattr(after, item.name), getattr(whole, item.name))
    assert state.replaced_frames == 2


def test_denormal_weights_count_as_what_they_are(isa: str) -> None:
    rig = synthetic_head(9, 13, 0)
    tiny = decode(make_state(rig, isa), np.full(61, 1e-42, np.float32))
    np.testing.assert_allclose(tiny.vertices, rig.neutral, rtol=0, atol=1e-7)


def test_reset_equals_new_and_keeps_the_identity(isa: str) -> None:
    rig = synthetic_head(9, 13, 20)
    rng = np.random.default_rng(5)
    state, new = make_state(rig, isa), make_state(rig, isa)
    person, pivots = rig.neutral * np.float32(1.1), rig.joint_pivot * np.float32(1.1)
    for one in (state, new):
        one.set_identity(person, pivots)
    decode(state, some_expression(rng))
    state.reset()
    broken = np.full(61, np.nan, np.float32)
    np.testing.assert_array_equal(decode(state, broken).vertices, decode(new, broken).vertices)
    assert state.replaced_frames == 1
    truth = reference.decode(replace(rig, neutral=person, joint_pivot=pivots), some_expression(rng))
    rng = np.random.default_rng(5)
    some_expression(rng)
    out = decode(state, some_expression(rng))
    np.testing.assert_allclose(out.vertices, truth.vertices, rtol=0, atol=1e-6)


def test_identity_is_the_mean_plus_the_basis() -> None:
    rng = np.random.default_rng(6)
    mean, basis, code = (rng.standard_normal(s).astype(np.float32) for s in ((101, 3), (17, 101, 3), (17,)))
    truth = mean + np.tensordot(code.astype(np.float64), basis.astype(np.float64), 1)
    np.testing.assert_allclose(identity(mean, basis, code), truth, rtol=0, atol=1e-5)
    np.testing.assert_array_equal(identity(mean, basis[:0], code[:0]), mean)


def test_arkit_drive_turns_the_joints_that_it_names() -> None:
    drive = arkit_drive()
    assert drive.shape == (4, 6, 61)
    assert np.count_nonzero(drive) == 9 + 3


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"triangles": [[0, 1, 20]]}, r"triangles: entry 2: expected 0 to 19, got 20"),
        ({"neutral": np.full((20, 3), np.nan)}, "neutral: value 0: expected a finite number"),
        ({"joint_parent": [-1, 0, 2, 0]}, "joint_parent"),
        ({"skin_weight": np.full((20, 2), 0.4)}, "skin_weight: vertex 0: expected a sum of 1"),
        ({"skin_joint": np.full((20, 2), 4)}, "skin_joint: entry 0: expected 0 to 3, got 4"),
        ({"gaussian_triangle": [-1, 0, 0]}, "gaussian_triangle: entry 0"),
        ({"shape_start": np.zeros(53, int)}, "shape_start: last entry: expected the length of shape_vertex"),
        ({"shape_start": np.zeros(0, int)}, "shape_start: expected one entry more"),
        ({"joint_drive": np.zeros((4, 6, 51))}, "joint_drive: expected at least as many inputs as shapes"),
        ({"skin_weight": np.zeros((20, 1))}, r"skin_weight: expected shape \[20, 2\], got \[20, 1\]"),
        ({"triangles": [[0.5, 1, 2]]}, "triangles: expected whole numbers, got float64"),
    ],
)
def test_wrong_rigs_are_answered_by_name(change: dict[str, object], message: str) -> None:
    rig = synthetic_head(4, 5, 3)
    with pytest.raises(ValueError, match=f"rig: {message}"):
        DecodeState(replace(rig, **change))  # type: ignore[arg-type]


def test_a_vertex_twice_in_a_shape_is_answered_by_name() -> None:
    rig = synthetic_head(4, 5, 3)
    vertex = rig.shape_vertex.copy()
    vertex[1] = vertex[0]
    with pytest.raises(ValueError, match=rf"entry 1: vertex {vertex[0]} stands twice in shape 0"):
        DecodeState(replace(rig, shape_vertex=vertex))


@pytest.mark.parametrize(
    ("expression", "error", "message"),
    [
        (np.zeros(52, np.float32), ValueError, r"expression: expected a contiguous \[61\], got \[52\]"),
        (np.zeros(61), TypeError, r"expression: expected a float32 numpy array, got \[61\] float64"),
        (np.zeros(122, np.float32)[::2], ValueError, "not contiguous"),
    ],
)
def test_wrong_expressions_are_answered_by_name(
    expression: np.ndarray, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        decode(DecodeState(synthetic_head(4, 5, 3)), expression)


@pytest.mark.parametrize("name", [item.name for item in fields(Frame)])
def test_wrong_outputs_are_answered_by_name(name: str) -> None:
    rig = synthetic_head(4, 5, 3)
    state, expression = DecodeState(rig), np.zeros(61, np.float32)
    with pytest.raises(ValueError, match=f"{name}: expected a contiguous"):
        decode(state, expression, replace(Frame.empty(rig), **{name: np.zeros((1, 2), np.float32)}))
    if name.startswith("gaussian"):
        with pytest.raises(ValueError, match="all three Gaussian arrays or none"):
            decode(state, expression, replace(Frame.empty(rig), **{name: None}))


def test_a_wrong_identity_is_answered_by_name() -> None:
    rig = synthetic_head(4, 5, 3)
    broken = rig.neutral.copy()
    broken[3, 1] = np.inf
    with pytest.raises(ValueError, match="neutral: expected finite numbers"):
        DecodeState(rig).set_identity(broken, rig.joint_pivot)
