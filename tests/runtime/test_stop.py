import os
import signal

import pytest

from hybridvit.runtime.stop import StopSignal


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_first_signal_asks_and_the_second_is_the_usual_one(number):
    usual = []
    before = signal.signal(number, lambda *_: usual.append(number))
    try:
        with StopSignal() as stop:
            assert not stop.requested(1)
            os.kill(os.getpid(), number)
            assert stop.requested(2)
            assert stop.requested(3)
            assert not usual
            os.kill(os.getpid(), number)
            assert usual == [number]
        os.kill(os.getpid(), number)
        assert len(usual) == 2  # what was before is there again
    finally:
        signal.signal(number, before)


def test_nothing_is_left_of_a_run_that_was_not_told():
    before = signal.getsignal(signal.SIGTERM)
    with StopSignal():
        assert signal.getsignal(signal.SIGTERM) is not before
    assert signal.getsignal(signal.SIGTERM) is before
