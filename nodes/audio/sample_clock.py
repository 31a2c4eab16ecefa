"""When each sample of a device was captured, smoothed out of times that arrive with jitter."""

from __future__ import annotations

import math

_BANDWIDTH_HZ = 0.1
#: A block this far from where it should be follows lost sound.
_GAP_NS = 50_000_000
#: No working oscillator is further off; what looks like more is the jitter of a stream's beginning.
_MAX_DRIFT = 1e-3


class SampleClock:
    """Follows a device's sample clock against the system's.

    A second-order delay-locked loop (F. Adriaensen, "Using a DLL to filter time", LAC 2005): time and rate
    come to agree with the blocks that were observed, while the jitter of single ones averages out.
    """

    def __init__(self, rate_hz: float) -> None:
        self._device_ns = 0.0
        self._time_ns = 0.0
        self.restart(rate_hz)

    def restart(self, rate_hz: float) -> None:
        """The stream was interrupted: it goes on at position 0, perhaps at another rate. The device's time
        runs on."""
        self._nominal_ns = 1e9 / rate_hz
        self._position = 0
        self._age_ns = -1.0  # below 0: nothing observed yet
        self._period_ns = self._nominal_ns
        self._error_ns = 0.0

    def observe(self, position: int, captured_ns: int) -> bool:
        """`position` samples have come, the last of them captured at `captured_ns`. False: sound was lost
        before them."""
        step_ns = (position - self._position) * self._nominal_ns
        if self._age_ns < 0:
            silent = captured_ns - self._time_ns if self._device_ns else step_ns
            self._anchor(position, captured_ns, silent)
            return True
        predicted = self._time_ns + (position - self._position) * self._period_ns
        error = captured_ns - predicted
        if abs(error) > _GAP_NS:
            self._anchor(position, captured_ns, captured_ns - self._time_ns)
            return False
        omega = 2 * math.pi * _BANDWIDTH_HZ * step_ns * 1e-9
        self._age_ns += step_ns
        self._error_ns = error
        # While young it averages evenly: the loop alone would take seconds to forget the first block's
        # jitter.
        self._time_ns = predicted + max(math.sqrt(2) * omega, step_ns / (self._age_ns + step_ns)) * error
        period_ns = self._period_ns + omega * omega * error / max(1, position - self._position)
        self._period_ns = min(
            max(period_ns, self._nominal_ns * (1 - _MAX_DRIFT)), self._nominal_ns * (1 + _MAX_DRIFT)
        )
        self._position = position
        self._device_ns += step_ns
        return True

    def time_ns(self, position: float) -> int:
        """When the sample before this position was captured."""
        return round(self._time_ns + (position - self._position) * self._period_ns)

    def device_ns(self, now_ns: int) -> int:
        """How far the device's own clock has come by now, from its first sample on; lost sound counts by
        the system's."""
        return round(self._device_ns + (now_ns - self._time_ns) * self._nominal_ns / self._period_ns)

    @property
    def settled(self) -> bool:
        """Whether the times have made sense for a second. A sound server reports wild ones while its stream
        begins."""
        return self._age_ns > 1e9 and abs(self._error_ns) < 5e6

    @property
    def drift_ppm(self) -> float:
        """How much faster than the system's clock the device's runs."""
        return (self._nominal_ns / self._period_ns - 1) * 1e6

    def _anchor(self, position: int, captured_ns: int, passed_ns: float) -> None:
        self._position, self._time_ns, self._age_ns = position, float(captured_ns), 0.0
        self._device_ns += max(0.0, passed_ns)
        self._period_ns = self._nominal_ns
        self._error_ns = 0.0
