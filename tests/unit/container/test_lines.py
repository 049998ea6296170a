"""Lines for a log: each at once, and of progress not too many."""

import io

from marfa.container.lines import Lines


def test_news_is_a_line_at_once():
    stream = io.StringIO()
    Lines(stream).say("epoch 1: loss 0.5")
    assert stream.getvalue() == "epoch 1: loss 0.5\n"


def test_progress_is_told_now_and_then_with_the_time_left():
    stream, now = io.StringIO(), [0.0]
    with Lines(stream, lambda: now[0]).bar("training", 100, "steps") as bar:
        for done in range(0, 60, 10):
            now[0] = done / 2
            bar.update(done, "loss 0.5")
    assert stream.getvalue() == "training: 30 of 100 steps, about 35 s left  loss 0.5\n"


def test_what_an_earlier_run_has_done_says_nothing_of_the_speed():
    stream, now = io.StringIO(), [0.0]
    with Lines(stream, lambda: now[0]).bar("training", 100, "steps") as bar:
        bar.update(80)
        now[0] = 20.0
        bar.update(90)
    assert "about 20 s left" in stream.getvalue()


def test_without_a_total_nothing_is_promised():
    stream, now = io.StringIO(), [0.0]
    with Lines(stream, lambda: now[0]).bar("judging", None, "rows") as bar:
        now[0] = 21.0
        bar.update(7)
    assert stream.getvalue() == "judging: 7 rows\n"


def test_bytes_are_told_as_megabytes_and_with_their_speed():
    stream, now = io.StringIO(), [0.0]
    with Lines(stream, lambda: now[0]).bar("fetching x", 84e6, "B") as bar:
        bar.update(4e6)
        now[0] = 20.0
        bar.update(44e6)
    assert stream.getvalue() == "fetching x: 44.0 of 84.0 MB at 2000 kB/s, about 20 s left\n"
