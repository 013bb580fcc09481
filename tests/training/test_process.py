"""Threads are limited for a while and put back."""

import threading

import torch

from sklrnn.training.process import count_threads, thread_limit


def test_threads_are_restored_when_fits_overlap():
    before = torch.get_num_threads()
    inside, leave = threading.Event(), threading.Event()

    def stay():
        with thread_limit(1):
            inside.set()
            leave.wait(10)

    other = threading.Thread(target=stay)
    with thread_limit(1):
        other.start()
        assert inside.wait(10)
        assert torch.get_num_threads() == 1
    leave.set()
    other.join()
    assert torch.get_num_threads() == before
    seen = []
    later = threading.Thread(target=lambda: seen.append(torch.get_num_threads()))
    later.start()
    later.join()
    assert seen == [before]


def test_a_limit_within_a_limit_ends_with_the_outer_one():
    before = torch.get_num_threads()
    with thread_limit(2):
        with thread_limit(1):
            assert torch.get_num_threads() == 1
        assert torch.get_num_threads() == 2
    assert torch.get_num_threads() == before


def test_small_networks_get_one_thread_and_n_jobs_is_obeyed():
    assert count_threads(None, batch_size=32, units=(32,)) == 1
    assert count_threads(None, batch_size=1024, units=(256,)) == torch.get_num_threads()
    assert count_threads(2, batch_size=32, units=(32,)) == 2
