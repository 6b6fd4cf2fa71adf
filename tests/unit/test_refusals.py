"""Refused deliveries are logged, but not so many lines that an attacker could fill a disk."""

from structlog.testing import CapturingLogger

from service.refusals import QUIET_SECONDS, RefusalLog


def test_one_line_per_source_and_outcome_in_a_while_and_the_next_counts_the_rest() -> None:
    now = [100.0]
    logger = CapturingLogger()
    log = RefusalLog(logger, lambda: now[0])
    for _ in range(5):
        log.write("shop", "not authentic")
    log.write("other", "not authentic")
    log.write("shop", "too large")
    assert [call.kwargs["left_out"] for call in logger.calls] == [0, 0, 0]
    now[0] += QUIET_SECONDS
    log.write("shop", "not authentic")
    assert logger.calls[-1].kwargs == {"source": "shop", "outcome": "not authentic", "left_out": 4}
    now[0] += QUIET_SECONDS
    log.write("shop", "not authentic")
    assert logger.calls[-1].kwargs["left_out"] == 0
