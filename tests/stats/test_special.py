"""Distribution functions against closed forms, far into tails where doubles end; and when SciPy is loaded."""

from __future__ import annotations

import subprocess
import sys
from math import atan, exp, isclose, log, pi, sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from segctl.stats import special

ANY_T = st.floats(-1e6, 1e6, allow_nan=False)


@given(ANY_T)
def test_one_degree_of_freedom_is_cauchy(t: float) -> None:
    assert isclose(special.t_p(t, 1), 2 * atan(1 / abs(t)) / pi if t else 1.0, rel_tol=1e-10)


@given(ANY_T)
def test_two_degrees_of_freedom_have_a_closed_form(t: float) -> None:
    # 1 − t/√(2 + t²) = 2 / ((2 + t²)(1 + t/√(2 + t²))), which subtracts nothing.
    expected = 2 / ((2 + t * t) * (1 + abs(t) / sqrt(2 + t * t)))

    assert isclose(special.t_p(t, 2), expected, rel_tol=1e-12)
    assert isclose(special.t_log_p(t, 2), log(expected), rel_tol=1e-9, abs_tol=1e-12)


@pytest.mark.parametrize("t", [1e155, 1e170, 1e300])
def test_the_logarithm_of_p_goes_on_where_p_is_zero(t: float) -> None:
    # With two degrees of freedom p → 1/t².
    assert special.t_p(t, 2) < 1e-300
    assert isclose(special.t_log_p(t, 2), -2 * log(t), rel_tol=1e-12)


@pytest.mark.parametrize(("t", "df"), [(40.0, 1e3), (60.0, 1e6), (5.0, 40.0), (38.0, 1e7)])
def test_the_fraction_of_far_tails_agrees_with_the_function_of_near_ones(t: float, df: float) -> None:
    from math import log1p

    here = special.log_beta_tail(df / 2, 0.5, -log1p(t * t / df))
    known = log(special.t_p(t, df)) if special.t_p(t, df) > 0 else special.t_log_p(t, df)

    assert isclose(here, known, rel_tol=1e-9)


def test_a_t_with_many_degrees_of_freedom_is_normal_in_its_tail_too() -> None:
    assert isclose(special.t_log_p(60.0, 1e12), special.normal_log_p(60.0), rel_tol=1e-6)
    # ln(2φ(z)/z · (1 − 1/z² + 3/z⁴)), the asymptotic series.
    z = 60.0
    expected = log(2) - z * z / 2 - log(z * sqrt(2 * pi)) + log(1 - z**-2 + 3 * z**-4)
    assert isclose(special.normal_log_p(z), expected, rel_tol=1e-10)


@given(st.floats(0, 1400))
def test_chi_squared_with_two_and_four_degrees_has_a_closed_form(x: float) -> None:
    assert isclose(special.chi2_sf(x, 2), exp(-x / 2), rel_tol=1e-12)
    assert isclose(special.chi2_log_sf(x, 4), -x / 2 + log(1 + x / 2), rel_tol=1e-9, abs_tol=1e-12)


@pytest.mark.parametrize("x", [1500.0, 1e4, 1e6])
def test_chi_squared_beyond_doubles(x: float) -> None:
    assert special.chi2_sf(x, 2) == 0.0
    assert isclose(special.chi2_log_sf(x, 4), -x / 2 + log(1 + x / 2), rel_tol=1e-12)
    assert isclose(special.chi2_log_sf(x, 1), special.normal_log_p(sqrt(x)), rel_tol=1e-9)


@given(st.floats(0.001, 0.999), st.floats(1, 1e9))
def test_quantiles_undo_probabilities(p: float, df: float) -> None:
    t = special.t_quantile(p, df)

    assert isclose(special.t_p(t, df), 2 * min(p, 1 - p), rel_tol=1e-8)
    # Beta(1, b) has the distribution 1 − (1 − x)ᵇ.
    assert isclose(special.beta_quantile(p, 1, 5), 1 - (1 - p) ** 0.2, rel_tol=1e-9)


@pytest.mark.parametrize(
    ("a", "b", "c", "expected"),
    [
        pytest.param(1, -3, 2, (1, 2), id="plain"),
        pytest.param(1, -1e9, 1, (1e-9, 1e9), id="one root tiny beside the other"),
        pytest.param(-1, 0, 4, (-2, 2), id="opens below"),
        pytest.param(2, 0, 0, (0, 0), id="both at zero"),
        pytest.param(1, 0, 1, None, id="none"),
        pytest.param(0, 1, 1, None, id="no parabola"),
    ],
)
def test_roots_of_a_parabola(a: float, b: float, c: float, expected: tuple[float, float] | None) -> None:
    found = special.root_of_quadratic(a, b, c)

    assert found == (None if expected is None else pytest.approx(expected, rel=1e-12))


def test_scipy_is_loaded_by_the_first_number_and_not_by_the_modules() -> None:
    code = (
        "import sys\n"
        "from segctl.stats import compliance, cuped, exact, means, money, outliers, rates, ratios, strata\n"
        "assert not {'scipy', 'numpy', 'polars'} & set(sys.modules)\n"
        "from segctl.stats.values import Counts\n"
        "rates.compare_rates(Counts(10, 3), Counts(10, 5))\n"
        "assert 'scipy.special' in sys.modules\n"
        "assert not {'scipy.stats', 'scipy.optimize', 'scipy.integrate'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
