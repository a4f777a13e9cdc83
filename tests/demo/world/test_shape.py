"""The spread of power inside a segment."""

from math import isclose

from hypothesis import given, strategies as st

from demo.world.shape import Shape

SHAPES = st.one_of(
    st.builds(Shape.of_sky, st.integers(0, 50), st.integers(0, 10**7)),
    st.builds(Shape.of_people, st.integers(0, 50), st.integers(0, 10**7), st.integers(-500, 2000)),
)


@given(SHAPES)
def test_all_of_the_energy_flows_within_the_segment(shape: Shape) -> None:
    assert shape.progress(0) == 0
    assert isclose(shape.progress(1), 1)


@given(SHAPES, st.floats(0, 1), st.floats(0, 1))
def test_progress_never_goes_backwards(shape: Shape, a: float, b: float) -> None:
    assert shape.progress(min(a, b)) <= shape.progress(max(a, b)) + 1e-12


@given(SHAPES, st.integers(0, 599))
def test_weight_is_the_slope_of_progress(shape: Shape, second: int) -> None:
    # Of a small step, in which the appliance is not switched.
    u, step = second / 600, 1e-7
    if not any(u <= border <= u + step for border in (shape.start, shape.end)):
        slope = (shape.progress(u + step) - shape.progress(u)) / step
        assert isclose(slope, shape.weight(u), rel_tol=1e-3)


@given(SHAPES)
def test_the_highest_second_is_among_the_peaks(shape: Shape) -> None:
    highest = max(shape.weight(second / 600) for second in range(600))
    peaks = {0, 599, *shape.peaks(600)}
    assert max(shape.weight(peak / 600) for peak in peaks if 0 <= peak < 600) == highest
